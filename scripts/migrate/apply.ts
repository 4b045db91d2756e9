import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { requireOwnSession } from "../connection/pooler.ts";
import { backendPid, detectLostClients } from "../connection/session.ts";
import type { FileSource } from "../core/file-source.ts";
import { OperationError } from "../core/operation-error.ts";
import { type LockHolder, withDeploymentLock } from "../ledger/deployment-lock.ts";
import { ensureLedger, tableAccess } from "../ledger/kit-schema.ts";
import { provenance } from "../ledger/provenance.ts";
import { beginAfterReset, runAfterReset } from "./after-reset.ts";
import { type CommittedMigration, downFileSha256, readCommitted } from "./committed.ts";
import { applySettings, type GraphileSession, openGraphileSession, trackingTable } from "./graphile-migrate.ts";
import { type HookRun, runHooks } from "./hooks.ts";
import { recordAcceptedEdit } from "./ledger.ts";
import { type LockTimeout, withLockRetry } from "./lock-retry.ts";
import { type DraftPlace, type MigrationRun, requireRunnable, runMigration } from "./run-migration.ts";
import { upTo, withoutAllowed } from "./selection.ts";
import { readTimeouts, type Timeouts } from "./timeouts.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

/** An event that {@link applyMigrations} reports. */
export type MigrationEvent =
  /** Another deployer holds the deployment lock; reported once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** An applied file was edited and accepts that with `AllowInvalidHash`. The edit is recorded, and does not run. */
  | { kind: "edit-recorded"; filename: string }
  /** A hook of `.gmrc` begins, or its command printed output. */
  | { kind: "hook"; text: string }
  /** `index` starts at 1. */
  | { kind: "started"; filename: string; index: number; total: number }
  /** The file hit its lock timeout. It let others pass and is retried after a pause. */
  | ({ kind: "lock-timeout"; filename: string } & LockTimeout)
  | { kind: "applied"; filename: string; durationMs: number };

/** Options of {@link applyMigrations}. */
export interface ApplyOptions {
  connection: Connection;
  /** The database's folder, which contains `committed/`, or its files. */
  folder: FileSource;
  /** Login for hooks marked `root`. */
  admin?: Connection | undefined;
  /** The last file to apply, by number or name. Omit to apply all. */
  to?: string | undefined;
  /** Names of files whose problem is accepted for this run. */
  allow?: readonly string[] | undefined;
  timeouts?: Timeouts | undefined;
  /** The draft that `migrate commit` applies: a failure in a transaction names its lines. */
  draft?: DraftPlace | undefined;
  onEvent?: (event: MigrationEvent) => void;
  /** Ends the run while it waits and between two files. A file that is already running finishes. */
  signal?: AbortSignal;
  /** UUID of the whole operation. Omit to generate one. */
  runId?: string;
}

/** Result of {@link applyMigrations}. */
export interface ApplyResult {
  /** In the order they ran. `durationMs` is measured by this process and includes the commit and lock waits. */
  applied: { filename: string; durationMs: number }[];
}

/**
 * Applies a folder's pending migrations in order, each recorded in its own transaction. It waits for any other deployer
 * of this database and then checks again: if several run at once, one does the work and all succeed. A file that hits
 * its lock timeout is retried. In a new database the hook `afterReset` runs first, once.
 *
 * @throws OperationError for problems with what is applied (nothing is run then), and if a lock was not acquired in
 * time; SqlFileError for a file that fails (the files before it stay applied); ConnectionError
 */
export async function applyMigrations(options: ApplyOptions): Promise<ApplyResult> {
  const { connection, folder, signal } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      // If nothing is pending, no lock is needed: what is recorded is committed.
      if (!hasWork(await findWork(client, files, options))) return { applied: [] };
      await requireOwnSession(client, connection);
      const session = await openGraphileSession(folder, connection);
      await detectLostClients(client);
      const onWait = (holder: LockHolder) => options.onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(client, () => runPending(client, files, session, options), onWait, signal);
    },
    "pgroundwork migrate",
    { pipeline: true },
  );
}

/** Work that a run has to do. */
interface Work {
  pending: CommittedMigration[];
  /** Applied files whose accepted edit is not recorded. */
  edits: CommittedMigration[];
}

function hasWork({ pending, edits }: Work): boolean {
  return pending.length > 0 || edits.length > 0;
}

async function findWork(
  client: Client,
  files: readonly CommittedMigration[],
  { connection, to, allow = [] }: ApplyOptions,
): Promise<Work> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const { problems, pending } = withoutAllowed(status, allow, files);
  requireNoProblems(problems);
  const names = new Set(pending);
  const edited = new Set(
    status.applied.flatMap(({ filename, acceptedEdit }) => (acceptedEdit === "not recorded" ? [filename] : [])),
  );
  return {
    pending: upTo(
      files.filter((file) => names.has(file.filename)),
      files,
      to,
    ),
    edits: files.filter((file) => edited.has(file.filename)),
  };
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
 * Creates the tables that record migrations, and nothing else. Does nothing if they exist.
 *
 * @returns true if anything was created
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
