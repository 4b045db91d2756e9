import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import { backendPid } from "../../connection/session.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { PartitionSpec } from "../../databases/database-file.ts";
import { NotTried } from "../../scratch/request.ts";
import { SqlFileError } from "../../sql/run-sql.ts";
import type { CommittedMigration } from "../committed.ts";
import {
  judged,
  prepareScratch,
  type Replay,
  replayFiles,
  runScratchHooks,
  type TrialOptions,
  withReplay,
} from "../replay.ts";
import { driftFrom, type TriedOn, triedOn } from "../schema-drift.ts";
import type { StatementEffects } from "./effects.ts";
import { observeInTransaction, type Trial } from "./observe.ts";
import { observeOutside } from "./observe-outside.ts";
import { countsScans, readRelations } from "./relations.ts";
import { makePartitions, withoutPartition } from "./scratch-partitions.ts";
import { statementsOf } from "./statements.ts";

/** The failure of a pending file or of a hook around it. */
export interface PlanFailure {
  filename: string;
  /** Message with file, line, caret, SQLSTATE and hint. */
  message: string;
  sqlstate: string | null;
  /** Line in the file, starting at 1; null if the server gave none. */
  line: number | null;
  column: number | null;
}

/** Options of {@link tryFiles}. */
export interface FileTrialOptions extends TrialOptions {
  /** Partitions that the database maintains. Without them, changes to the rows of a partitioned table do not show. */
  partitions?: PartitionSpec | undefined;
}

/** Result of {@link tryFiles}. */
export interface TrialResult {
  /** Effects of the statements that ran, for each file that was started, in order. */
  effects: StatementEffects[][];
  /** null if no file failed. */
  failure: PlanFailure | null;
  /** Number of files that ran to their end. */
  passed: number;
  /** Reason why the files after those were not tried; null if there are none, or if one failed. */
  notTried: string | null;
  /** null if there was no scratch cluster. */
  triedOn: TriedOn | null;
  /** Limits of the trial: what it could not show. */
  warnings: string[];
}

/**
 * Runs pending files in a scratch cluster, after the applied ones, and observes the effects of each statement.
 *
 * @throws SqlFileError for an applied file that does not run there
 */
export async function tryFiles(
  applied: readonly CommittedMigration[],
  pending: readonly CommittedMigration[],
  options: FileTrialOptions,
): Promise<TrialResult> {
  const empty = (): TrialResult => {
    return { effects: [], failure: null, passed: 0, notTried: null, triedOn: null, warnings: [] };
  };
  let result = empty();
  try {
    await withReplay(options, applied, pending, async (run) => {
      // If a container replaces the embedded binaries, the trial starts again.
      result = empty();
      await tryAll(run, applied, pending, options, result);
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof NotTried)) throw error;
    result.notTried = error.reason;
  }
  return result;
}

async function tryAll(
  run: Replay,
  applied: readonly CommittedMigration[],
  pending: readonly CommittedMigration[],
  options: FileTrialOptions,
  result: TrialResult,
): Promise<void> {
  const { scratch } = run;
  const { connection, onProgress } = options;
  result.triedOn = triedOn(scratch);
  onProgress?.(
    `preparing a scratch cluster like ${connection.database}: ${applied.length} applied ${applied.length === 1 ? "migration" : "migrations"}`,
  );
  await prepareScratch(run);
  if (applied.length > 0) result.warnings.push(...(await repeatApplied(run, applied)));
  result.warnings.push(...(await driftWarnings(run, options)));
  await scratch.catchUp();
  result.warnings.push(...scratch.warnings);
  try {
    await runScratchHooks(run, "beforeAllMigrations");
    const use = (client: Client) =>
      withClient(scratch.connection, (watcher) => runTrials({ client, watcher }, pending, run, options, result));
    await withClient(scratch.connection, use, "pgroundwork scratch");
    await runScratchHooks(run, "afterAllMigrations");
  } catch (caught) {
    options.signal?.throwIfAborted();
    const error = judged(run, caught);
    if (!(error instanceof SqlFileError)) throw error;
    const filename = pending[result.effects.length - 1]?.filename;
    result.failure = failureOf(error, filename);
  } finally {
    result.warnings.push(
      ...run.skippedHooks.map((hook) => `Tried without the hook ${hook}, because it runs a command.`),
    );
  }
}

/** Warns if the live database was changed by hand: the scratch cluster lacks these changes. */
async function driftWarnings(run: Replay, options: FileTrialOptions): Promise<string[]> {
  const { differences } = await driftFrom(run, options);
  const warnings: string[] = [];
  if (differences.length > 0) {
    const [first] = differences;
    const count = differences.length === 1 ? "1 object" : `${differences.length} objects`;
    warnings.push(
      `The live schema differs in ${count} from the schema of the applied files (${first?.what} ${first?.kind} ${first?.name}${differences.length > 1 ? ", …" : ""}). The trial used the schema of the files: see \`migrate verify --schema\`.`,
    );
  }
  return warnings;
}

/**
 * Runs the applied files with their hooks. The hooks after them are today's, and may need objects that the pending
 * files create.
 *
 * @returns warnings
 */
async function repeatApplied(run: Replay, applied: readonly CommittedMigration[]): Promise<string[]> {
  await runScratchHooks(run, "beforeAllMigrations");
  await replayFiles(run, applied);
  try {
    await runScratchHooks(run, "afterAllMigrations");
    return [];
  } catch (error) {
    if (!(error instanceof OperationError) || error instanceof NotTried) throw error;
    return [`A hook fails after the applied files, before the pending ones: ${error.message}`];
  }
}

async function runTrials(
  { client, watcher }: { client: Client; watcher: Client },
  pending: readonly CommittedMigration[],
  { session }: Replay,
  { partitions, onProgress, signal }: FileTrialOptions,
  result: TrialResult,
): Promise<void> {
  const { effects, warnings } = result;
  if (partitions !== undefined) await makePartitions(client, partitions);
  if (!(await countsScans(client)))
    warnings.push("The server does not count scans (track_counts is off), so none are shown.");
  const relations = await readRelations(client);
  const cancel = await cancellation(client, watcher);
  signal?.addEventListener("abort", cancel);
  try {
    for (const file of pending) {
      signal?.throwIfAborted();
      onProgress?.(`trying ${file.filename}`);
      const ofFile: StatementEffects[] = [];
      effects.push(ofFile);
      const { compile, pgSettings: settings } = session;
      const trial: Trial = { file, statements: statementsOf(file), compile, settings, relations };
      const add = (ofStatement: StatementEffects) => void ofFile.push(ofStatement);
      if (file.transactional) await observeInTransaction(client, trial, add);
      else await observeOutside(client, watcher, trial, add);
      result.passed++;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    warnings.push(
      ...withoutPartition(relations, effects.flat()).map(
        (name) => `${name} has no partitions in the scratch cluster, so scans and rewrites of its rows are not shown.`,
      ),
    );
  }
}

/**
 * Returns a function that cancels the running statement. This leaves nothing behind, because the database is removed
 * anyway. Only the login itself may cancel, not the role that it acts as.
 */
async function cancellation(client: Client, watcher: Client): Promise<() => void> {
  const pid = await backendPid(client);
  return () => void watcher.query(`set role none; select pg_cancel_backend(${pid})`).catch(() => {});
}

/** Builds the failure of a file. For a hook, `filename` is the hook's file with the hook's moment. */
function failureOf(error: SqlFileError, tried: string | undefined): PlanFailure {
  return {
    filename: tried !== undefined && error.file.startsWith(tried) ? tried : error.file,
    message: error.message,
    sqlstate: error.sqlstate ?? null,
    line: error.place?.line ?? null,
    column: error.place?.column ?? null,
  };
}
