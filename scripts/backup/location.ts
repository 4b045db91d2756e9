import type { StackBackups } from "./stack-backups.ts";

/** Location of a server's backups: a Docker engine, and the containers and volumes in it. It contains no secret. */
export interface BackupLocation extends StackBackups {
  /** `unix://`, `tcp://` or `ssh://`. Default: DOCKER_HOST, otherwise this machine's own engine. */
  dockerHost?: string | undefined;
}
