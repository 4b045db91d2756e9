import type { Connection } from "../../connection/connection.ts";
import { ConnectionError, type ConnectionFailure } from "../../connection/connection-error.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { NotTried } from "../../scratch/request.ts";
import { type ApplyOptions, applyMigrations, type MigrationEvent } from "../apply.ts";
import { type CommittedMigration, checkedFile, parseCommitted, readCommitted } from "../committed.ts";
import { requireContent } from "../content.ts";
import { checkedDownFile, type DownFile, downFilename, parseDownFile } from "../down-file.ts";
import { bodyHash } from "../graphile-migrate.ts";
import { draftCommit } from "../graphile-migrate-authoring.ts";
import type { TrialOptions } from "../replay.ts";
import { compareMigrations } from "../status.ts";
import { readKnownStatus, requireNoProblems } from "../verify.ts";
import {
  clearDraft,
  type Draft,
  draftDownName,
  draftSource,
  isBlank,
  readDraft,
  removeCommitted,
  writeCommitted,
} from "./draft.ts";
import { keptError, outcomeAfterFailure } from "./failed-commit.ts";
import { type TryOut, tryOut } from "./try-out.ts";

/** Texts that replace those of the draft. */
interface DraftTexts {
  /** Replaces the message in `--! Message:`. */
  message?: string | undefined;
  /** Reason why the migration cannot be reverted; replaces `current.down.sql`. */
  irreversible?: string | undefined;
}

/** Options of {@link commitMigration}. */
export interface CommitOptions extends ApplyOptions, Pick<TrialOptions, "docker" | "onProgress">, DraftTexts {
  folder: string;
}

/** Options of {@link commitFile}. */
export interface CommitFileOptions extends DraftTexts, Omit<TrialOptions, "connection"> {
  /** The database to verify against, or the reason why there is none. */
  database: Connection | { reason: string };
}

/** Result of {@link commitFile}. */
export interface CommittedFile extends Omit<Commit, "applied"> {
  /** Reason why the migration was not tried; null if it passed its trial. */
  notTried: string | null;
}

/** Result of {@link commitMigration}. */
export interface Commit {
  /** The committed file's name. */
  filename: string;
  /** The migrations that were applied to the database, including the new one. */
  applied: string[];
  /** True if an earlier run already wrote the file and this run only did the rest. */
  resumed: boolean;
  /** Differences between the trial and the live server. */
  warnings: string[];
}

/**
 * Commits the migration that is being written, in graphile-migrate's own format, and applies it, as graphile-migrate's
 * `commit` does. Before that, it tries the migration and its down migration in a scratch cluster.
 *
 * @throws OperationError or SqlFileError: the files are then unchanged. If part of the migration may be applied, it
 * stays committed, and the error says so.
 */
export async function commitMigration(options: CommitOptions): Promise<Commit> {
  const { connection, admin, folder, docker, onProgress, signal, message, irreversible } = options;
  const draft = await readDraft(folder);
  const committed = await readCommitted(folder);
  const last = committed.at(-1);
  if (last !== undefined && isCommitted(draft, last)) return resume(options, last);
  requireWritten(draft);
  requireNoProblems((await readKnownStatus(connection, folder)).problems);
  const { filename, files, trial } = await prepare(folder, draft, committed, { message, irreversible });
  const warnings = await tryOut({ ...{ connection, admin, folder, docker, onProgress, signal }, ...trial });
  await writeCommitted(folder, files);
  let isStarted = false;
  const onEvent = (event: MigrationEvent) => {
    if (event.kind === "started" && event.filename === filename) isStarted = true;
    options.onEvent?.(event);
  };
  try {
    const applied = await apply({ ...options, onEvent, draft: { filename, source: draftSource(draft.current) } });
    await clearDraft(folder);
    return { filename, applied, resumed: false, warnings };
  } catch (error) {
    const outcome = isStarted ? await outcomeAfterFailure(connection, trial.migration) : "untouched";
    if (outcome === "untouched") {
      await removeCommitted(folder, Object.keys(files));
      throw error;
    }
    await clearDraft(folder);
    throw keptError(error, filename, outcome);
  }
}

/**
 * Commits the migration that is being written, and does not apply it. If the database cannot be reached, the migration
 * is not tried, and the file is written all the same.
 *
 * @throws OperationError or SqlFileError: the files are then unchanged
 */
export async function commitFile(options: CommitFileOptions): Promise<CommittedFile> {
  const { folder } = options;
  const draft = await readDraft(folder);
  const committed = await readCommitted(folder);
  const last = committed.at(-1);
  if (last !== undefined && isCommitted(draft, last)) {
    await clearDraft(folder);
    return {
      filename: last.filename,
      resumed: true,
      warnings: [],
      notTried: "this run found the file written by an interrupted one",
    };
  }
  requireWritten(draft);
  const { filename, files, trial } = await prepare(folder, draft, committed, options);
  const { warnings, notTried } = await verifyDraft(options, trial);
  await writeCommitted(folder, files);
  await clearDraft(folder);
  return { filename, resumed: false, warnings, notTried };
}

type Trial = Pick<TryOut, "committed" | "migration" | "current" | "downOrigins" | "down">;

/** Compares the committed files with the database and tries the migration, as far as the database can be reached. */
async function verifyDraft(
  { database, ...options }: CommitFileOptions,
  trial: Trial,
): Promise<Pick<CommittedFile, "warnings" | "notTried">> {
  requireNoProblems(compareMigrations(trial.committed, [], []).problems);
  if ("reason" in database) return { warnings: [], notTried: database.reason };
  try {
    requireNoProblems((await readKnownStatus(database, options.folder)).problems);
    return { warnings: await tryOut({ ...options, connection: database, ...trial }), notTried: null };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof NotTried) return { warnings: [], notTried: error.reason };
    if (error instanceof ConnectionError && absentDatabase.includes(error.failure))
      return { warnings: [], notTried: error.message.replace(/\.$/, "") };
    throw error;
  }
}

/** Failures of a connection that say only that the database is not there now. */
const absentDatabase: readonly ConnectionFailure[] = ["unreachable", "starting", "full", "database-missing"];

/** Builds the files of a migration from its draft. */
async function prepare(
  folder: string,
  draft: Draft,
  committed: readonly CommittedMigration[],
  { message, irreversible }: DraftTexts,
): Promise<{ filename: string; files: Record<string, string>; trial: Trial }> {
  const { current } = draft;
  const { filename, text } = await draftCommit(
    current,
    message ?? current.headers.Message ?? undefined,
    committed.at(-1),
  );
  const migration = await parseCommitted(folder, filename, Buffer.from(text));
  const file = downFileOf(draft, filename, irreversible);
  await requireContent([
    { ...checkedFile(migration), source: draftSource(current) },
    {
      ...checkedDownFile(file),
      source: { file: draftDownName, text: file.text, start: 0, origins: draft.downOrigins },
    },
  ]);
  const down = file.irreversible === undefined ? file : undefined;
  return {
    filename,
    files: { [file.filename]: file.text, [filename]: text },
    trial: { committed, migration, current, downOrigins: draft.downOrigins, down },
  };
}

/** @throws OperationError (exit code usage) if the draft has no statement */
function requireWritten({ current }: Draft): void {
  if (!isBlank(current.body)) return;
  throw new OperationError(`${current.path} is empty: there is nothing to commit.`, {
    hint: 'Start a migration with `migrate new "what it does"`.',
    exitCode: exitCode.usage,
  });
}

/** True if an earlier run ended between writing the committed file and emptying the draft. */
function isCommitted({ current }: Draft, last: CommittedMigration): boolean {
  return !isBlank(current.body) && bodyHash(current.body, last.previousHash) === last.hash;
}

async function resume(options: CommitOptions, { filename }: CommittedMigration): Promise<Commit> {
  const applied = await apply(options);
  await clearDraft(options.folder);
  return { filename, applied, resumed: true, warnings: [] };
}

async function apply(options: CommitOptions): Promise<string[]> {
  const { applied } = await applyMigrations(options);
  return applied.map(({ filename }) => filename);
}

function downFileOf({ down }: Draft, filename: string, irreversible: string | undefined): DownFile {
  if (irreversible !== undefined && down !== undefined) {
    throw new OperationError(
      "current.down.sql contains a down migration, but --irreversible says that there is none.",
      {
        exitCode: exitCode.usage,
      },
    );
  }
  const text = irreversible === undefined ? down : `--! Irreversible: ${irreversible}\n`;
  const file = text === undefined ? undefined : parseDownFile(downFilename(filename), Buffer.from(text));
  if (file !== undefined) return file;
  throw new OperationError("The migration has no down migration: current.down.sql is missing or empty.", {
    hint: "Write the SQL that reverts it, or give the reason why it cannot be reverted: --irreversible REASON.",
    exitCode: exitCode.usage,
  });
}
