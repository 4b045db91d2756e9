import type { Client } from "pg";
import { type LockHolder, withDeploymentLock } from "../database/deployment-lock.ts";
import { ensureLedger } from "../database/kit-schema.ts";
import { type Provenance, provenance } from "../database/provenance.ts";
import { inTransaction, noticeLostClients } from "../database/session.ts";
import { OperationError } from "../errors/operation-error.ts";
import { runSql, sqlFileError } from "../sql/run-sql.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { captureRows, holdView, releaseView } from "./capture.ts";
import { seedInfoOf } from "./info.ts";
import { recordSeed } from "./ledger.ts";
import { readSeedSets, type SeedFile } from "./seed-file.ts";

export type SeedEvent =
  /** Another deployer is at work; said once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** `index` from 1. */
  | { kind: "started"; set: string; filename: string; index: number; total: number }
  | { kind: "applied"; set: string; filename: string; durationMs: number };

export interface ApplySeedsOptions {
  connection: Connection;
  /** The database's folder, the one that holds `seeds/`. */
  folder: string;
  /** Just these sets, in this order; none implies another. */
  sets: readonly string[];
  onEvent?: (event: SeedEvent) => void;
  /** Ends the run while it waits and between two files; a running file is let finish. */
  signal?: AbortSignal;
  /** UUID of the whole operation; a new one when absent. */
  runId?: string;
}

export interface ApplySeedsResult {
  /** In the order they ran; `durationMs` as seen from here, commit included. */
  applied: { set: string; filename: string; durationMs: number }[];
  /** Recorded with this content already. */
  skipped: { set: string; filename: string }[];
}

const seedAs = "Seed as the role that migrates (<database>_migrator).";
const remedy = "The file left nothing, and the files before it stay applied; correct it and run again.";

/**
 * Runs the files of the named sets that are new or changed, each with its record in one transaction, by the same lock as migrations.
 * @throws OperationError for faults of the files; SqlFileError for a file that fails; ConnectionError.
 */
export async function applySeeds(options: ApplySeedsOptions): Promise<ApplySeedsResult> {
  const { connection, folder, sets, signal } = options;
  const files = await readSeedSets(folder, sets);
  return withClient(
    connection,
    async (client) => {
      const due = await dueFiles(client, files, options);
      if (due.size === 0) return { applied: [], skipped: files.map(({ set, filename }) => ({ set, filename })) };
      await noticeLostClients(client);
      const onWait = (holder: LockHolder) => options.onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(
        client,
        () => withClient(connection, (witness) => runDue(client, witness, files, options), "pgroundwork seed"),
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
    throw new OperationError(`Could not tell which seeds ${describeConnection(connection)} has: ${info.reason}.`, {
      remedy: seedAs,
    });
  }
  // The answer holds the files in the order given.
  return new Set(files.filter((_, index) => info.files[index]?.state !== "current"));
}

async function runDue(
  client: Client,
  witness: Client,
  files: readonly SeedFile[],
  options: ApplySeedsOptions,
): Promise<ApplySeedsResult> {
  const { onEvent, signal, runId } = options;
  const due = await dueFiles(client, files, options);
  const skipped = files.filter((file) => !due.has(file)).map(({ set, filename }) => ({ set, filename }));
  if (due.size > 0) await makeLedger(client, options.connection);
  const origin = provenance(runId);
  const applied: ApplySeedsResult["applied"] = [];
  for (const [index, file] of [...due].entries()) {
    signal?.throwIfAborted();
    const { set, filename } = file;
    onEvent?.({ kind: "started", set, filename, index: index + 1, total: due.size });
    const begun = performance.now();
    await runSeed(client, witness, file, origin);
    const durationMs = performance.now() - begun;
    applied.push({ set, filename, durationMs });
    onEvent?.({ kind: "applied", set, filename, durationMs });
  }
  return { applied, skipped };
}

async function makeLedger(client: Client, connection: Connection): Promise<void> {
  try {
    await ensureLedger(client, "seed_ledger");
    await ensureLedger(client, "seed_row");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
    throw new OperationError(`${describeConnection(connection)} may not record seeds: ${error.message}.`, {
      remedy: seedAs,
      cause: error,
    });
  }
}

async function runSeed(client: Client, witness: Client, file: SeedFile, origin: Provenance): Promise<void> {
  const name = `${file.set}/${file.filename}`;
  const source = { file: name, text: file.text, start: 0 };
  const failing =
    (where: string) =>
    (error: unknown): never => {
      throw sqlFileError(error, { ...source, file: `${name}, ${where}` }, remedy);
    };
  // What a file before set on the session must not matter, since that file may have been skipped.
  await client.query("reset all; reset role");
  await noticeLostClients(client);
  await holdView(witness);
  const work = async () => {
    await runSql(client, source, remedy);
    // What is deferred to the commit may write rows, too.
    await client.query("set constraints all immediate").catch(failing("at its commit"));
    await record(client, witness, file, origin).catch(failing("recording it"));
  };
  try {
    await inTransaction(client, work, { atCommit: failing("at its commit") });
  } finally {
    await releaseView(witness).catch(() => {});
  }
}

async function record(client: Client, witness: Client, file: SeedFile, origin: Provenance): Promise<void> {
  // The file may have left another role, or a search path that hides what names mean.
  await client.query("reset role; set local search_path = pg_catalog, pg_temp");
  await captureRows(client, witness, file);
  await recordSeed(client, file, origin);
}
