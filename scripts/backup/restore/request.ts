/** Destination of a restored cluster. */
export type Destination = { kind: "directory"; path: string } | { kind: "volume"; name: string };

/** Arguments of a restore. */
export interface RestoreRequest {
  to: Destination;
  /** The current process: see `ownHolder`. */
  holder: string;
  /** Backup to restore, as the cluster was when the backup ended. Omit to restore everything that is archived. */
  backup?: string | undefined;
  /** Time limit for the recovery of the restored server, in seconds. */
  recoverySeconds: number;
  signal: AbortSignal;
  onStep: (step: string) => void;
}
