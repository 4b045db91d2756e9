import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { isFromServer, serverFaultHint } from "../../connection/server-fault.ts";
import { backendPid, detectLostClients, inTransaction, setLocally } from "../../connection/session.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { ImportMap } from "../map.ts";
import type { ImportPlan, TablePlan } from "../plan.ts";
import { identifier } from "../target/target-table.ts";
import { shown } from "../values/shown.ts";
import { awaitTurn, BlocksTurn } from "./commit-turn.ts";
import { deleteMissing } from "./delete-missing.ts";
import { dependencyGroups } from "./groups.ts";
import { inTurn } from "./in-turn.ts";
import { type ImportRun, keySql, stageName } from "./ledger.ts";
import { fixTextForms } from "./text-forms.ts";
import { updateExisting } from "./update-existing.ts";
import { recordTransaction } from "./written.ts";

/** Options of {@link loadTables}. */
export interface LoadOptions {
  connection: Connection;
  /** Rows of one transaction. */
  batchRows: number;
  onProgress: (table: TablePlan, rows: number) => void;
  /** Called after each commit. */
  afterBatch?: ((batch: number) => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Groups tables so that each comes after those that it references. Tables that reference each other in a circle form
 * one group: one statement inserts into all of them, because foreign keys are checked at the end of a statement.
 */
export function loadGroups(tables: readonly TablePlan[]): TablePlan[][] {
  return dependencyGroups(tables, (plan) =>
    tables.filter(
      ({ table }) => table !== plan.table && plan.table.foreignKeys.some(({ parent }) => parent === table.name),
    ),
  );
}

/**
 * Deletes the rows that the source no longer has, if the map says so, and loads the staged rows into the target. Each
 * batch is one transaction with its progress, so a run that was killed continues behind its last batch. Two sessions
 * work on batches at the same time, and commit them in the order of the source.
 */
export async function loadTables(
  client: Client,
  run: ImportRun,
  plan: ImportPlan,
  options: LoadOptions,
): Promise<void> {
  const groups = loadGroups(plan.tables);
  let batch = 0;
  const committed = () => options.afterBatch?.(++batch);
  if (plan.map.atomic === true) {
    if ((await progressOf(client, run, plan.tables[0])) === 0n) {
      await inSession(client, run, plan, async () => {
        await deleteMissing(client, run, plan);
        for (const group of groups) await loadWhole(client, run, plan, group, options);
      });
      await committed();
    }
    return;
  }
  if (await inSession(client, run, plan, () => deleteMissing(client, run, plan))) await committed();
  for (const group of groups) {
    const [only] = group;
    if (group.length === 1 && only !== undefined && isBatched(only)) {
      await loadInBatches(client, run, plan, only, options, committed);
    } else if ((await progressOf(client, run, only)) === 0n) {
      await inSession(client, run, plan, () => loadWhole(client, run, plan, group, options));
      await committed();
    }
  }
}

/** Returns true if rows of a table may be inserted in parts: none references another, and their order is free. */
function isBatched({ table, entry }: TablePlan): boolean {
  return entry.orderBy === undefined && !table.foreignKeys.some(({ parent }) => parent === table.name);
}

/** Runs work in a transaction with the map's settings. Deferred constraints are checked before the commit. */
async function inSession<T>(
  client: Client,
  run: ImportRun,
  { map, tables }: ImportPlan,
  work: () => Promise<T>,
): Promise<T> {
  return inTransaction(client, async () => {
    await setLocally(client, map.session ?? {});
    const result = await work();
    const check = client.query("set constraints all immediate");
    await check.catch((error: unknown) => Promise.reject(explained(error, "A deferred constraint", map)));
    await recordTransaction(client, run, tables);
    return result;
  });
}

async function progressOf(client: Client, run: ImportRun, plan: TablePlan | undefined): Promise<bigint> {
  const { rows } = await client.query<{ progress: string }>(
    "select progress from pgroundwork.import_table where run = $1 and number = $2",
    [run.number, plan?.number],
  );
  return BigInt(rows[0]?.progress ?? 0);
}

async function loadInBatches(
  client: Client,
  run: ImportRun,
  plan: ImportPlan,
  table: TablePlan,
  options: LoadOptions,
  committed: () => Promise<void> | undefined,
): Promise<void> {
  const stage = stageName(run, table);
  const { rows } = await client.query<{ last: string | null }>(`select max("$ordinal")::text as last from ${stage}`);
  const last = BigInt(rows[0]?.last ?? 0);
  // The stage is filled in the order of the source, so a small index finds each batch.
  if (last > BigInt(options.batchRows))
    await client.query(`create index if not exists ${stage.split(".")[1]}_idx on ${stage} using brin ("$ordinal")`);
  let from = await progressOf(client, run, table);
  const next = () => {
    if (from >= last) return undefined;
    const after = from;
    from = after + BigInt(options.batchRows) < last ? after + BigInt(options.batchRows) : last;
    return { after, to: from };
  };
  const pids = new Map<Client, number>();
  const load = async (session: Client, { after, to }: { after: bigint; to: bigint }, before: Promise<void>) => {
    options.signal?.throwIfAborted();
    const range = `s."$ordinal" > ${after} and s."$ordinal" <= ${to}`;
    const write = (turn: () => Promise<void>) =>
      inSession(session, run, plan, async () => {
        await session.query(batchSettings);
        await failingFor(table, plan.map, session.query(insertSql(run, [table], range)));
        if (updates(plan))
          await updateExisting(session, run, table, range, (work) => failingFor(table, plan.map, work));
        await turn();
        await setProgress(session, run, table, to);
      });
    const others = [...pids].flatMap(([other, pid]) => (other === session ? [] : [pid]));
    await write(() => awaitTurn(session, others, before)).catch(async (error: unknown) => {
      if (!(error instanceof BlocksTurn)) throw error;
      await before;
      await write(async () => {});
    });
    options.onProgress(table, Number(to));
    await committed();
  };
  if (last - from <= BigInt(options.batchRows) || !isOrderFree(table)) return inTurn([client], next, load);
  return withClient(
    options.connection,
    async (second) => {
      await detectLostClients(second);
      await fixTextForms(second);
      const sessions = [client, second];
      for (const session of sessions) pids.set(session, await backendPid(session));
      await inTurn(sessions, next, load);
    },
    "pgroundwork import",
  );
}

/**
 * Settings of the transaction of a batch. Its rows are sorted in memory. Its commit does not wait for the disk: after a
 * crash of the server, the run continues behind the last batch that is there, and the commit that ends the load waits.
 */
const batchSettings = "set local work_mem = '64MB'; set local synchronous_commit = off";

/** Returns true if rows may be inserted in any order, and at the same time: neither a trigger nor a number shows it. */
function isOrderFree({ table, columns }: TablePlan): boolean {
  const isMapped = (name: string) => columns.some(({ target, computed }) => target.name === name && !computed);
  return (
    table.triggers.length === 0 &&
    table.columns.every(({ name, sequence, identity }) => isMapped(name) || (sequence === null && identity === ""))
  );
}

/** Loads tables completely, with one statement for those that reference each other. */
async function loadWhole(
  client: Client,
  run: ImportRun,
  plan: ImportPlan,
  group: readonly TablePlan[],
  options: LoadOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const [first] = group;
  if (first === undefined) return;
  const { map } = plan;
  await failingFor(first, map, client.query(insertSql(run, group, "true")));
  for (const table of group) {
    if (updates(plan)) await updateExisting(client, run, table, "true", (work) => failingFor(table, map, work));
    // A table without rows is done, too.
    await setProgress(client, run, table, 9_223_372_036_854_775_807n);
    options.onProgress(table, Number.POSITIVE_INFINITY);
  }
}

/** Returns true if the load can update rows. Other policies stage no such row. */
function updates({ map }: ImportPlan): boolean {
  return map.existing === "update" || map.existing === "merge";
}

async function setProgress(client: Client, run: ImportRun, { number }: TablePlan, progress: bigint): Promise<void> {
  await client.query("update pgroundwork.import_table set progress = $3 where run = $1 and number = $2", [
    run.number,
    number,
    String(progress),
  ]);
}

/** SQL that inserts staged rows into tables. All are inserted by one statement. */
function insertSql(run: ImportRun, plans: readonly TablePlan[], range: string): string {
  const statements = plans.flatMap((plan, index) => {
    const insert = insertRowsSql(run, plan, range);
    if (plan.table.triggers.length === 0) return [`i${index} as (${insert})`];
    // A trigger can give a row another key, by which its staged row does not find it.
    return [
      `w${index} as (${insert} returning ${keySql(plan, "t")} as key)`,
      `i${index} as (insert into pgroundwork.import_row (run, number, key, action)
         select ${run.number}, ${plan.number}, w.key, 'inserted' from w${index} w where w.key not in (
           select ${keySql(plan, "s")} from ${stageName(run, plan)} s where s."$action" is null and ${range}))`,
    ];
  });
  const [only] = plans;
  if (plans.length === 1 && statements.length === 1 && only !== undefined) return insertRowsSql(run, only, range);
  return `with ${statements.join(", ")} select`;
}

function insertRowsSql(run: ImportRun, plan: TablePlan, range: string): string {
  const names = plan.columns.filter(({ computed }) => !computed).map(({ target }) => identifier(target.name));
  // Random keys, such as UUIDs, fill an index several times faster in its order.
  const first = plan.entry.orderBy ?? (isOrderFree(plan) ? plan.key : []);
  const order = [...first.map(identifier), '"$ordinal"'].map((name) => `s.${name}`).join(", ");
  return `insert into ${plan.table.name} as t (${names.join(", ")}) select ${names.map((name) => `s.${name}`).join(", ")}
     from ${stageName(run, plan)} s where s."$action" is null and ${range} order by ${order}`;
}

/** Longest part of a message of the server that an error repeats, in characters. */
const mostOfMessage = 500;

/** SQLSTATEs that do not concern a row: lost connections, conflicts with other sessions, the server and its machine. */
const notOfRows = /^(08|40|53|55|57|58|XX)/;

/** Explains a refusal of a table: by a trigger, since everything else was checked before. */
async function failingFor<T>({ table }: TablePlan, map: ImportMap, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => Promise.reject(explained(error, table.name, map)));
}

/** Explains an error of the target. Returns it as it is if whoever opened the connection explains it. */
function explained(error: unknown, subject: string, { mask = [] }: ImportMap): unknown {
  if (!isFromServer(error)) return error;
  const code = String(error.code);
  if (/^(08|57P)/.test(code) || serverFaultHint(code) !== undefined) return error;
  if (notOfRows.test(code))
    return new OperationError(`${subject} could not be loaded: ${error.message} (SQLSTATE ${code}).`, {
      hint: "This batch was rolled back. Run the same import again: it continues.",
      cause: error,
    });
  const { detail, where } = error as { detail?: string; where?: string };
  // The server's detail has values of the row. A trigger's detail has what its author wrote.
  const isDetailShown = detail !== undefined && (mask.length === 0 || code === "P0001");
  return new OperationError(
    [
      `${subject} refuses a row: ${shown(error.message, mostOfMessage)}`,
      ...(isDetailShown ? [shown(detail, mostOfMessage)] : []),
      ...(where ? [where.split("\n")[0]] : []),
    ].join("\n"),
    {
      hint: "This batch was rolled back. Correct the source or the map, then run `import rollback` and import again.",
      cause: error,
    },
  );
}
