import type { Known } from "../../../core/known.ts";
import type { PausedWork } from "../../../model/paused-work.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import type { Backup } from "../../info.ts";
import type { RestoreRequest } from "../request.ts";
import type { Restored } from "../restore.ts";
import type { DeclaredAccess } from "./access.ts";
import type { StackDifferences } from "./logins.ts";
import type { LostCommits } from "./lost-commits.ts";

/** Arguments of an in-place restore, an undo or a finish. */
export interface InPlaceRequest extends Omit<RestoreRequest, "to" | "accept" | "examine"> {
  /** Outputs of the stack when the command began. */
  outputs: StackOutputs;
  /**
   * Runs work while no other command changes the stack, with its outputs at that time. An `up` at the same time would
   * set passwords and apply migrations on the cluster that goes.
   */
  exclusively: <T>(work: (outputs: StackOutputs) => Promise<T>) => Promise<T>;
  /** Reads the roles and privileges that the stack's state declares. */
  declaredAccess: () => Promise<DeclaredAccess>;
  /** Time limit for a start of the server, in seconds. */
  startSeconds: number;
  onNote: (text: string) => void;
}

/** Requirements of a start of the server on an exchanged cluster. */
export type StartRequest = Pick<InPlaceRequest, "outputs" | "declaredAccess" | "startSeconds" | "onStep" | "onNote">;

/** Sessions of clients that the exchange ends. */
export type Sessions = { application: string; user: string; database: string }[];

/** Losses of an in-place restore, when it is confirmed. */
export interface Losses {
  sessions: Sessions;
  commits: Known<LostCommits>;
}

/** Result of an in-place restore. */
export interface InPlaceRestored extends Restored {
  /** Folder that keeps the former cluster. */
  kept: string;
  /** Name of the restore point at the end of the former cluster. null if its server did not run. */
  restorePoint: string | null;
  /** Time for which the server was stopped, in seconds. */
  downtimeSeconds: number;
  differences: StackDifferences;
  /** Jobs and subscriptions that do nothing until they are confirmed. */
  paused: PausedWork;
  /** Commits that only the former cluster has, when the restore was confirmed. */
  lostCommits: Known<LostCommits>;
  /** Full backup of the restored cluster, or the reason why there is none. */
  backup: string;
  newBackup: Backup | { failed: string };
}
