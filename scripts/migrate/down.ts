import type { Client } from "pg";
import { type LockHolder, withDeploymentLock } from "../database/deployment-lock.ts";
import { requireOwnSession } from "../database/pooler.ts";
import { provenance } from "../database/provenance.ts";
import { backendPid, noticeLostClients } from "../database/session.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import { type ApplyOptions, prepareTables } from "./apply.ts";
import { type CommittedMigration, readCommitted } from "./committed.ts";
import { openGraphileSession } from "./graphile-migrate.ts";
import { type GaveWay, withLockRetry } from "./lock-retry.ts";
import { runDown } from "./run-down.ts";
import type { MigrationRun } from "./run-migration.ts";
import { readTimeouts } from "./timeouts.ts";
import { type PlannedUndo, planUndo, type UndoSelection } from "./undo-plan.ts";

export type UndoEvent =
  /** Another deployer is at work; said once for each. */
  | { kind: "waiting"; holder: LockHolder }
  /** It did not get a lock in time, let others pass, and is tried again after a pause. */
  | ({ kind: "gave-way"; filename: string } & GaveWay)
  | { kind: "undone"; filename: string; durationMs: number };

export interface UndoOptions
  extends UndoSelection,
    Pick<ApplyOptions, "connection" | "folder" | "timeouts" | "signal" | "runId"> {
  /** What was confirmed, newest first: where something else would go by now, nothing does. */
  expected?: readonly string[] | undefined;
  onEvent?: (event: UndoEvent) => void;
}

export interface UndoResult {
  /** In the order they went, newest first; `durationMs` as seen from here. */
  undone: { filename: string; durationMs: number }[];
}

/**
 * What {@link undoMigrations} would undo, newest first, with all its checks; nothing is run, and no lock is taken.
 *
 * @throws OperationError as undoing would
 */
export async function previewUndo(
  connection: Connection,
  folder: string,
  selection: UndoSelection,
): Promise<PlannedUndo[]> {
  const files = await readCommitted(folder);
  return withClient(
    connection,
    (client) => planUndo(client, connection, folder, files, selection),
    "pgroundwork status",
  );
}

/**
 * Undoes applied migrations by their ways back, newest first, each with the removal of its record in one transaction. Waits for whoever else is
 * deploying to this database. What the migrations made is lost, rows included.
 *
 * @throws OperationError for problems and missing ways back (nothing is run then), and when a lock could not be had in time; SqlFileError for a file
 * that fails (it and those before it stay applied); ConnectionError
 */
export async function undoMigrations(options: UndoOptions): Promise<UndoResult> {
  const { connection, folder, signal, onEvent } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      if ((await planUndo(client, connection, folder, files, options)).length === 0) return { undone: [] };
      await requireOwnSession(client, connection);
      await noticeLostClients(client);
      const onWait = (holder: LockHolder) => onEvent?.({ kind: "waiting", holder });
      return withDeploymentLock(client, () => runUndo(client, files, options), onWait, signal);
    },
    "pgroundwork migrate",
    { pipeline: true },
  );
}

async function runUndo(
  client: Client,
  files: readonly CommittedMigration[],
  options: UndoOptions,
): Promise<UndoResult> {
  const { connection, folder, onEvent, signal } = options;
  const planned = await planUndo(client, connection, folder, files, options);
  requireExpected(planned, options.expected);
  const session = await openGraphileSession(folder, connection);
  // What graphile-migrate's own CLI applied has no ledger yet.
  await prepareTables(client, session, connection);
  const timeouts = await readTimeouts(client, options.timeouts);
  const lockTimeoutAsked = options.timeouts?.lockTimeout !== undefined;
  const run: MigrationRun = { compile: session.compile, timeouts, lockTimeoutAsked };
  const origin = provenance(options.runId);
  const pid = await backendPid(client);
  const undone: UndoResult["undone"] = [];
  for (const { down, filename, hash, sha256 } of planned) {
    signal?.throwIfAborted();
    const subject = { filename, hash, sha256, downSha256: down.sha256, provenance: origin };
    const begun = performance.now();
    const onGaveWay = (gaveWay: GaveWay) => onEvent?.({ kind: "gave-way", filename: down.filename, ...gaveWay });
    await withLockRetry({ pid, connection, timeouts, onGaveWay, signal }, () => runDown(client, subject, down, run));
    const durationMs = performance.now() - begun;
    undone.push({ filename, durationMs });
    onEvent?.({ kind: "undone", filename, durationMs });
  }
  return { undone };
}

function requireExpected(planned: readonly PlannedUndo[], expected: readonly string[] | undefined): void {
  const names = planned.map(({ filename }) => filename);
  if (expected === undefined || expected.join("\n") === names.join("\n")) return;
  throw new OperationError(
    `Another deployer was faster: ${names.join(", ") || "nothing"} would be undone now, and it was to be ${expected.join(", ")}. Nothing was.`,
    { remedy: "Look at `migrate status`, and run again.", exitCode: exitCode.notAllowed },
  );
}
