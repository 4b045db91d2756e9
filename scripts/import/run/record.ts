import type { Client } from "pg";
import { inTransaction, setLocally } from "../../connection/session.ts";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { identifier } from "../target/target-table.ts";
import { baselineRows, type ImportRun, keySql, readRunTables, setPhase } from "./ledger.ts";
import { moveSequences } from "./sequences.ts";
import { recordUnchanged } from "./unchanged.ts";
import { recordAsStaged, recordWritten } from "./written.ts";

/**
 * Records which rows of the target the run wrote, as the triggers of all tables left them, moves sequences behind the
 * imported numbers, and writes the audit row. Everything in one transaction: afterwards the run is loaded.
 *
 * @returns notes on sequences, for the report
 */
export async function recordRows(
  client: Client,
  run: ImportRun,
  plan: ImportPlan,
  source: Source,
  summary: object,
): Promise<string[]> {
  const notes: string[] = [];
  await inTransaction(client, async () => {
    await setLocally(client, plan.map.session ?? {});
    const others = new Map<number, number>();
    for (const table of await readRunTables(client, run)) {
      const entry = plan.tables.find(({ number }) => number === table.number);
      const found = entry === undefined ? undefined : await recordAsStaged(client, run, entry, plan);
      if (found === undefined)
        await recordWritten(client, run, table, `(s."$action" is null or s."$action" = 'unchanged')`);
      else others.set(table.number, found);
    }
    for (const table of plan.tables) await recordUnchanged(client, run, table);
    for (const table of plan.tables) notes.push(...(await moveSequences(client, table, source)));
    await writeAudit(client, run, plan, summary);
    for (const table of plan.tables) await recordOthers(client, run, table, others.get(table.number));
    await setPhase(client, run, "loaded");
  });
  return notes;
}

/** Most rows of a table that are recorded as not from the source. */
const mostOthers = 100_000;

/**
 * Records the rows of the target that no import wrote, so that those which come later can be told from them. If there
 * are too many, none is recorded.
 *
 * @param counted their number, if it is known
 */
async function recordOthers(client: Client, run: ImportRun, plan: TablePlan, counted?: number): Promise<void> {
  const others = counted ?? (await countOthers(client, run, plan));
  if (others > mostOthers) return;
  if (others > 0)
    await client.query(
      `insert into pgroundwork.import_row (run, number, key, action)
       select ${run.number}, ${plan.number}, ${keySql(plan, "t")}, 'other' from ${plan.table.rows} t
        where not exists (select from ${baselineRows(plan.table.name)} and r.key = ${keySql(plan, "t")})`,
    );
  await client.query("update pgroundwork.import_table set others_known = true where run = $1 and number = $2", [
    run.number,
    plan.number,
  ]);
}

async function countOthers(client: Client, run: ImportRun, plan: TablePlan): Promise<number> {
  // Each written row is there once, so equal counts mean that there are no others.
  const { rows } = await client.query<{ n: string }>(
    `select (select count(*) from ${plan.table.rows}) - (select count(*) from pgroundwork.import_row
             where run = ${run.number} and number = ${plan.number}
               and action <> 'deleted') as n`,
  );
  return Number(rows[0]?.n);
}

async function writeAudit(
  client: Client,
  run: ImportRun,
  { map, auditTable }: ImportPlan,
  summary: object,
): Promise<void> {
  if (map.audit === undefined || auditTable === undefined) return;
  const entries = Object.entries(map.audit.values);
  const value = (given: unknown) =>
    given === "$run" ? run.id : given === "$summary" ? JSON.stringify(summary) : given;
  await client.query(
    `insert into ${auditTable} (${entries.map(([name]) => identifier(name)).join(", ")})
     values (${entries.map((_, index) => `$${index + 1}`).join(", ")})`,
    entries.map(([, given]) => value(given)),
  );
}
