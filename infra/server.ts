import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { OperationError } from "../scripts/core/operation-error.ts";
import { cronDatabase, cronExtension, cronSettings, type WithJobs } from "../scripts/model/cron.ts";
import { machineOf } from "../scripts/model/docker-host.ts";
import { imageExtensions, preloadLibraries } from "../scripts/model/image-extensions.ts";
import { backupIntervals } from "../scripts/model/schedule.ts";
import type { BackupsOutput, MonitoringOutput, ServerLocation, ServerOutput } from "../scripts/model/stack-outputs.ts";
import { availableExtensions } from "../scripts/server/binaries.ts";
import type { Settings } from "../scripts/settings/settings.ts";
import { caFile, writeCaFile } from "../scripts/tls/ca-file.ts";
import type { DockerServer } from "./components/docker-server.ts";
import type { ExternalAccess, WithExtensions } from "./components/external-server.ts";
import { plannedSettings, plannedSettingsHere } from "./components/planned-settings.ts";
import type { Server } from "./components/server.ts";
import type { ServerRoles } from "./components/server-roles.ts";
import { reachableHost } from "./plan/container.ts";
import { memoryFault } from "./plan/container-memory.ts";

/** The project directory. */
const root = fileURLToPath(new URL("..", import.meta.url));

type OfKind<Kind extends Settings["server"]> = Extract<Settings, { server: Kind }>;

/** Outputs as the program declares them: values are known now, or only after the run. */
export type Declared<T> = [T] extends [string | number | boolean | undefined]
  ? pulumi.Input<T>
  : T extends readonly (infer Each)[]
    ? pulumi.Output<T> | readonly Declared<Each>[]
    : { readonly [Name in keyof T]: Declared<T[Name]> };

/** Stack outputs of the sidecars. */
export interface SidecarOutputs {
  monitoring?: Declared<MonitoringOutput>;
  backups?: Declared<BackupsOutput>;
}

/** A stack's server, and the outputs that only its kind has. */
export interface DeclaredServer {
  server: Server;
  location: Declared<ServerLocation>;
  /** CA certificates that its clients trust, or the path of a file that has them. */
  trust?: Declared<Pick<ServerOutput, "caCertificate" | "sslrootcert">>;
  /** Declares the sidecars once the roles that they log in as are declared. Returns their stack outputs. */
  sidecars?: (roles: ServerRoles) => Promise<SidecarOutputs>;
}

/**
 * Declares the stack's server, of the kind that its settings choose.
 *
 * @param databases the stack's databases with the names of the extensions and jobs that they will have
 */
export async function serverFor(settings: Settings, databases: readonly WithJobs[]): Promise<DeclaredServer> {
  switch (settings.server) {
    case "embedded":
      return embedded(settings);
    case "docker":
      return inContainer(settings, databases);
    case "external":
      return external(settings);
  }
}

/** Returns the extensions that the server can have, or undefined if they are unknown until the server runs. */
export async function extensionsOf(settings: Settings): Promise<ReadonlySet<string> | undefined> {
  switch (settings.server) {
    case "embedded":
      return availableExtensions();
    case "docker":
      return settings.image === undefined ? imageExtensions(settings.postgis) : undefined;
    case "external": {
      const { extensionsOfServer } = await import("./components/external-server.ts");
      return extensionsOfServer(accessOf(settings));
    }
  }
}

/**
 * Checks the rights of the role that creates the stack's objects. Only an external server can lack some.
 *
 * @returns optional extensions that the role cannot create, as `database extension`
 * @throws RunError that lists all missing rights
 */
export async function rightsOn(settings: Settings, databases: readonly WithExtensions[]): Promise<ReadonlySet<string>> {
  if (settings.server !== "external") return new Set();
  const { requireRights } = await import("./components/external-server.ts");
  return requireRights(accessOf(settings), databases);
}

/** Hints for missing extensions: what each kind of server offers. */
export const whatItHas: Readonly<Record<Settings["server"], string>> = {
  embedded: "It has only PostgreSQL's contrib extensions.",
  docker:
    "Its image has contrib, pgaudit, pg_cron, pg_partman and pgvector, and PostGIS if pgroundwork:postgis is true.",
  external: "Install them on the server's machine.",
};

async function embedded(settings: OfKind<"embedded">): Promise<DeclaredServer> {
  const { EmbeddedServer } = await import("./components/embedded-server.ts");
  const { port, dataDirectory, passwordVersion, readyTimeout } = settings;
  const planned = plannedSettingsHere(settings);
  const server = new EmbeddedServer("server", {
    port,
    dataDirectory,
    settings: planned,
    passwordVersion,
    readyTimeout,
  });
  const { dataDirectory: data, logDirectory } = server;
  return { server, location: { kind: "embedded", dataDirectory: data, logDirectory } };
}

async function inContainer(settings: OfKind<"docker">, databases: readonly WithJobs[]): Promise<DeclaredServer> {
  const { DockerServer } = await import("./components/docker-server.ts");
  const { compareWithEngine } = await import("./components/docker-state.ts");
  const { dockerHost, image, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups } = settings;
  const planned = plannedSettings(settings, { os: "linux", cpus: cpus ?? availableParallelism(), hasLz4: true });
  const fault = memoryFault(memory, planned);
  if (fault !== undefined)
    throw new OperationError(`The server does not fit into its container: ${fault}.`, {
      hint: "Increase pgroundwork:memory, or reduce shared_buffers in pgroundwork:postgresql.",
    });
  const imageTrigger = await compareWithEngine({ dockerHost });
  const server = new DockerServer("server", {
    ...{ dockerHost, image, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups },
    build: settings,
    settings: { ...extensionSettings(databases, planned), ...settings.postgresql },
    passwordVersion: settings.passwordVersion,
    protect: settings.protected,
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    imageTrigger,
    caFile: (bundle) => {
      writeCaFile(root, pulumi.getStack(), bundle);
      // Relative to the folder in which program and plugins run. A path that is the same everywhere changes no
      // provider.
      return join("..", caFile(pulumi.getStack()));
    },
    host: settings.host ?? reachableHost(bindAddress, machineOf(dockerHost)),
  });
  const { container, dataVolume, caCertificate } = server;
  return {
    server,
    location: { kind: "docker", container, dataVolume, dockerHost, owner: server.place.owner },
    trust: { caCertificate },
    sidecars: async (roles) => {
      const { metrics, ...backups } = await backedUp(settings, server, roles);
      const declared = databases.flatMap((database) => database.jobs).length;
      // One more deletes the records of runs.
      const jobs = declared === 0 ? 0 : declared + 1;
      return { ...(await monitored(settings, server, roles, { textfiles: metrics, jobs })), ...backups };
    },
  };
}

/** Adds the settings that the databases' extensions and jobs need to the planned ones. */
function extensionSettings(databases: readonly WithJobs[], planned: Record<string, string>) {
  const cron = cronDatabase(databases);
  const extensions = [
    ...databases.flatMap((database) => database.extensions),
    ...(cron === undefined ? [] : [cronExtension]),
  ];
  return {
    shared_preload_libraries: preloadLibraries(extensions),
    ...planned,
    ...(cron === undefined ? {} : cronSettings(cron, planned.max_worker_processes)),
  };
}

async function monitored(
  { monitoring, backups, readyTimeout, baseImage }: OfKind<"docker">,
  server: DockerServer,
  roles: ServerRoles,
  { textfiles, jobs }: { textfiles: pulumi.Output<string> | undefined; jobs: number },
): Promise<SidecarOutputs> {
  if (monitoring === undefined) return {};
  const { Monitoring } = await import("./components/monitoring.ts");
  const { place, network, caCertificate, dataVolume: data, repository } = server;
  const { prometheus } = new Monitoring("monitoring", {
    ...{ place, baseImage, network, caCertificate, readyTimeout, textfiles, jobs },
    ...{ login: roles.logins.monitor, roles: roles.roles },
    volumes: { data, ...(repository === undefined ? {} : { backup: repository.volume }) },
    backupIntervals: (backups && backupIntervals(backups)) ?? {},
    ...monitoring,
  });
  return { monitoring: { prometheus } };
}

/** Limit for archiving one WAL segment into the repository, in seconds. */
const archiveTimeout = 60;

/** @returns `metrics`: a volume with the backup metrics that Prometheus reads */
async function backedUp(
  { backups }: OfKind<"docker">,
  server: DockerServer,
  { roles }: ServerRoles,
): Promise<SidecarOutputs & { metrics?: pulumi.Output<string> }> {
  if (backups === undefined || server.repository === undefined) return {};
  const { Backups } = await import("./components/backups.ts");
  const { full, incremental, retentionDays } = backups;
  const { volume, passphrase } = server.repository;
  const { container, metrics } = new Backups("backups", { server, roles, full, incremental, archiveTimeout });
  const { data, config, run } = server.volumes;
  const volumes = { repository: volume, data: data.name, configuration: config.name, run: run.name };
  return {
    metrics,
    backups: { container, image: server.image, volumes, schedule: { full, incremental }, retentionDays, passphrase },
  };
}

async function external(settings: OfKind<"external">): Promise<DeclaredServer> {
  const { ExternalServer } = await import("./components/external-server.ts");
  const { url, readyTimeout } = settings;
  const file = url.sslrootcert === undefined ? {} : { sslrootcert: fromPlugins(url.sslrootcert) };
  const server = new ExternalServer("server", { ...accessOf(settings), ...file, readyTimeout });
  return { server, location: { kind: "external" }, trust: { sslrootcert: url.sslrootcert } };
}

function accessOf({ url, superuserPassword, superuser }: OfKind<"external">): ExternalAccess {
  const { host, port, database, user, sslmode, sslrootcert } = url;
  return {
    ...{ host, port, database, user, sslmode, superuser, password: pulumi.secret(superuserPassword) },
    caCertificate: sslrootcert === undefined ? undefined : readCertificates(sslrootcert),
    names: { user: "pgroundwork:url", superuser: "pgroundwork:superuser" },
  };
}

/** Makes a path relative to the folder below the project directory in which program and plugins run. */
function fromPlugins(path: string): string {
  return isAbsolute(path) ? path : join("..", path);
}

function readCertificates(file: string): string {
  try {
    return readFileSync(fromPlugins(file), "utf8");
  } catch (error) {
    throw new RunError(`sslrootcert of pgroundwork:url cannot be read: ${(error as Error).message}`);
  }
}
