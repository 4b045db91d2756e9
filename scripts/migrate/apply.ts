import type { Client } from "pg";
import { type LockHolder, withDeploymentLock } from "../database/deployment-lock.ts";
import { ensureLedger, tableAccess } from "../database/kit-schema.ts";
import { requireOwnSession } from "../database/pooler.ts";
import { provenance } from "../database/provenance.ts";
import { backendPid, noticeLostClients } from "../database/session.ts";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { type CommittedMigration, downFileSha256, readCommitted } from "./committed.ts";
import { applySettings, type GraphileSession, openGraphileSession, trackingTable } from "./graphile-migrate.ts";
import { type HookRun, runHooks } from "./hooks.ts";
import { type GaveWay, withLockRetry } from "./lock-retry.ts";
import { type MigrationRun, requireRunnable, runMigration } from "./run-migration.ts";
import { upTo, withoutAllowed } from "./selection.ts";
import { readTimeouts, type Timeouts } from "./timeouts.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

export type MigrationEvent =
  /** Another deployer is at work; said once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** A hook of `.gmrc` begins, or its command said something. */
  | { kind: "hook"; text: string }
  /** `index` from 1. */
  | { kind: "started"; filename: string; index: number; total: number }
  /** It did not get a lock in time, let others pass, and is tried again after a pause. */
  | ({ kind: "gave-way"; filename: string } & GaveWay)
  | { kind: "applied"; filename: string; durationMs: number };

export interface ApplyOptions {
  connection: Connection;
  /** The database's folder, the one that holds `committed/`. */
  folder: string;
  /** Who hooks marked `root` run as. */
  admin?: Connection | undefined;
  /** The last file to apply, by number or name; all when absent. */
  to?: string | undefined;
  /** Names of files whose problem is accepted for this run. */
  allow?: readonly string[] | undefined;
  timeouts?: Timeouts | undefined;
  onEvent?: (event: MigrationEvent) => void;
  /** Ends the run while it waits and between two files; a running file is let finish. */
  signal?: AbortSignal;
  /** UUID of the whole operation; a new one when absent. */
  runId?: string;
}

export interface ApplyResult {
  /** In the order they ran; `durationMs` as seen from here, commit and waiting for locks included. */
  applied: { filename: string; durationMs: number }[];
}

/**
 * Applies a folder's pending migrations in order, each recorded in its own transaction. Waits for whoever else is deploying to this database,
 * then looks again: of several at once one does the work and all succeed. A file that does not get its locks soon gives way and is tried again.
 * @throws OperationError for problems with what is applied (nothing is run then), and when a lock could not be had in time; SqlFileError for a
 * file that fails (the files before it stay applied); ConnectionError.
 */
export async function applyMigrations(options: ApplyOptions): Promise<ApplyResult> {
  const { connection, folder, signal } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      // Nothing pending needs no lock: what is recorded is committed.
      if ((await pendingFiles(client, files, options)).length === 0) return { applied: [] };
      await requireOwnSession(client, connection);
      const session = await openGraphileSession(folder, connection);
      await noticeLostClients(client);
      const onWait = (holder: LockHolder) => options.onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(client, () => runPending(client, files, session, options), onWait, signal);
    },
    "pgroundwork migrate",
    { pipeline: true },
  );
}

async function pendingFiles(
  client: Client,
  files: readonly CommittedMigration[],
  { connection, to, allow = [] }: ApplyOptions,
): Promise<CommittedMigration[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const { problems, pending } = withoutAllowed(status, allow, files);
  requireNoProblems(problems);
  const names = new Set(pending);
  return upTo(
    files.filter((file) => names.has(file.filename)),
    files,
    to,
  );
}

async function runPending(
  client: Client,
  files: readonly CommittedMigration[],
  session: GraphileSession,
  options: ApplyOptions,
): Promise<ApplyResult> {
  const pending = await pendingFiles(client, files, options);
  if (pending.length === 0) return { applied: [] };
  const { connection, folder, admin, onEvent } = options;
  requireRunnable(pending);
  const timeouts = await readTimeouts(client, options.timeouts);
  await prepareTables(client, session, connection);
  const onOutput = (text: string) => onEvent?.({ kind: "hook", text });
  const hooks: HookRun = { session, folder, connection, admin, shadow: false, onOutput };
  await runHooks("beforeAllMigrations", hooks);
  const lockTimeoutAsked = options.timeouts?.lockTimeout !== undefined;
  const applied = await runFiles(client, pending, { compile: session.compile, timeouts, lockTimeoutAsked }, options);
  await runHooks("afterAllMigrations", hooks);
  return { applied };
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
    const onGaveWay = (gaveWay: GaveWay) => onEvent?.({ kind: "gave-way", filename, ...gaveWay });
    const retry = { pid, connection, timeouts: run.timeouts, onGaveWay, signal };
    await withLockRetry(retry, () => runMigration(client, subject, run));
    const durationMs = performance.now() - begun;
    applied.push({ filename, durationMs });
    onEvent?.({ kind: "applied", filename, durationMs });
  }
  return applied;
}

/**
 * Makes graphile-migrate's tables and the ledger where they are absent, and sets what `.gmrc` wants set; call with the deployment lock.
 * @throws OperationError for a role that may not
 */
export async function prepareTables(client: Client, session: GraphileSession, connection: Connection): Promise<void> {
  try {
    // Only where absent: CREATE … IF NOT EXISTS wants the privilege to create all the same.
    if ((await tableAccess(client, trackingTable.schema, trackingTable.name)) === "absent")
      await session.ensureTracking(client);
    await ensureLedger(client, "migration_ledger");
  } catch (error) {
    throwDenied(error, client, connection);
  }
  await applySettings(client, session);
}

/**
 * Makes the tables that record migrations, and nothing else; where they are there, nothing.
 * @returns whether anything was made
 */
export async function initialiseTracking(options: Pick<ApplyOptions, "connection" | "folder" | "signal">) {
  const { connection, folder, signal } = options;
  return withClient(
    connection,
    async (client) => {
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
    },
    "pgroundwork migrate",
  );
}

/** A role without the right to migrate fails at the tables that record it, which no file has to do with. */
function throwDenied(error: unknown, client: Client, connection: Connection): never {
  if (!(error instanceof Error && "code" in error && error.code === "42501")) throw error;
  throw new OperationError(`${describeConnection(connection)} may not record migrations: ${error.message}.`, {
    remedy: `Migrate as the role that migrates (<database>_migrator).${handOver(error.message, client, connection)}`,
    cause: error,
  });
}

/** The schema may be one that somebody else made, and then the role is not to blame. */
function handOver(denial: string, client: Client, { database }: Connection): string {
  const [, schema] = /permission denied for schema (graphile_migrate|pgroundwork)$/.exec(denial) ?? [];
  if (schema === undefined) return "";
  const owner = client.escapeIdentifier(`${database}_owner`);
  return ` Where that is the one, the schema is another role's. To hand it over, as a superuser in this database: ALTER SCHEMA ${schema} OWNER TO ${owner};`;
}
