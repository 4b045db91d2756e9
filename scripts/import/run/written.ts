import type { Client } from "pg";
import { type ImportPlan, isWholeRowStaged, type TablePlan } from "../plan.ts";
import { withHashJoins } from "./hash-joins.ts";
import { digestSql, type ImportRun, keySql, type RunTable, sameKey, stageName, writtenName } from "./ledger.ts";
import { keyText } from "./removal.ts";

/*
 * A row counts as written by a run only in the version that one of the run's transactions wrote: PostgreSQL keeps the
 * transaction of each version in `xmin`. So a row that someone changed, or inserted again, before it was recorded is
 * told from one that is as the run, with its triggers, left it. It costs the load one row per transaction.
 */

/** Creates the table of the transactions of a run that wrote rows. */
export async function createWritten(client: Client, run: ImportRun): Promise<void> {
  await client.query(`create table if not exists ${writtenName(run)} (xid xid not null)`);
}

/**
 * Records that the current transaction wrote rows of the tables. Call it at its end. A trigger that catches errors
 * writes in subtransactions, which have numbers of their own: they are found by the rows that they wrote.
 */
export async function recordTransaction(client: Client, run: ImportRun, tables: readonly TablePlan[]): Promise<void> {
  await client.query(`insert into ${writtenName(run)} select pg_current_xact_id()::xid`);
  if (!tables.some(({ table }) => table.triggers.length > 0)) return;
  // Only own rows of a transaction in progress are visible.
  for (const { table } of tables)
    await client.query(
      `insert into ${writtenName(run)}
       select distinct t.xmin from ${table.rows} t, (select pg_current_xact_id()::text::bigint as xid) own
        where t.xmin::text::bigint > own.xid & 4294967295
          and pg_xact_status((own.xid - (own.xid & 4294967295) + t.xmin::text::bigint)::text::xid8) = 'in progress'`,
    );
}

/**
 * SQL of the hash of a row `t` as the run left it.
 *
 * @param otherwise SQL of the hash if the run did not write this version of the row. Default: one that the row cannot
 *   have, its own inverted
 */
export function digestAsLeft(run: ImportRun, columns: readonly string[], otherwise?: string): string {
  const digest = digestSql(columns, "t");
  return `case when ${isWritten(run)} then ${digest} else ${otherwise ?? `~${digest}`} end`;
}

/** Returns true if it is known which transactions of a run wrote rows. Once it has ended, it is not. */
export async function knowsWritten(client: Client, run: ImportRun): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>("select to_regclass($1) is not null as known", [
    writtenName(run),
  ]);
  return rows[0]?.known === true;
}

/** SQL that is true for rows `t` in a version that a run wrote. */
export function isWritten(run: ImportRun): string {
  return `t.xmin in (select w.xid from ${writtenName(run)} w)`;
}

/**
 * Records the rows of a table that a run inserted, if their staged rows say all of them: the run wrote nothing else, no
 * trigger, rule or partition could change them, and the target still has each of them in the version that it wrote.
 * They are not read again from the target, which takes half of the time.
 *
 * @returns the number of rows that the target has besides; undefined if nothing was recorded
 */
export async function recordAsStaged(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  { tables }: ImportPlan,
): Promise<number | undefined> {
  if (tables.some(({ table }) => table.triggers.length > 0) || !isWholeRowStaged(plan)) return undefined;
  const stage = stageName(run, plan);
  const { rows } = await client.query<{ staged: string; inserted: string; present: string }>(
    `select staged, inserted, present
       from (select count(*) as staged from ${stage} where "$action" is null) s,
            (select count(*) filter (where ${isWritten(run)}) as inserted, count(*) as present from ${plan.table.rows} t) c
      where not exists (select from pgroundwork.import_row
                         where run = ${run.number} and (number = ${plan.number} or action in ('updated', 'deleted')))
        and exists (select from pg_class where oid = ${plan.table.oid} and relkind = 'r' and not relhasrules)
        and not exists (select from ${stage} where "$action" is not null)`,
  );
  const [found] = rows;
  if (found === undefined || found.staged !== found.inserted) return undefined;
  await client.query(
    `insert into pgroundwork.import_row (run, number, key, action, digest, source_digest, source_key, fingerprint)
     select ${run.number}, ${plan.number}, ${keySql(plan, "s")}, 'inserted', ${digestSql(
       plan.table.columns.map(({ name }) => name),
       "s",
     )}, s."$digest", s."$source_key", s."$fingerprint" from ${stage} s`,
  );
  return Number(found.present) - Number(found.inserted);
}

/**
 * Records the rows of a table that a run wrote, with their hashes.
 *
 * @param staged SQL of which staged rows `s` were loaded. `i` is the run's table in the ledger
 */
export async function recordWritten(client: Client, run: ImportRun, table: RunTable, staged: string): Promise<void> {
  const digest = digestAsLeft(run, table.columns);
  const unchanged = digestAsLeft(run, table.columns, `coalesce(s."$seen", ${digestSql(table.columns, "t")})`);
  const join = sameKey(table.key, "s");
  const own = `r.run = ${run.number} and r.number = ${table.number} and r.key = ${keyText(table, "t")}`;
  await client.query(
    `update pgroundwork.import_row r set digest = ${digest} from ${table.rows} t
      where ${own} and r.digest is null and r.action in ('inserted', 'updated')`,
  );
  const { rowCount } = await client.query(
    `select from pgroundwork.import_row where run = $1 and number = $2 and action = 'inserted' limit 1`,
    [run.number, table.number],
  );
  const isNew = `not exists (select from pgroundwork.import_row r where ${own} and r.action = 'inserted')`;
  await withHashJoins(
    client,
    `insert into pgroundwork.import_row (run, number, key, action, digest, source_digest, source_key, fingerprint)
     select i.run, i.number, ${keyText(table, "t")}, coalesce(s."$action", 'inserted'),
            case s."$action" when 'unchanged' then ${unchanged} else ${digest} end,
            s."$digest", s."$source_key", s."$fingerprint"
       from pgroundwork.import_table i, ${stageName(run, table)} s join ${table.rows} t on ${join}
      where i.run = ${run.number} and i.number = ${table.number} and ${staged}
        ${rowCount === 0 ? "" : `and ${isNew}`}`,
  );
}
