import type { Client } from "pg";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { requireOwnSession } from "../connection/pooler.ts";
import { backendPid, detectLostClients } from "../connection/session.ts";
import { OperationError } from "../core/operation-error.ts";
import { type LockHolder, withDeploymentLock } from "../ledger/deployment-lock.ts";
import { ensureLedger, tableAccess } from "../ledger/kit-schema.ts";
import { provenance } from "../ledger/provenance.ts";
import { beginAfterReset, runAfterReset } from "./after-reset.ts";
import { type CommittedMigration, downFileSha256 } from "./committed.ts";
import { applySettings, type GraphileSession, openGraphileSession, trackingTable } from "./graphile-migrate.ts";
import { type HookRun, runHooks } from "./hooks.ts";
import { recordAcceptedEdit } from "./ledger.ts";
import { type LockTimeout, withLockRetry } from "./lock-retry.ts";
import { type MigrationRun, requireRunnable, runMigration } from "./run-migration.ts";
import { readTimeouts } from "./timeouts.ts";
import { type ApplyOptions, type ApplyResult, findWork } from "./work.ts";

/**
 * Waits for the deployment lock, then applies what is still pending.
 *
 * @throws the errors of `applyMigrations`
 */
export async function deployPending(
  client: Client,
  files: readonly CommittedMigration[],
  options: ApplyOptions,
): Promise<ApplyResult> {
  const { connection, folder, signal } = options;
  await requireOwnSession(client, connection);
  const session = await openGraphileSession(folder, connection);
  await detectLostClients(client);
  const onWait = (holder: LockHolder) => options.onEvent?.({ kind: "waiting", holder });
  return withDeploymentLock(client, () => runPending(client, files, session, options), onWait, signal);
}

async function runPending(
  client: Client,
  files: readonly CommittedMigration[],
  session: GraphileSession,
  options: ApplyOptions,
): Promise<ApplyResult> {
  const { pending, edits } = await findWork(client, files, options);
  if (edits.length > 0) await recordEdits(client, edits, options);
  if (pending.length === 0) return { applied: [] };
  const { connection, folder, admin, onEvent } = options;
  requireRunnable(pending);
  const timeouts = await readTimeouts(client, options.timeouts);
  const onOutput = (text: string) => onEvent?.({ kind: "hook", text });
  const hooks: HookRun = { session, folder, connection, admin, shadow: false, onOutput };
  const isReset = await beginAfterReset(client, hooks).catch((error: unknown) =>
    throwDenied(error, client, connection),
  );
  await prepareTables(client, session, connection);
  if (isReset) await runAfterReset(client, hooks);
  await runHooks("beforeAllMigrations", hooks);
  const lockTimeoutAsked = options.timeouts?.lockTimeout !== undefined;
  const applied = await runFiles(
    client,
    pending,
    { compile: session.compile, settings: session.pgSettings, timeouts, lockTimeoutAsked, draft: options.draft },
    options,
  );
  await runHooks("afterAllMigrations", hooks);
  return { applied };
}

async function recordEdits(
  client: Client,
  edits: readonly CommittedMigration[],
  { connection, folder, onEvent, runId }: ApplyOptions,
): Promise<void> {
  try {
    await ensureLedger(client, "migration_ledger");
    for (const migration of edits) {
      const downSha256 = downFileSha256(folder, migration.filename);
      await recordAcceptedEdit(client, { migration, downSha256, provenance: provenance(runId) });
      onEvent?.({ kind: "edit-recorded", filename: migration.filename });
    }
  } catch (error) {
    throwDenied(error, client, connection);
  }
}

async function runFiles(
  client: Client,
  pending: readonly CommittedMigration[],
  run: MigrationRun,
  { connection, folder, onEvent, signal, runId }: ApplyOptions,
): Promise<ApplyResult["applied"]> {
  const origin = provenance(runId);
  const pid = await backendPid(client);
  const applied: ApplyResult["applied"] = [];
  for (const [index, migration] of pending.entries()) {
    signal?.throwIfAborted();
    const { filename } = migration;
    onEvent?.({ kind: "started", filename, index: index + 1, total: pending.length });
    const subject = { migration, downSha256: downFileSha256(folder, filename), provenance: origin };
    const begun = performance.now();
    const onLockTimeout = (timedOut: LockTimeout) => onEvent?.({ kind: "lock-timeout", filename, ...timedOut });
    const retry = { pid, connection, timeouts: run.timeouts, onLockTimeout, signal };
    await withLockRetry(retry, () => runMigration(client, subject, run));
    const durationMs = performance.now() - begun;
    applied.push({ filename, durationMs });
    onEvent?.({ kind: "applied", filename, durationMs });
  }
  return applied;
}

/**
 * Creates graphile-migrate's tables and the ledger if they do not exist, and applies the session settings of `.gmrc`.
 * Call it with the deployment lock.
 *
 * @throws OperationError if the role lacks the privilege
 */
export async function prepareTables(client: Client, session: GraphileSession, connection: Connection): Promise<void> {
  try {
    // Create them only if absent: CREATE … IF NOT EXISTS requires the CREATE privilege even if the table exists.
    if ((await tableAccess(client, trackingTable.schema, trackingTable.name)) === "absent")
      await session.ensureTracking(client);
    await ensureLedger(client, "migration_ledger");
  } catch (error) {
    throwDenied(error, client, connection);
  }
  await applySettings(client, session);
}

/**
 * Creates the tables that record migrations on an open connection; see `initialiseTracking`.
 *
 * @returns true if anything was created
 */
export async function createTracking(
  client: Client,
  { connection, folder, signal }: Pick<ApplyOptions, "connection" | "folder" | "signal">,
): Promise<boolean> {
  const there = async () =>
    (await tableAccess(client, trackingTable.schema, trackingTable.name)) !== "absent" &&
    (await tableAccess(client, "pgroundwork", "migration_ledger")) !== "absent";
  if (await there()) return false;
  await requireOwnSession(client, connection);
  const session = await openGraphileSession(folder, connection);
  await withDeploymentLock(
    client,
    () => prepareTables(client, session, connection),
    () => undefined,
    signal,
  );
  return true;
}

/** Reports a role that may not migrate. It fails at the tables that record migrations, so no file is to blame. */
function throwDenied(error: unknown, client: Client, connection: Connection): never {
  if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
  throw new OperationError(`${describeConnection(connection)} cannot record migrations: ${error.message}.`, {
    hint: `Migrate with the migrator role (<database>_migrator).${handOver(error.message, client, connection)}`,
    cause: error,
  });
}

/** Returns a further hint if another role created the schema, in which case the migrating role is not at fault. */
function handOver(denial: string, client: Client, { database }: Connection): string {
  const [, schema] = /permission denied for schema (graphile_migrate|pgroundwork)$/.exec(denial) ?? [];
  if (schema === undefined) return "";
  const owner = client.escapeIdentifier(`${database}_owner`);
  return ` If it already is, another role owns the schema. To change the owner, run as a superuser in this database: ALTER SCHEMA ${schema} OWNER TO ${owner};`;
}
