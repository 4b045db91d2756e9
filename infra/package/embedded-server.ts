import type * as pulumi from "@pulumi/pulumi";
import { availableExtensions } from "../../scripts/server/binaries.ts";
import { EmbeddedServer as EmbeddedServerComponent } from "../components/embedded-server.ts";
import { plannedSettingsHere } from "../components/planned-settings.ts";
import type { StorageKind, WorkloadProfile } from "../plan/tuning.ts";
import type { ProgramServer } from "./server.ts";

/** Arguments of {@link EmbeddedServer}. All have defaults. */
export interface EmbeddedServerArgs {
  /** TCP port. Default: a free port, chosen once and kept. */
  port?: number;
  /** Absolute path of the data directory. Default: a folder below the user's data folder. */
  dataDirectory?: string;
  /** Memory that the settings are planned for, in MB. Default: the machine's. */
  memory?: number;
  /** Main workload. Default: `desktop`. */
  profile?: WorkloadProfile;
  /** Storage of the data directory. Default: `ssd`. */
  storage?: StorageKind;
  /** Number of sessions that the server accepts. Default: 100. */
  maxConnections?: number;
  /** Settings of postgresql.conf that override the plan. */
  postgresql?: Record<string, string>;
  /** A change generates all passwords again. Default: `1`. */
  passwordVersion?: string;
  /** Limit for a start until SQL runs, in seconds. Default: 60. */
  readyTimeout?: number;
}

/**
 * A PostgreSQL server on the machine that runs the program, without Docker. It outlives the command. Deleting it stops
 * the server and keeps its data.
 */
export class EmbeddedServer extends EmbeddedServerComponent implements ProgramServer {
  readonly resourceName: string;
  readonly passwordVersion: string;
  readonly isProtected: boolean;

  constructor(name: string, args: EmbeddedServerArgs = {}, options?: pulumi.ComponentResourceOptions) {
    const { port, dataDirectory, memory, postgresql, passwordVersion = "1", readyTimeout = 60 } = args;
    const { profile = "desktop", storage = "ssd", maxConnections = 100 } = args;
    const settings = plannedSettingsHere({ memory, profile, storage, maxConnections, postgresql });
    super(name, { port, dataDirectory, settings, passwordVersion, readyTimeout }, options);
    this.resourceName = name;
    this.passwordVersion = passwordVersion;
    this.isProtected = options?.protect === true;
  }

  availableExtensions(): Promise<ReadonlySet<string>> {
    return availableExtensions();
  }
}
