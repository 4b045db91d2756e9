import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { requireOwnSession } from "../connection/pooler.ts";
import { backendPid, detectLostClients } from "../connection/session.ts";
import type { FileSource } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { type LockHolder, withDeploymentLock } from "../ledger/deployment-lock.ts";
import { provenance } from "../ledger/provenance.ts";
import { type CommittedMigration, readCommitted } from "./committed.ts";
import type { DownFile } from "./down-file.ts";
import { openGraphileSession } from "./graphile-migrate.ts";
import { type LockTimeout, withLockRetry } from "./lock-retry.ts";
import { type PlannedRevert, planRevert, type RevertSelection } from "./revert-plan.ts";
import { runDown } from "./run-down.ts";
import type { MigrationRun } from "./run-migration.ts";
import { prepareTables } from "./run-pending.ts";
import { readTimeouts } from "./timeouts.ts";
import type { ApplyOptions } from "./work.ts";

/** An event that {@link revertMigrations} reports. */
export type RevertEvent =
  /** Another deployer holds the deployment lock; reported once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** The file hit its lock timeout. It let others pass and is retried after a pause. */
  | ({ kind: "lock-timeout"; filename: string } & LockTimeout)
  | { kind: "reverted"; filename: string; durationMs: number };

/** Options of {@link revertMigrations}. */
export interface RevertOptions
  extends RevertSelection,
    Pick<ApplyOptions, "connection" | "folder" | "timeouts" | "signal" | "runId"> {
  /** The migrations that were shown or confirmed, newest first. If the selection has changed since, nothing runs. */
  expected?: readonly ExpectedRevert[] | undefined;
  onEvent?: (event: RevertEvent) => void;
}

/** A migration to revert, and its down file as it was shown. */
export interface ExpectedRevert {
  filename: string;
  down: Pick<DownFile, "sha256">;
}

/** Result of {@link revertMigrations}. */
export interface RevertResult {
  /** In the order they were reverted, newest first. `durationMs` is measured by this process. */
  reverted: { filename: string; durationMs: number }[];
}

/**
 * Returns the migrations that {@link revertMigrations} would revert, newest first, with all its checks. Runs nothing
 * and takes no lock.
 *
 * @throws OperationError as {@link revertMigrations} does
 */
export async function previewRevert(
  connection: Connection,
  folder: FileSource,
  selection: RevertSelection,
): Promise<PlannedRevert[]> {
  const files = await readCommitted(folder);
  return withClient(
    connection,
    (client) => planRevert(client, connection, folder, files, selection),
    "pgroundwork status",
  );
}

/**
 * Reverts applied migrations with their down migrations, newest first. Each removes its record in the same transaction.
 * Waits for any other deployer of this database. Everything that the migrations created is lost, including rows.
 *
 * @throws OperationError for problems and missing down migrations (nothing is run then), and if a lock was not acquired
 * in time; SqlFileError for a file that fails (its migration and those before it stay applied); ConnectionError
 */
export async function revertMigrations(options: RevertOptions): Promise<RevertResult> {
  const { connection, folder, signal, onEvent } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      if ((await planRevert(client, connection, folder, files, options)).length === 0) return { reverted: [] };
      await requireOwnSession(client, connection);
      await detectLostClients(client);
      const onWait = (holder: LockHolder) => onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(client, () => runRevert(client, files, options), onWait, signal);
    },
    "pgroundwork migrate",
    { pipeline: true },
  );
}

async function runRevert(
  client: Client,
  files: readonly CommittedMigration[],
  options: RevertOptions,
): Promise<RevertResult> {
  const { connection, folder, onEvent, signal } = options;
  const planned = await planRevert(client, connection, folder, files, options);
  requireExpected(planned, options.expected);
  const session = await openGraphileSession(folder, connection);
  // If graphile-migrate's own CLI applied the migrations, there is no ledger yet.
  await prepareTables(client, session, connection);
  const timeouts = await readTimeouts(client, options.timeouts);
  const lockTimeoutAsked = options.timeouts?.lockTimeout !== undefined;
  const run: MigrationRun = { compile: session.compile, settings: session.pgSettings, timeouts, lockTimeoutAsked };
  const origin = provenance(options.runId);
  const pid = await backendPid(client);
  const reverted: RevertResult["reverted"] = [];
  for (const { down, filename, hash, sha256 } of planned) {
    signal?.throwIfAborted();
    const subject = { filename, hash, sha256, downSha256: down.sha256, provenance: origin };
    const begun = performance.now();
    const onLockTimeout = (timedOut: LockTimeout) =>
      onEvent?.({ kind: "lock-timeout", filename: down.filename, ...timedOut });
    await withLockRetry({ pid, connection, timeouts, onLockTimeout, signal }, () =>
      runDown(client, subject, down, run),
    );
    const durationMs = performance.now() - begun;
    reverted.push({ filename, durationMs });
    onEvent?.({ kind: "reverted", filename, durationMs });
  }
  return { reverted };
}

function requireExpected(planned: readonly PlannedRevert[], expected: readonly ExpectedRevert[] | undefined): void {
  if (expected === undefined) return;
  const [names, shown] = [planned, expected].map((each) => each.map(({ filename }) => filename).join(", "));
  if (names !== shown) {
    throw new OperationError(
      `Another deployer was faster: this would now revert ${names || "nothing"} instead of ${shown}. Nothing was reverted.`,
      { hint: "Check `migrate status`, then run again.", exitCode: exitCode.notAllowed },
    );
  }
  const changed = planned.filter(({ down }, index) => down.sha256 !== expected[index]?.down.sha256);
  if (changed.length === 0) return;
  throw new OperationError(
    `${changed.map(({ down }) => down.filename).join(", ")} changed after this command read it. Nothing was reverted.`,
    { hint: "Check the file, then run again.", exitCode: exitCode.notAllowed },
  );
}
