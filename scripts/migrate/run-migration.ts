import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { runSql, SqlFileError, sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { statementSpans } from "../sql/statements.ts";
import type { CommittedMigration } from "./committed.ts";
import { type ConcurrentIndex, concurrentIndexOf, dropInvalidIndex, indexState } from "./concurrent-index.ts";
import { type LedgerSubject, openRun, recordApplied, recordFinished, recordStarted } from "./ledger.ts";
import { beginWithTimeouts, setTimeouts, type TimeoutMillis } from "./timeouts.ts";

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
  await beginWithTimeouts(client, timeouts);
  try {
    await runSql(client, source, laterFiles).catch((error: unknown) => {
      throw metEarlierObjects(error, subject) ? withRemedy(error, baselineRemedy(client.database)) : error;
    });
    await recordApplied(client, subject).catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, recording it` }, laterFiles);
    });
    // Deferred constraints fail here.
    await client.query("commit").catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, at its commit` }, laterFiles);
    });
  } catch (error) {
    // Where the connection is lost there is nothing to roll back, and the first error counts.
    await client.query("rollback").catch(() => {});
    throw error;
  }
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

async function outside(client: Client, subject: LedgerSubject, source: SqlSource, run: MigrationRun): Promise<void> {
  const { migration } = subject;
  const index = await concurrentIndexOf(run.compile(migration.text.slice(migration.bodyStart)));
  const begun = await openRun(client, migration.hash);
  // A run that was killed between the end of its build and its record has nothing left to do but that record.
  if (begun !== undefined && index !== undefined && (await indexState(client, index)) === "valid") {
    await recordFinished(client, begun, migration);
    return;
  }
  const id = begun ?? (await recordStarted(client, subject));
  await setTimeouts(client, timeoutsOutside(migration, run));
  try {
    if (index !== undefined) await dropLeftOver(client, index, source);
    await runSql(client, source, outsideTransaction);
    if (index !== undefined) await requireValid(client, index, source);
  } catch (error) {
    // A failed build is taken away at once: until then it slows every write. Where that fails, too, the next run does it.
    if (index !== undefined) await dropInvalidIndex(client, index).catch(() => false);
    throw error;
  } finally {
    await client.query("reset lock_timeout; reset statement_timeout").catch(() => {});
  }
  await recordFinished(client, id, migration);
}

/**
 * What works CONCURRENTLY waits for old transactions by the same means as for locks, and nobody queues behind it meanwhile: only who asked for a
 * lock timeout gets one.
 */
function timeoutsOutside(migration: CommittedMigration, { timeouts, lockTimeoutAsked }: MigrationRun) {
  const concurrent = /\bconcurrently\b/i.test(migration.text.slice(migration.bodyStart));
  return { ...timeouts, lock: concurrent && !lockTimeoutAsked ? 0 : timeouts.lock };
}

/** Takes away what an earlier build left; it waits for the same transactions as the build, and gives way as it does. */
async function dropLeftOver(client: Client, index: ConcurrentIndex, source: SqlSource): Promise<void> {
  await dropInvalidIndex(client, index).catch((error: unknown) => {
    throw sqlFileError(error, { ...source, file: `${source.file}, dropping its invalid index` }, outsideTransaction);
  });
}

/** `IF NOT EXISTS` succeeds on an index that is not valid, and such a file must not count as applied. */
async function requireValid(client: Client, index: ConcurrentIndex, { file }: SqlSource): Promise<void> {
  if (index.name === undefined || (await indexState(client, index)) !== "invalid") return;
  throw new OperationError(`${file}: the index "${index.name}" was built and is not valid.`, {
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
