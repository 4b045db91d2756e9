import { availableParallelism } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { z } from "zod";
import { cronExtension, cronSettings, jobsDatabase } from "../../scripts/model/cron.ts";
import { machineOf } from "../../scripts/model/docker-host.ts";
import { extensionCatalog } from "../../scripts/model/extension-catalog.ts";
import { imageExtensions, preloadLibraries } from "../../scripts/model/image-extensions.ts";
import { dockerShape } from "../../scripts/settings/server-shapes.ts";
import { documented, list } from "../../scripts/settings/setting.ts";
import { compareWithEngine } from "../components/checks/docker-state.ts";
import { DockerServer as DockerServerComponent } from "../components/docker-server.ts";
import { plannedSettings } from "../components/planned-settings.ts";
import { reachableHost } from "../plan/container.ts";
import { memoryFault } from "../plan/container-memory.ts";
import { providerCaFile } from "./ca-file.ts";
import type { StartedServerArgs } from "./embedded-server.ts";
import { separateProtect, serverPart } from "./options.ts";
import { parsed, serverArguments } from "./parsed.ts";
import type { ProgramServer } from "./server.ts";

/** Arguments of {@link DockerServer}. All have defaults. */
export interface DockerServerArgs extends StartedServerArgs {
  /** Docker engine: `unix://`, `tcp://` or `ssh://`. Default: DOCKER_HOST, otherwise this machine's own. */
  dockerHost?: string | undefined;
  /** Prebuilt image, which the engine pulls. Default: built from the files of this package. */
  image?: string | undefined;
  /** Debian image that the image is built from. Default: debian:trixie-slim. */
  baseImage?: string | undefined;
  /** Exact release, such as 17.11. Default: the newest that Debian has when the image is built. */
  postgresVersion?: string | undefined;
  /** Builds the image with PostGIS. Default: false. */
  postgis?: boolean | undefined;
  /** Number of CPUs that the container can use. Default: all of the engine's. */
  cpus?: number | undefined;
  /** Size of /dev/shm, in MB. Default: 256. */
  shmSize?: number | undefined;
  /** Address of the engine's machine on which the port is open. Default: 127.0.0.1. */
  bindAddress?: string | undefined;
  /** Host name that clients use; included in the certificate. Default: the address of the port. */
  host?: string | undefined;
  /**
   * Extensions whose library the server loads when it starts. With pg_cron, the server runs the jobs of databases.
   * Default: none.
   */
  extensions?: readonly string[] | undefined;
  /**
   * Enables WAL archiving into an encrypted volume. Every moment of the last `retentionDays` days (default: 30) can be
   * restored. {@link Backups} adds the schedule. Default: false.
   */
  backups?: boolean | { retentionDays?: number } | undefined;
}

/** Longest name of a container, which is also its host name. */
const longestHostname = 63;

/** Longest end of a container's name: a suffix against other stacks, and its role. */
const longestEnd = "-012345-postgres-exporter".length;

const preloaded = Object.keys(extensionCatalog).filter((name) => extensionCatalog[name]?.isPreloaded);

/** Schemas of the arguments: a program has no settings of sidecars here. */
const { monitoring: _, pooler: __, ...dockerArguments } = dockerShape;
const shape = {
  ...dockerArguments,
  ...serverArguments,
  extensions: documented(list(z.enum(preloaded)).default([]), {
    type: `a list of ${preloaded.join(", ")}`,
    default: "none",
    effect: "restart",
    description: "Extensions whose library the server loads when it starts.",
  }),
};

const declared = new Set<string>();

/**
 * A PostgreSQL server in a container: image, network, volumes, TLS. Clients verify its certificate with
 * `caCertificate`. Deleting it removes the container and keeps the volumes with data and backups.
 */
export class DockerServer extends DockerServerComponent implements ProgramServer {
  readonly resourceName: string;
  readonly passwordVersion: string;
  readonly isProtected: boolean;
  readonly runsJobs: boolean;
  readonly extensionHint: string;
  /** Days for which any moment can be restored. Undefined if WAL is not archived. */
  readonly retentionDays: number | undefined;
  readonly baseImage: string | undefined;
  /** Address of the engine's machine on which the ports of clients are open. */
  readonly bindAddress: string;
  /** Settings of postgresql.conf: the plan, and the arguments that override it. */
  readonly plannedSettings: Readonly<Record<string, string>>;
  readonly #extensions: ReadonlySet<string> | undefined;

  constructor(name: string, args: DockerServerArgs = {}, options?: pulumi.ComponentResourceOptions) {
    const { protect: isProtected, rest } = separateProtect(options);
    const settings = parsed(`DockerServer ${name}`, shape, args, isProtected);
    const { dockerHost, image, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups } = settings;
    checkName(name);
    const server = serverPart(name);
    const planned = plannedSettings(settings, { os: "linux", cpus: cpus ?? availableParallelism(), hasLz4: true });
    const fault = memoryFault(memory, planned);
    if (fault !== undefined)
      throw new RunError(`DockerServer ${name} does not fit into its container: ${fault}. Increase its memory.`);
    // Objects of the engine are declared at once. They are created after the engine was compared with the state.
    const compared = compareWithEngine({ dockerHost, server });
    super(
      name,
      {
        ...{ dockerHost, image, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups, server },
        ...{ project: pulumi.getProject(), stack: pulumi.getStack() },
        build: settings,
        settings: { ...extensionSettings(settings.extensions, planned), ...settings.postgresql },
        passwordVersion: settings.passwordVersion,
        protect: isProtected,
        ready: compared,
        imageTrigger: async (resource) => (await compared)(resource),
        caFile: (bundle, kept) => providerCaFile(bundle, kept),
        host: settings.host ?? reachableHost(bindAddress, machineOf(dockerHost)),
      },
      rest,
    );
    this.resourceName = name;
    this.passwordVersion = settings.passwordVersion;
    this.isProtected = isProtected;
    this.retentionDays = backups?.retentionDays;
    this.baseImage = settings.baseImage;
    this.bindAddress = bindAddress;
    this.plannedSettings = planned;
    this.runsJobs = settings.extensions.includes(cronExtension);
    this.extensionHint = `Add ${preloaded.join(" or ")} to \`extensions\` of the server, and set \`postgis\` for PostGIS.`;
    const offered = [...imageExtensions(settings.postgis)].filter(
      (each) => each !== cronExtension && (!preloaded.includes(each) || isLoaded(each, settings.extensions)),
    );
    this.#extensions = image === undefined ? new Set(offered) : undefined;
  }

  async availableExtensions(): Promise<ReadonlySet<string> | undefined> {
    return this.#extensions;
  }
}

/**
 * Requires that a server runs in a container, for components that run in one next to it.
 *
 * @param component its type and name, for the message
 * @throws RunError if it is another kind of server, which a program without types can pass
 */
export function requireContainer(component: string, server: ProgramServer): void {
  if (server instanceof DockerServer) return;
  throw new RunError(
    `${component}: the server ${server.resourceName} is no DockerServer. ${component} runs in a container next to the ` +
      "server. Declare the server as a DockerServer, or leave this component out.",
  );
}

function isLoaded(extension: string, extensions: readonly string[]): boolean {
  return extension === "pg_stat_statements" || extensions.includes(extension);
}

/** Adds the settings that the extensions need to the planned ones. */
function extensionSettings(extensions: readonly string[], planned: Record<string, string>): Record<string, string> {
  const runsJobs = extensions.includes(cronExtension);
  return {
    shared_preload_libraries: preloadLibraries(extensions),
    ...planned,
    ...(runsJobs ? cronSettings(jobsDatabase, planned.max_worker_processes) : {}),
  };
}

/**
 * Checks a server's name, which is part of the names of its objects in the Docker engine.
 *
 * @throws RunError if they cannot have it, or if another server of the program has it
 */
function checkName(name: string): void {
  const prefix = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw new RunError(`DockerServer "${name}": use only letters, digits, "_", "." and "-" in its name.`);
  if (prefix.length + longestEnd > longestHostname) {
    throw new RunError(
      `DockerServer ${name}: names of its containers begin with ${prefix}, which has ${prefix.length} characters ` +
        `instead of at most ${longestHostname - longestEnd}. Use a shorter name.`,
    );
  }
  if (declared.has(name)) throw new RunError(`The program has two servers of the name ${name}. Rename one of them.`);
  declared.add(name);
}
