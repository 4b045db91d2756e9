import type { Client } from "pg";
import type { PartitionSpec } from "../../database/database-file.ts";
import { backendPid } from "../../database/session.ts";
import { OperationError } from "../../errors/operation-error.ts";
import { withScratchDatabase } from "../../scratch/scratch-database.ts";
import { SqlFileError } from "../../sql/run-sql.ts";
import { withClient } from "../../target/client.ts";
import type { Connection } from "../../target/connection.ts";
import type { CommittedMigration } from "../committed.ts";
import { applySettings, openGraphileSession } from "../graphile-migrate.ts";
import { type HookRun, runHooks } from "../hooks.ts";
import { prepareScratch, replayFiles } from "../replay.ts";
import type { StatementEffects } from "./effects.ts";
import { observeInTransaction, type Trial } from "./observe.ts";
import { observeOutside } from "./observe-outside.ts";
import { countsScans, readRelations } from "./relations.ts";
import { makePartitions, withoutPartition } from "./scratch-partitions.ts";
import { statementsOf } from "./statements.ts";

/** A pending file, or a hook around it, that does not run. */
export interface PlanFailure {
  filename: string;
  /** File, line, caret, SQLSTATE, hint. */
  message: string;
  sqlstate: string | null;
  /** In the file, from 1; null where the server gave none. */
  line: number | null;
  column: number | null;
}

export interface TrialOptions {
  connection: Connection;
  /** Who may make a scratch database beside it. */
  admin: Connection;
  /** The database's folder, the one that holds `committed/`. */
  folder: string;
  /** How the database's coming partitions are made: without them, what is done to rows of a partitioned table does not show. */
  partitions?: PartitionSpec | undefined;
  /** What is under way, for people. */
  onProgress?: ((text: string) => void) | undefined;
  /** Ends the run; a statement that is running is cancelled. */
  signal?: AbortSignal | undefined;
}

export interface TrialResult {
  /** Of each file that was begun, in order, what its statements did, as far as they ran. */
  effects: StatementEffects[][];
  /** null: every file ran through. */
  failure: PlanFailure | null;
  /** What could not be seen. */
  warnings: string[];
}

/**
 * Runs pending files in a scratch database that the applied ones were run in before, and looks at what each statement does.
 *
 * @throws OperationError where no scratch database can be made; SqlFileError for an applied file that does not run there
 */
export async function tryFiles(
  applied: readonly CommittedMigration[],
  pending: readonly CommittedMigration[],
  options: TrialOptions,
): Promise<TrialResult> {
  const { connection, admin, folder, onProgress } = options;
  return withScratchDatabase({ admin, like: connection }, async (scratch) => {
    const session = await openGraphileSession(folder, scratch);
    const hooks: HookRun = { session, folder, connection: scratch, admin, shadow: true };
    const result: TrialResult = { effects: [], failure: null, warnings: [] };
    onProgress?.(
      `bringing a scratch database to where ${connection.database} is: ${applied.length} applied ${applied.length === 1 ? "migration" : "migrations"}`,
    );
    await prepareScratch(hooks);
    if (applied.length > 0) result.warnings.push(...(await repeatApplied(hooks, applied)));
    try {
      await runHooks("beforeAllMigrations", hooks);
      const use = (client: Client) =>
        withClient(scratch, (watcher) => runTrials({ client, watcher }, pending, hooks, options, result));
      await withClient(scratch, use, "pgroundwork scratch");
      await runHooks("afterAllMigrations", hooks);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof SqlFileError)) throw error;
      const filename = pending[result.effects.length - 1]?.filename;
      result.failure = failureOf(error, filename);
    }
    return result;
  });
}

/**
 * Runs the applied files with their hooks. The hooks behind them are those of today, which may want what the pending files make.
 * @returns warnings
 */
async function repeatApplied(hooks: HookRun, applied: readonly CommittedMigration[]): Promise<string[]> {
  await runHooks("beforeAllMigrations", hooks);
  await replayFiles(hooks, applied);
  try {
    await runHooks("afterAllMigrations", hooks);
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return [`Behind the applied files, without the pending ones, a hook does not run: ${error.message}`];
  }
}

async function runTrials(
  { client, watcher }: { client: Client; watcher: Client },
  pending: readonly CommittedMigration[],
  { session }: HookRun,
  { partitions, onProgress, signal }: TrialOptions,
  { effects, warnings }: TrialResult,
): Promise<void> {
  if (partitions !== undefined) await makePartitions(client, partitions);
  await applySettings(client, session);
  if (!(await countsScans(client)))
    warnings.push("The server does not count scans (track_counts is off): none are shown.");
  const relations = await readRelations(client);
  const cancel = await cancellation(client, watcher);
  signal?.addEventListener("abort", cancel);
  try {
    for (const file of pending) {
      signal?.throwIfAborted();
      onProgress?.(`trying ${file.filename}`);
      const ofFile: StatementEffects[] = [];
      effects.push(ofFile);
      const trial: Trial = { file, statements: statementsOf(file), compile: session.compile, relations };
      const add = (ofStatement: StatementEffects) => void ofFile.push(ofStatement);
      if (file.transactional) await observeInTransaction(client, trial, add);
      else await observeOutside(client, watcher, trial, add);
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    warnings.push(
      ...withoutPartition(relations, effects.flat()).map(
        (name) => `${name} has no partition in the scratch database: scans and rewrites of its rows do not show.`,
      ),
    );
  }
}

/** Ends the statement that is running, which leaves nothing: the database goes with it. Only the login itself may, not the role that it acts as. */
async function cancellation(client: Client, watcher: Client): Promise<() => void> {
  const pid = await backendPid(client);
  return () => void watcher.query(`set role none; select pg_cancel_backend(${pid})`).catch(() => {});
}

/** A hook's file is named by itself, with the moment that it belongs to. */
function failureOf(error: SqlFileError, tried: string | undefined): PlanFailure {
  return {
    filename: tried !== undefined && error.file.startsWith(tried) ? tried : error.file,
    message: error.message,
    sqlstate: error.sqlstate ?? null,
    line: error.place?.line ?? null,
    column: error.place?.column ?? null,
  };
}
