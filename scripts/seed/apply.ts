import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { requireOwnSession } from "../connection/pooler.ts";
import { detectLostClients, inTransaction } from "../connection/session.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { type LockHolder, withDeploymentLock } from "../ledger/deployment-lock.ts";
import { ensureLedger } from "../ledger/kit-schema.ts";
import { type Provenance, provenance } from "../ledger/provenance.ts";
import { endFileWork, withFile } from "../sql/file-session.ts";
import { refusedStatements } from "../sql/refused.ts";
import { runSql, sqlFileError } from "../sql/run-sql.ts";
import { describePlace } from "../sql/sql-error.ts";
import { captureRows, closeSnapshot, openSnapshot, readRowsAsRecorded } from "./capture.ts";
import { seedInfoOf } from "./info.ts";
import { recordSeed } from "./ledger.ts";
import { readSeedSets, type SeedFile } from "./seed-file.ts";

/** An event that {@link applySeeds} reports. */
export type SeedEvent =
  /** Another deployer holds the deployment lock; reported once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** `index` starts at 1. */
  | { kind: "started"; set: string; filename: string; index: number; total: number }
  | { kind: "applied"; set: string; filename: string; durationMs: number };

/** Options of {@link applySeeds}. */
export interface ApplySeedsOptions {
  connection: Connection;
  /** The database's folder, which contains `seeds/`. */
  folder: string;
  /** The sets to apply, in this order. No set includes another. */
  sets: readonly string[];
  onEvent?: (event: SeedEvent) => void;
  /** Ends the run while it waits and between two files. A file that is already running finishes. */
  signal?: AbortSignal;
  /** UUID of the whole operation. Omit to generate one. */
  runId?: string;
}

/** Result of {@link applySeeds}. */
export interface ApplySeedsResult {
  /** In the order they ran. `durationMs` is measured by this process and includes the commit. */
  applied: { set: string; filename: string; durationMs: number }[];
  /** Files that are already recorded with this content. */
  skipped: { set: string; filename: string }[];
}

const seedAs = "Seed with the migrator role (<database>_migrator).";
const hint = "The file was rolled back. The files before it stay applied. Correct it and run again.";

/**
 * Runs the new and changed files of the named sets. Each file and its record share one transaction. Uses the same lock
 * as migrations.
 *
 * @throws OperationError for errors in the files; SqlFileError for a file that fails; ConnectionError
 */
export async function applySeeds(options: ApplySeedsOptions): Promise<ApplySeedsResult> {
  const { connection, folder, sets, signal } = options;
  const files = await readSeedSets(folder, sets);
  return withClient(
    connection,
    async (client) => {
      const due = await dueFiles(client, files, options);
      if (due.size === 0) return { applied: [], skipped: files.map(({ set, filename }) => ({ set, filename })) };
      await requireOwnSession(client, connection);
      await detectLostClients(client);
      const onWait = (holder: LockHolder) => options.onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(
        client,
        () => withClient(connection, (snapshot) => runDue(client, snapshot, files, options), "pgroundwork seed"),
        onWait,
        signal,
      );
    },
    "pgroundwork seed",
  );
}

async function dueFiles(
  client: Client,
  files: readonly SeedFile[],
  { connection, sets }: ApplySeedsOptions,
): Promise<Set<SeedFile>> {
  const info = await seedInfoOf(client, files, sets);
  if (!info.known) {
    throw new OperationError(`Cannot read which seeds ${describeConnection(connection)} has: ${info.reason}.`, {
      hint: seedAs,
    });
  }
  // The answer lists the files in the given order.
  return new Set(files.filter((_, index) => info.files[index]?.state !== "current"));
}

async function runDue(
  client: Client,
  snapshot: Client,
  files: readonly SeedFile[],
  options: ApplySeedsOptions,
): Promise<ApplySeedsResult> {
  const { onEvent, signal, runId } = options;
  const due = await dueFiles(client, files, options);
  await requireRunnable([...due]);
  const skipped = files.filter((file) => !due.has(file)).map(({ set, filename }) => ({ set, filename }));
  if (due.size > 0) await makeLedger(client, options.connection);
  const origin = provenance(runId);
  const applied: ApplySeedsResult["applied"] = [];
  for (const [index, file] of [...due].entries()) {
    signal?.throwIfAborted();
    const { set, filename } = file;
    onEvent?.({ kind: "started", set, filename, index: index + 1, total: due.size });
    const begun = performance.now();
    await runSeed(client, snapshot, file, origin);
    const durationMs = performance.now() - begun;
    applied.push({ set, filename, durationMs });
    onEvent?.({ kind: "applied", set, filename, durationMs });
  }
  return { applied, skipped };
}

/**
 * Requires that the files contain only what can run in their transaction. Nothing runs before all of them are checked.
 *
 * @throws OperationError (exit code wrong) that lists what cannot
 */
async function requireRunnable(files: readonly SeedFile[]): Promise<void> {
  const faults: string[] = [];
  for (const { set, filename, text } of files) {
    for (const { offset, message, hint } of await refusedStatements(text, { transactional: true }))
      faults.push(`- ${describePlace({ file: `${set}/${filename}`, text }, offset, message)}\n  Hint: ${hint}`);
  }
  if (faults.length === 0) return;
  throw new OperationError(["These seeds cannot run as they are:", ...faults].join("\n"), {
    hint: "Correct them and run again. No seed was run.",
    exitCode: exitCode.wrong,
  });
}

async function makeLedger(client: Client, connection: Connection): Promise<void> {
  try {
    await ensureLedger(client, "seed_ledger");
    await ensureLedger(client, "seed_row");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
    throw new OperationError(`${describeConnection(connection)} cannot record seeds: ${error.message}.`, {
      hint: seedAs,
      cause: error,
    });
  }
}

async function runSeed(client: Client, snapshot: Client, file: SeedFile, origin: Provenance): Promise<void> {
  const name = `${file.set}/${file.filename}`;
  const source = { file: name, text: file.text, start: 0 };
  const failing =
    (where: string) =>
    (error: unknown): never => {
      throw sqlFileError(error, { ...source, file: `${name}, ${where}` }, hint);
    };
  await openSnapshot(snapshot);
  const work = async () => {
    await runSql(client, source, hint);
    // Work that is deferred to the commit can write rows too.
    await endFileWork(client).catch(failing("at its commit"));
    await record(client, snapshot, file, origin).catch(failing("recording it"));
  };
  try {
    await withFile(client, { file: name }, () => inTransaction(client, work, { atCommit: failing("at its commit") }));
  } finally {
    await closeSnapshot(snapshot).catch(() => {});
  }
}

async function record(client: Client, snapshot: Client, file: SeedFile, origin: Provenance): Promise<void> {
  await client.query(readRowsAsRecorded);
  await captureRows(client, snapshot, file);
  await recordSeed(client, file, origin);
}
