import type { Client } from "pg";
import { type LockHolder, withDeploymentLock } from "../database/deployment-lock.ts";
import { ensureLedger, tableAccess } from "../database/kit-schema.ts";
import { provenance } from "../database/provenance.ts";
import { noticeLostClients } from "../database/session.ts";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { type CommittedMigration, downFileSha256, readCommitted } from "./committed.ts";
import { type GraphileSession, openGraphileSession, trackingTable } from "./graphile-migrate.ts";
import { requireRunnable, runMigration } from "./run-migration.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

export type MigrationEvent =
  /** Another deployer is at work; said once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** `.gmrc` names hooks; the kit runs none. */
  | { kind: "hooks-not-run"; hooks: readonly string[] }
  /** `index` from 1. */
  | { kind: "started"; filename: string; index: number; total: number }
  | { kind: "applied"; filename: string; durationMs: number };

export interface ApplyOptions {
  connection: Connection;
  /** The database's folder, the one that holds `committed/`. */
  folder: string;
  onEvent?: (event: MigrationEvent) => void;
  /** Ends the run while it waits and between two files; a running file is let finish. */
  signal?: AbortSignal;
  /** UUID of the whole operation; a new one when absent. */
  runId?: string;
}

export interface ApplyResult {
  /** In the order they ran; `durationMs` as seen from here, commit included. */
  applied: { filename: string; durationMs: number }[];
}

/**
 * Applies a folder's pending migrations in order, each recorded in its own transaction. Waits for whoever else is deploying to this database,
 * then looks again: of several at once one does the work and all succeed.
 * @throws OperationError for problems with what is applied (nothing is run then); SqlFileError for a file that fails (the
 * files before it stay applied); ConnectionError.
 */
export async function applyMigrations(options: ApplyOptions): Promise<ApplyResult> {
  const { connection, folder, signal } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      // Nothing pending needs no lock: what is recorded is committed.
      if ((await pendingFiles(client, connection, files)).length === 0) return { applied: [] };
      const session = await openGraphileSession(folder, connection);
      await noticeLostClients(client);
      const onWait = (holder: LockHolder) => options.onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(client, () => runPending(client, files, session, options), onWait, signal);
    },
    "pgroundwork migrate",
  );
}

async function pendingFiles(
  client: Client,
  connection: Connection,
  files: readonly CommittedMigration[],
): Promise<CommittedMigration[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  requireNoProblems(status.problems);
  const names = new Set(status.pending.map((pending) => pending.filename));
  return files.filter((file) => names.has(file.filename));
}

async function runPending(
  client: Client,
  files: readonly CommittedMigration[],
  session: GraphileSession,
  { connection, folder, onEvent, signal, runId }: ApplyOptions,
): Promise<ApplyResult> {
  const pending = await pendingFiles(client, connection, files);
  requireRunnable(pending);
  if (pending.length > 0) await prepare(client, session).catch((error: unknown) => throwDenied(error, connection));
  if (pending.length > 0 && session.hooks.length > 0) onEvent?.({ kind: "hooks-not-run", hooks: session.hooks });
  const origin = provenance(runId);
  const applied: ApplyResult["applied"] = [];
  for (const [index, migration] of pending.entries()) {
    signal?.throwIfAborted();
    const { filename } = migration;
    onEvent?.({ kind: "started", filename, index: index + 1, total: pending.length });
    const downSha256 = await downFileSha256(folder, filename);
    const begun = performance.now();
    await runMigration(client, { migration, downSha256, provenance: origin }, session.compile);
    const durationMs = performance.now() - begun;
    applied.push({ filename, durationMs });
    onEvent?.({ kind: "applied", filename, durationMs });
  }
  return { applied };
}

async function prepare(client: Client, session: GraphileSession): Promise<void> {
  // Only where absent: CREATE … IF NOT EXISTS wants the privilege to create all the same.
  if ((await tableAccess(client, trackingTable.schema, trackingTable.name)) === "absent")
    await session.ensureTracking(client);
  await ensureLedger(client, "migration_ledger");
  for (const [name, value] of Object.entries(session.pgSettings)) {
    await client.query("select pg_catalog.set_config($1::text, $2::text, false)", [name, String(value)]);
  }
}

/** A role without the right to migrate fails at the tables that record it, which no file has to do with. */
function throwDenied(error: unknown, connection: Connection): never {
  if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
  throw new OperationError(`${describeConnection(connection)} may not record migrations: ${error.message}.`, {
    remedy: "Migrate as the role that migrates (<database>_migrator).",
    cause: error,
  });
}
