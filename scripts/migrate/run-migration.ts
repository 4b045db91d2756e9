import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";
import { withFile } from "../sql/file-session.ts";
import { runSql, SqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { statementSpans } from "../sql/statements.ts";
import type { CommittedMigration } from "./committed.ts";
import { type ConcurrentIndex, concurrentIndexOf, type IndexState, indexState } from "./concurrent-index.ts";
import { buildIndex } from "./index-build.ts";
import { type LedgerSubject, openRun, recordApplied, recordFinished, recordStarted } from "./ledger.ts";
import { runRecorded } from "./run-recorded.ts";
import { setTimeouts, type TimeoutMillis, timeoutsOutside } from "./timeouts.ts";

const laterFiles = "The files before it stay applied. Correct this one (it was never applied) and run again.";
/** SQLSTATEs of CREATE for an object that already exists: table, schema, function, any other object. */
const alreadyThere = new Set(["42P07", "42P06", "42723", "42710"]);

/** Tells how to go on after a failure outside a transaction. */
function outsideTransaction(filename: string): string {
  return [
    "This file does not run in a transaction, so part of it may be applied, and its run stays open.",
    "Correct the cause of the error, then run `migrate up`.",
    `If the file did its work: \`migrate repair --done ${filename}\`.`,
    "To change the file: `migrate uncommit`, then close its run with `migrate repair`, and commit it again.",
  ].join(" ");
}

/** Settings for the run of a file. */
export interface MigrationRun {
  compile: (sql: string) => string;
  /** `pgSettings` of .gmrc. */
  settings: Readonly<Record<string, string>>;
  timeouts: TimeoutMillis;
  /** True if the caller set the lock timeout; false for the default. */
  lockTimeoutAsked: boolean;
  draft?: DraftPlace | undefined;
}

/** The draft that a committed file was made from, for messages while the draft can still be corrected. */
export interface DraftPlace {
  /** Name of the committed file. */
  filename: string;
  source: SqlSource;
}

/**
 * Runs one committed file and records it. Both happen in one transaction. With `--! no-transaction`, a ledger row marks
 * the start before the file runs and is completed after it.
 *
 * @throws SqlFileError; a transactional file has then left nothing behind
 */
export async function runMigration(client: Client, subject: LedgerSubject, run: MigrationRun): Promise<void> {
  const { migration } = subject;
  const { filename: file, text, bodyStart: start } = migration;
  const source = { file, text, start, compile: run.compile };
  if (!migration.transactional) return outside(client, subject, source, run);
  const drafted = run.draft?.filename === file ? { ...run.draft.source, compile: run.compile } : source;
  await inTransaction(client, subject, drafted, run);
}

async function inTransaction(
  client: Client,
  subject: LedgerSubject,
  source: SqlSource,
  { timeouts, settings }: MigrationRun,
): Promise<void> {
  const run = { source, timeouts, settings, hint: laterFiles };
  await runRecorded(client, run, (where) => recordApplied(client, subject, where)).catch((error: unknown) => {
    throw metEarlierObjects(error, subject) ? withHint(error, baselineHint(client.database)) : error;
  });
}

/** True if the very first file fails on an object that already exists: then the schema was created by other means. */
function metEarlierObjects(error: unknown, { migration }: LedgerSubject): error is SqlFileError {
  return migration.previousHash === null && error instanceof SqlFileError && alreadyThere.has(error.sqlstate ?? "");
}

function withHint(error: SqlFileError, hint: string): SqlFileError {
  return new SqlFileError(error.message, hint, error.file, error.sqlstate, error.place, error.cause);
}

function baselineHint(database = "NAME"): string {
  return `No migration is recorded as applied, but this object already exists. If the schema is the one that the files create, record them as applied: \`npm run pgw -- migrate baseline --database ${database}\`. Otherwise move the object and its data out of the way or correct this file, then run again.`;
}

async function outside(client: Client, subject: LedgerSubject, source: SqlSource, run: MigrationRun): Promise<void> {
  const { migration } = subject;
  const begun = await openRun(client, migration.hash);
  const id = begun ?? (await recordStarted(client, subject));
  // Look names up with the search path that the file runs with.
  const durationMs = await withFile(client, { file: source.file, settings: run.settings }, () =>
    runOutside(client, source, run, begun !== undefined),
  );
  await recordFinished(client, id, migration, durationMs);
}

/**
 * @param again true if an earlier run of the file was started and its end is not known
 * @returns the duration in ms; null if an earlier run did the work
 */
async function runOutside(
  client: Client,
  source: SqlSource,
  run: MigrationRun,
  again: boolean,
): Promise<number | null> {
  const begun = performance.now();
  const sql = run.compile(source.text.slice(source.start));
  const index = await concurrentIndexOf(sql);
  const timeouts = timeoutsOutside(sql, run.timeouts, run.lockTimeoutAsked);
  // Send both together: the connection pipelines.
  const [before] = await Promise.all([stateOf(client, index), setTimeouts(client, timeouts)]);
  // If a run was killed between the end of its build and its record, only the record is missing.
  if (again && before === "valid") return null;
  const hint = outsideTransaction(source.file);
  const build = () => runSql(client, source, hint);
  if (index === undefined) await build();
  else await buildIndex(client, { index, source, again, hint }, build);
  return performance.now() - begun;
}

async function stateOf(client: Client, index: ConcurrentIndex | undefined): Promise<IndexState> {
  return index === undefined ? "absent" : indexState(client, index);
}

/**
 * Refuses files that cannot run as they are, before any file runs: outside a transaction, a file holds one statement.
 *
 * @throws OperationError that lists all of them
 */
export function requireRunnable(migrations: readonly CommittedMigration[]): void {
  const faults = migrations
    .filter((migration) => !migration.transactional)
    .map((migration) => ({ migration, count: statementSpans(migration.text.slice(migration.bodyStart)).length }))
    .filter(({ count }) => count !== 1)
    .map(({ migration, count }) => `- ${migration.filename} has --! no-transaction and ${count} statements`);
  if (faults.length === 0) return;
  throw new OperationError(
    ["A file that runs outside a transaction must contain exactly one statement:", ...faults].join("\n"),
    {
      hint: "Write each statement in its own file with --! no-transaction.",
    },
  );
}
