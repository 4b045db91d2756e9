import type { Client } from "pg";
import type { Connection } from "../connection/connection.ts";
import type { FileSource } from "../core/file-source.ts";
import type { LockHolder } from "../ledger/deployment-lock.ts";
import type { CommittedMigration } from "./committed.ts";
import type { LockTimeout } from "./lock-retry.ts";
import type { DraftPlace } from "./run-migration.ts";
import { upTo, withoutAllowed } from "./selection.ts";
import type { Timeouts } from "./timeouts.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

/** An event that `applyMigrations` reports. */
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

/** Options of `applyMigrations`. */
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

/** Result of `applyMigrations`. */
export interface ApplyResult {
  /** In the order they ran. `durationMs` is measured by this process and includes the commit and lock waits. */
  applied: { filename: string; durationMs: number }[];
}

/** Work that a run has to do. */
export interface Work {
  pending: CommittedMigration[];
  /** Applied files whose accepted edit is not recorded. */
  edits: CommittedMigration[];
}

/** Returns true if there is anything to do. */
export function hasWork({ pending, edits }: Work): boolean {
  return pending.length > 0 || edits.length > 0;
}

/**
 * Compares the files with what is applied.
 *
 * @throws OperationError for problems with what is applied
 */
export async function findWork(
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
