import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { inTransaction } from "../connection/session.ts";
import { unlessAbsent } from "../core/absent.ts";
import type { ScratchDocker } from "../scratch/request.ts";
import { NotTried } from "../scratch/request.ts";
import { type ScratchDatabase, withScratchDatabase } from "../scratch/scratch-database.ts";
import { endFileWork, withFile } from "../sql/file-session.ts";
import { runSql, SqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import type { CommittedMigration } from "./committed.ts";
import { type GraphileSession, openGraphileSession } from "./graphile-migrate.ts";
import { type HookRun, runHooks } from "./hooks.ts";
import { deferredFault, recordFault } from "./record-fault.ts";

/** Hint for a file that failed in a scratch cluster. */
export const triedHint = "This was a trial in a scratch cluster, which is deleted. No other database was changed.";

/** Subject of a trial, and the means to run it. */
export interface TrialOptions {
  /** The live database. It is only read. */
  connection: Connection;
  /** Login that hooks marked `root` run as there. A trial uses only its name. */
  admin?: Connection | undefined;
  /** The database's folder, which contains `committed/`. */
  folder: string;
  /** The Docker engine to use if the embedded binaries lack an extension. Omit to use only the embedded binaries. */
  docker?: ScratchDocker | undefined;
  /** Reports progress in words. */
  onProgress?: ((text: string) => void) | undefined;
  /** Ends the run and cancels a running statement. */
  signal?: AbortSignal | undefined;
}

/** A scratch database in which files run. */
export interface Replay {
  scratch: ScratchDatabase;
  session: GraphileSession;
  hooks: HookRun;
  /** Hooks that were skipped because they run commands. */
  skippedHooks: string[];
}

/**
 * Creates a scratch database for a folder's files. Its session settings and placeholders are those of the live
 * database, and it has the same name.
 *
 * @param applied files that are replayed
 * @param pending files that are tried after them
 * @throws NotTried if no scratch cluster can provide what they need
 */
export async function withReplay<T>(
  { connection, admin, folder, docker, onProgress, signal }: TrialOptions,
  applied: readonly CommittedMigration[],
  pending: readonly CommittedMigration[],
  use: (replay: Replay) => Promise<T>,
): Promise<T> {
  const session = await openGraphileSession(folder, connection);
  const body = ({ text, bodyStart }: CommittedMigration) => session.compile(text.slice(bodyStart));
  const options = {
    connection,
    folder,
    rootUser: admin?.user,
    applied: [...(await hookTexts(session, folder)), ...applied.map(body)],
    pending: pending.map(body),
    docker,
    onProgress,
    signal,
  };
  return withScratchDatabase(options, async (scratch) => {
    const skippedHooks: string[] = [];
    const onSkipped = (hook: string) => void (skippedHooks.includes(hook) || skippedHooks.push(hook));
    const hooks = { session, folder, connection: scratch.connection, admin: scratch.asRoot, shadow: true, onSkipped };
    return use({ scratch, session, hooks, skippedHooks });
  });
}

async function hookTexts({ hooks, compile }: GraphileSession, folder: string): Promise<string[]> {
  const files = Object.values(hooks).flatMap((each) => each.flatMap((hook) => (hook._ === "sql" ? [hook.file] : [])));
  const texts = await Promise.all(files.map((file) => unlessAbsent(readFile(path.join(folder, file), "utf8"))));
  return texts.flatMap((text) => (text === undefined ? [] : [compile(text)]));
}

/**
 * Runs committed files in order in a new scratch database. The hooks of `.gmrc` for such a database run as in a new
 * environment (`afterReset` first). The files are recorded only in graphile-migrate's own table, which hooks and views
 * may read.
 *
 * @throws SqlFileError for the file that fails; NotTried if its failure says nothing about the file
 */
export async function replay(run: Replay, files: readonly CommittedMigration[]): Promise<void> {
  await prepareScratch(run);
  await runScratchHooks(run, "beforeAllMigrations");
  await replayFiles(run, files);
  await runScratchHooks(run, "afterAllMigrations");
}

/** Creates graphile-migrate's own table in an empty scratch database, and runs the hooks before and after that. */
export async function prepareScratch(run: Replay): Promise<void> {
  await runScratchHooks(run, "beforeReset");
  await withClient(run.scratch.connection, (client) => run.session.ensureTracking(client), "pgroundwork scratch");
  await runScratchHooks(run, "afterReset");
}

/**
 * Runs the SQL hooks of one moment.
 *
 * @throws SqlFileError for the file that fails; NotTried if its failure says nothing about the file
 */
export async function runScratchHooks(run: Replay, name: Parameters<typeof runHooks>[0]): Promise<void> {
  await withSupplies(run, () => runHooks(name, run.hooks));
}

/**
 * Runs committed files, without the hooks that surround them.
 *
 * @throws SqlFileError for the file that fails; NotTried if its failure says nothing about the file
 */
export async function replayFiles(run: Replay, files: readonly CommittedMigration[]): Promise<void> {
  await withClient(
    run.scratch.connection,
    async (client) => {
      for (const file of files) await withSupplies(run, () => replayFile(client, file, run.session));
    },
    "pgroundwork scratch",
  );
}

/**
 * Runs work, and repeats it as long as a missing object can be supplied: one that the live server has outside the
 * database's files.
 */
async function withSupplies<T>(run: Replay, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SqlFileError && (await run.scratch.supply(error.cause))) continue;
      throw judged(run, error);
    }
  }
}

/** Returns a file's failure, or the reason why it says nothing about the file. */
export function judged({ scratch, skippedHooks }: Replay, error: unknown): unknown {
  if (!(error instanceof SqlFileError)) return error;
  const reason =
    scratch.limitation(error.cause, error.file.includes(" (hook ")) ??
    (skippedHooks.length === 0
      ? undefined
      : `it fails without ${skippedHooks.length === 1 ? "a hook" : "hooks"} of .gmrc that run only in \`up\` (${skippedHooks.join("; ")})`);
  return reason === undefined ? error : new NotTried(`${error.file}: ${reason}`, { hint: error.message, cause: error });
}

/**
 * Runs one committed file and records it in graphile-migrate's table.
 *
 * @param place location of its body in messages, if it differs from the file itself
 */
export async function replayFile(
  client: Client,
  file: CommittedMigration,
  session: GraphileSession,
  place: Pick<SqlSource, "file" | "text" | "start" | "origins"> = {
    file: file.filename,
    text: file.text,
    start: file.bodyStart,
  },
): Promise<void> {
  const record = () =>
    client.query("insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($1, $2, $3)", [
      file.hash,
      file.previousHash,
      file.trackingName,
    ]);
  await runAndRecord(client, { ...place, compile: session.compile }, session, file, triedHint, record);
}

/**
 * Runs a file's SQL and changes its record: in one transaction, or one after the other if the file cannot run in a
 * transaction.
 *
 * @throws SqlFileError
 */
export async function runAndRecord(
  client: Client,
  source: SqlSource,
  { pgSettings: settings }: Pick<GraphileSession, "pgSettings">,
  { transactional }: { transactional: boolean },
  hint: string,
  record: () => Promise<unknown>,
): Promise<void> {
  const run = () => runSql(client, source, hint);
  const recordIt = () =>
    record().catch((error: unknown) => {
      throw recordFault(error, source, hint);
    });
  const inOne = async () => {
    await run();
    await endFileWork(client).catch(async (error: unknown) => {
      throw await deferredFault(error, source, hint);
    });
    await recordIt();
  };
  await withFile(client, { file: source.file, settings }, () => (transactional ? inTransaction(client, inOne) : run()));
  if (!transactional) await recordIt();
}
