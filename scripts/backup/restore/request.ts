import type { RestoreSource } from "./source.ts";
import type { PointRequest, Target } from "./target.ts";

/** Destination of a restored cluster. */
export type Destination = { kind: "directory"; path: string } | { kind: "volume"; name: string };

/**
 * Place of a cluster while it is restored. `nextToLive` means that it is in the volume of the stack's own cluster, in
 * another folder, and stays there.
 */
export interface RestorePlace {
  volume: string;
  /** Data directory in containers that mount the volume. */
  data: string;
  nextToLive: boolean;
  /** True if the stack's server continues on it. The WAL of its new timeline is kept for the archive then. */
  becomesLive: boolean;
}

/** Point in time to restore, as the caller gave it. PostgreSQL reads the time. */
export interface RequestedPoint extends Omit<PointRequest, "target"> {
  target: Exclude<Target, { kind: "time" }> | { kind: "time"; text: string };
}

/** Arguments of a restore. */
export interface RestoreRequest {
  /** `scratch`: it is only verified, and nothing is kept. */
  to: Destination | { kind: "scratch" };
  /** The current process: see `ownHolder`. */
  holder: string;
  /** Backup to restore, as the cluster was when the backup ended. Omit to restore everything that is archived. */
  backup?: string | undefined;
  /** Point in time to restore, instead of a backup. */
  point?: RequestedPoint | undefined;
  /** Time limit for the recovery of the restored server, in seconds. */
  recoverySeconds: number;
  signal: AbortSignal;
  onStep: (step: string) => void;
  /** Called with the chosen backup before anything is restored. Throws an error to refuse it. */
  accept?: ((source: Pick<RestoreSource, "backup" | "cluster">) => Promise<void>) | undefined;
  /** Examines the server on the restored cluster before its rows are read. `container` is the ID of its container. */
  examine?: ((container: string) => Promise<void>) | undefined;
}
