import type { Connection } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { DockerOwner } from "../model/labels.ts";
import { majorVersion } from "../server/cluster.ts";

/** Docker engine in which a container for a scratch cluster can be started. */
export interface ScratchDocker {
  /** Address of the engine. Default: `DOCKER_HOST`, or this machine's own. */
  host?: string | undefined;
  /** Labels of the container: the stack's, or labels that stand for no stack. */
  owner: Omit<DockerOwner, "role">;
  /** Container whose image to use. Default: the kit's image, which is built if the engine does not have it. */
  imageOf?: string | undefined;
}

/** Requirements of a scratch cluster. */
export interface ScratchRequest {
  /** Major version of the live server. */
  major: number;
  /** Extensions that the work requires from the start. */
  extensions: readonly string[];
  /** Extensions that the work may need later. They influence where the cluster runs, but none is required. */
  wantedExtensions?: readonly string[];
  /** Settings of postgresql.conf that decide how SQL runs. */
  settings: Readonly<Record<string, string>>;
  /** Value of shared_buffers, in MB. */
  memoryMb: number;
  /** Docker engine to use if the embedded binaries lack an extension. Default: only the embedded binaries are used. */
  docker?: ScratchDocker | undefined;
  onProgress?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A cluster that exists for the duration of some work, which alone uses it. */
export interface ScratchCluster {
  kind: "embedded" | "container";
  /** Major version of the cluster, which can differ from the requested one. */
  major: number;
  /** Connection to `postgres` as the cluster's own superuser. */
  superuser: Connection;
  /** Extensions that the cluster has. */
  extensions: ReadonlySet<string>;
  /**
   * True if a superuser of this cluster has no access to anything outside it. The embedded server runs on this machine,
   * so its superuser could write files and run programs here.
   */
  isConfined: boolean;
}

/**
 * Error with the reason why something could not be tried in a scratch cluster. It proves nothing about the thing
 * itself.
 */
export class NotTried extends OperationError {
  /** The reason, without a full stop. */
  readonly reason: string;

  constructor(reason: string, { hint, cause }: { hint?: string | undefined; cause?: unknown } = {}) {
    super(`Not tried: ${reason}.`, { ...(hint === undefined ? {} : { hint }), exitCode: exitCode.wrong, cause });
    this.reason = reason;
  }
}

/** Major version of every scratch cluster: the embedded binaries and the image have the same. */
export const scratchMajor = Number(majorVersion);
