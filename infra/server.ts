import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { backupIntervals } from "../scripts/backup/schedule.ts";
import { machineOf } from "../scripts/docker/host.ts";
import { OperationError } from "../scripts/errors/operation-error.ts";
import { availableExtensions } from "../scripts/server/binaries.ts";
import { authorityFile, writeAuthorityFile } from "../scripts/tls/authority-file.ts";
import type { DockerServer } from "./components/docker-server.ts";
import type { Server } from "./components/server.ts";
import type { ServerRoles } from "./components/server-roles.ts";
import { reachableHost } from "./plan/container.ts";
import { memoryFault } from "./plan/container-memory.ts";
import { imageExtensions, preloadLibraries } from "./plan/image-extensions.ts";
import { planMemory } from "./plan/tuning.ts";
import type { Settings } from "./settings.ts";

/** The clone. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** Memory is planned in steps of this many MB, so that a kernel update does not restart a server. */
const memoryStep = 256;

type OfKind<Kind extends Settings["server"]> = Extract<Settings, { server: Kind }>;

/** What a stack exports of what stands beside its server. */
export interface Beside {
  monitoring?: { prometheus: pulumi.Output<string> };
  backups?: Record<string, unknown>;
}

/** A stack's server, and what it exports beside what every kind does: where commands find it and its data. */
export interface DeclaredServer {
  server: Server;
  place: Record<string, unknown>;
  /** Declares what stands beside the server, once the roles are declared that it logs in as; answers what the stack exports of it. */
  beside?: (roles: ServerRoles) => Promise<Beside>;
}

/**
 * The one place that tells the kinds of server apart.
 *
 * @param extensions names of those that its databases are to have
 */
export async function serverFor(settings: Settings, extensions: readonly string[]): Promise<DeclaredServer> {
  switch (settings.server) {
    case "embedded":
      return embedded(settings);
    case "docker":
      return inContainer(settings, extensions);
    case "external":
      return external(settings);
  }
}

/** The extensions that the server can have; undefined: it is not known before it runs. */
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

/** What each kind of server has beside what is asked for. */
export const whatItHas: Readonly<Record<Settings["server"], string>> = {
  embedded: "It has PostgreSQL's contrib extensions only.",
  docker:
    "Its image has contrib, pgaudit, pg_cron, pg_partman and pgvector, and PostGIS where pgroundwork:postgis is true.",
  external: "Install them on its machine.",
};

async function embedded(settings: OfKind<"embedded">): Promise<DeclaredServer> {
  const { EmbeddedServer } = await import("./components/embedded-server.ts");
  const { port, dataDirectory, passwordVersion: passwordKeeper, readyTimeout } = settings;
  const os = process.platform === "darwin" ? "mac" : "linux";
  const planned = plannedSettings(settings, os, availableParallelism());
  const server = new EmbeddedServer("server", { port, dataDirectory, settings: planned, passwordKeeper, readyTimeout });
  return { server, place: { dataDirectory: server.dataDirectory, logDirectory: server.logDirectory } };
}

async function inContainer(settings: OfKind<"docker">, extensions: readonly string[]): Promise<DeclaredServer> {
  const { DockerServer } = await import("./components/docker-server.ts");
  const { dockerHost, image, postgis, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups } = settings;
  const planned = plannedSettings(settings, "linux", cpus ?? availableParallelism());
  const fault = memoryFault(memory, planned);
  if (fault !== undefined)
    throw new OperationError(`The server does not fit into its container: ${fault}.`, {
      remedy: "Set pgroundwork:memory higher, or shared_buffers in pgroundwork:postgresql lower.",
    });
  const server = new DockerServer("server", {
    ...{ dockerHost, image, postgis, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups },
    settings: { shared_preload_libraries: preloadLibraries(extensions), ...planned },
    passwordKeeper: settings.passwordVersion,
    protect: settings.protected,
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    authorityFile: (bundle) => {
      writeAuthorityFile(root, pulumi.getStack(), bundle);
      // Program and plugins run in this folder: the path is the same in every clone, and moves no provider.
      return join("..", authorityFile(pulumi.getStack()));
    },
    host: settings.host ?? reachableHost(bindAddress, machineOf(dockerHost)),
  });
  const { container, dataVolume, caCertificate } = server;
  return {
    server,
    place: { container, dataVolume, caCertificate, dockerHost, owner: server.place.owner },
    beside: async (roles) => {
      const { metrics, ...backups } = await backedUp(settings, server, roles);
      return { ...(await monitored(settings, server, roles, metrics)), ...backups };
    },
  };
}

async function monitored(
  { monitoring, backups, readyTimeout }: OfKind<"docker">,
  server: DockerServer,
  roles: ServerRoles,
  textfiles: pulumi.Output<string> | undefined,
): Promise<Beside> {
  if (monitoring === undefined) return {};
  const { Monitoring } = await import("./components/monitoring.ts");
  const { place, network, caCertificate: authorities, dataVolume: data, repository } = server;
  const { prometheus } = new Monitoring("monitoring", {
    ...{ place, network, authorities, readyTimeout, textfiles },
    ...{ login: roles.logins.monitor, roles: roles.roles },
    volumes: { data, ...(repository === undefined ? {} : { backup: repository.volume }) },
    backupIntervals: (backups && backupIntervals(backups)) ?? {},
    ...monitoring,
  });
  return { monitoring: { prometheus } };
}

/** How long a segment of the write-ahead log may take into the repository, in seconds. */
const archiveTimeout = 60;

/** @returns `metrics`: a volume with what is told to Prometheus of the backups */
async function backedUp(
  { backups }: OfKind<"docker">,
  server: DockerServer,
  { roles }: ServerRoles,
): Promise<Beside & { metrics?: pulumi.Output<string> }> {
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
  const server = new ExternalServer("server", { ...accessOf(settings), readyTimeout: settings.readyTimeout });
  return { server, place: { sslrootcert: settings.url.sslrootcert } };
}

function accessOf({ url, superuserPassword, superuser }: OfKind<"external">) {
  return { connection: url, password: pulumi.secret(superuserPassword), superuser };
}

type Planned = Pick<OfKind<"embedded">, "memory" | "profile" | "storage" | "maxConnections" | "postgresql">;

/** postgresql.conf for the memory and the workload, with the stack's own settings over it. */
function plannedSettings(
  { memory, profile, storage, maxConnections, postgresql }: Planned,
  os: "linux" | "mac",
  cpus: number,
) {
  const memoryMegabytes = memory ?? Math.floor(totalmem() / 2 ** 20 / memoryStep) * memoryStep;
  return { ...planMemory({ memoryMegabytes, cpus, os, profile, storage, maxConnections }), ...postgresql };
}
