import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { runSql, SqlFileError, sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { statementSpans } from "../sql/statements.ts";
import type { CommittedMigration } from "./committed.ts";
import {
  type ConcurrentIndex,
  concurrentIndexOf,
  dropInvalidIndex,
  type IndexState,
  indexState,
} from "./concurrent-index.ts";
import { type LedgerSubject, openRun, recordApplied, recordFinished, recordStarted } from "./ledger.ts";
import { runRecorded } from "./run-recorded.ts";
import { resetTimeouts, setTimeouts, type TimeoutMillis, timeoutsOutside } from "./timeouts.ts";

const laterFiles = "The files before it stay applied; correct this one (it was never applied) and run again.";
/** SQLSTATEs of CREATE for what is there already: table, schema, function, any other object. */
const alreadyThere = new Set(["42P07", "42P06", "42723", "42710"]);
const outsideTransaction =
  "This file does not run in a transaction, and part of its work may be there. Correct it, or mend what it stumbled over, and run again.";

/** What a file is run with. */
export interface MigrationRun {
  compile: (sql: string) => string;
  timeouts: TimeoutMillis;
  /** Whether the lock timeout was asked for, and is more than the default. */
  lockTimeoutAsked: boolean;
}

/**
 * Runs one committed file and records it: in one transaction, or for `--! no-transaction` between a row that says "started" and its end.
 * @throws SqlFileError; a transactional file has then left nothing.
 */
export async function runMigration(client: Client, subject: LedgerSubject, run: MigrationRun): Promise<void> {
  const { migration } = subject;
  const source = { file: migration.filename, text: migration.text, start: migration.bodyStart, compile: run.compile };
  if (migration.transactional) await inTransaction(client, subject, source, run);
  else await outside(client, subject, source, run);
}

async function inTransaction(
  client: Client,
  subject: LedgerSubject,
  source: SqlSource,
  { timeouts }: MigrationRun,
): Promise<void> {
  const run = { source, timeouts, remedy: laterFiles };
  await runRecorded(client, run, (where) => recordApplied(client, subject, where)).catch((error: unknown) => {
    throw metEarlierObjects(error, subject) ? withRemedy(error, baselineRemedy(client.database)) : error;
  });
}

/** Whether the first file of all fails on what is there already: then the schema was made by other means than the files. */
function metEarlierObjects(error: unknown, { migration }: LedgerSubject): error is SqlFileError {
  return migration.previousHash === null && error instanceof SqlFileError && alreadyThere.has(error.sqlstate ?? "");
}

function withRemedy(error: SqlFileError, remedy: string): SqlFileError {
  return new SqlFileError(error.message, remedy, error.file, error.sqlstate, error.place, error.cause);
}

function baselineRemedy(database = "NAME"): string {
  return `Nothing is recorded as applied, and this is there already. If it is what the files make: \`npm run pgw -- migrate baseline --database ${database}\` records them as applied and runs none. If not: move it out of the way (its data with it), or correct this file, and run again.`;
}

/** What is asked and set together goes out together: the connection pipelines. */
async function outside(client: Client, subject: LedgerSubject, source: SqlSource, run: MigrationRun): Promise<void> {
  const { migration } = subject;
  const sql = run.compile(migration.text.slice(migration.bodyStart));
  const index = await concurrentIndexOf(sql);
  const [begun, before] = await Promise.all([openRun(client, migration.hash), stateOf(client, index)]);
  // A run that was killed between the end of its build and its record has nothing left to do but that record.
  if (begun !== undefined && before === "valid") {
    await recordFinished(client, begun, migration);
    return;
  }
  const timeouts = timeoutsOutside(sql, run.timeouts, run.lockTimeoutAsked);
  const [id] = await Promise.all([begun ?? recordStarted(client, subject), setTimeouts(client, timeouts)]);
  try {
    if (index !== undefined && before === "invalid") await dropLeftOver(client, index, source);
    await runSql(client, source, outsideTransaction);
    const [after] = await Promise.all([stateOf(client, index), resetTimeouts(client)]);
    if (after === "invalid") throw notValid(source.file, index);
  } catch (error) {
    // A failed build is taken away at once: until then it slows every write. Where that fails, too, the next run does it.
    if (index !== undefined) await dropInvalidIndex(client, index).catch(() => false);
    await resetTimeouts(client).catch(() => {});
    throw error;
  }
  await recordFinished(client, id, migration);
}

async function stateOf(client: Client, index: ConcurrentIndex | undefined): Promise<IndexState> {
  return index === undefined ? "absent" : indexState(client, index);
}

/** Takes away what an earlier build left; it waits for the same transactions as the build, and gives way as it does. */
async function dropLeftOver(client: Client, index: ConcurrentIndex, source: SqlSource): Promise<void> {
  await dropInvalidIndex(client, index).catch((error: unknown) => {
    throw sqlFileError(error, { ...source, file: `${source.file}, dropping its invalid index` }, outsideTransaction);
  });
}

/** `IF NOT EXISTS` succeeds on an index that is not valid, and such a file must not count as applied. */
function notValid(file: string, index: ConcurrentIndex | undefined): OperationError {
  return new OperationError(`${file}: the index "${index?.name}" was built and is not valid.`, {
    remedy: outsideTransaction,
  });
}

/**
 * Refuses files that cannot run as they are, before any file runs: outside a transaction the server takes one statement at a time.
 * @throws OperationError with all of them.
 */
export function requireRunnable(migrations: readonly CommittedMigration[]): void {
  const faults = migrations
    .filter((migration) => !migration.transactional)
    .map((migration) => ({ migration, count: statementSpans(migration.text.slice(migration.bodyStart)).length }))
    .filter(({ count }) => count !== 1)
    .map(({ migration, count }) => `- ${migration.filename} has --! no-transaction and ${count} statements`);
  if (faults.length === 0) return;
  throw new OperationError(["A file outside a transaction holds exactly one statement:", ...faults].join("\n"), {
    remedy: "Put each statement into a file of its own, each with --! no-transaction.",
  });
}
