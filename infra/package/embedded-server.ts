import type * as pulumi from "@pulumi/pulumi";
import { availableExtensions } from "../../scripts/server/binaries.ts";
import { embeddedShape } from "../../scripts/settings/server-shapes.ts";
import { EmbeddedServer as EmbeddedServerComponent } from "../components/embedded-server.ts";
import { plannedSettingsHere } from "../components/planned-settings.ts";
import type { StorageKind, WorkloadProfile } from "../plan/tuning.ts";
import { separateProtect, serverPart } from "./options.ts";
import { parsed, serverArguments } from "./parsed.ts";
import type { ProgramServer } from "./server.ts";

/** Arguments of every server that this package starts. All have defaults. */
export interface StartedServerArgs {
  /** TCP port. Default: a free port, chosen once and kept. */
  port?: number | undefined;
  /** Memory that the settings are planned for, in MB. Default: the machine's, or 1024 in a container. */
  memory?: number | undefined;
  /** Main workload. Default: `desktop`. */
  profile?: WorkloadProfile | undefined;
  /** Storage of the data directory. Default: `ssd`. */
  storage?: StorageKind | undefined;
  /** Number of sessions that the server accepts. Default: 100. */
  maxConnections?: number | undefined;
  /** Settings of postgresql.conf that override the plan. */
  postgresql?: Record<string, string | number | boolean> | undefined;
  /** A change generates all passwords again. Default: `1`. */
  passwordVersion?: string | undefined;
  /** Limit for a start until SQL runs, in seconds. Default: 60. */
  readyTimeout?: number | undefined;
}

/** Arguments of {@link EmbeddedServer}. All have defaults. */
export interface EmbeddedServerArgs extends StartedServerArgs {
  /** Absolute path of the data directory. Default: a folder below the user's data folder. */
  dataDirectory?: string | undefined;
}

/**
 * A PostgreSQL server on the machine that runs the program, without Docker. It outlives the command. Deleting it stops
 * the server and keeps its data.
 */
export class EmbeddedServer extends EmbeddedServerComponent implements ProgramServer {
  readonly resourceName: string;
  readonly passwordVersion: string;
  readonly isProtected: boolean;
  readonly runsJobs = false;
  readonly extensionHint = "It has only PostgreSQL's contrib extensions.";

  constructor(name: string, args: EmbeddedServerArgs = {}, options?: pulumi.ComponentResourceOptions) {
    const { protect: isProtected, rest } = separateProtect(options);
    // `backup dump --due` reads the plan of dumps from the outputs of the kit's own program.
    const { backups: _, ...own } = embeddedShape;
    const shape = { ...own, ...serverArguments };
    const settings = parsed(`EmbeddedServer ${name}`, shape, args, isProtected);
    const { port, dataDirectory, passwordVersion, readyTimeout } = settings;
    const planned = plannedSettingsHere(settings);
    super(
      name,
      {
        port,
        dataDirectory,
        settings: planned,
        passwordVersion: passwordVersion,
        readyTimeout,
        server: serverPart(name),
      },
      rest,
    );
    this.resourceName = name;
    this.passwordVersion = passwordVersion;
    this.isProtected = isProtected;
  }

  availableExtensions(): Promise<ReadonlySet<string>> {
    return availableExtensions();
  }
}
