import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { exitCode, OperationError } from "../scripts/core/operation-error.ts";
import { cronDatabase, cronExtension, cronSettings, type WithJobs } from "../scripts/model/cron.ts";
import { machineOf } from "../scripts/model/docker-host.ts";
import type { DumpPlan } from "../scripts/model/dump-plan.ts";
import { imageExtensions, preloadLibraries } from "../scripts/model/image-extensions.ts";
import { isRemote, type Repository } from "../scripts/model/repository.ts";
import { restoreVariable } from "../scripts/model/restore-variable.ts";
import type { ServerLocation, ServerOutput } from "../scripts/model/stack-outputs.ts";
import { availableExtensions } from "../scripts/server/binaries.ts";
import type { Settings } from "../scripts/settings/settings.ts";
import { caFile, writeCaFile } from "../scripts/tls/ca-file.ts";
import type { ExternalAccess, WithExtensions } from "./components/external-server.ts";
import { plannedSettings, plannedSettingsHere } from "./components/planned-settings.ts";
import type { Server } from "./components/server.ts";
import type { PlannedRepository } from "./plan/backups.ts";
import { reachableHost } from "./plan/container.ts";
import { memoryFault } from "./plan/container-memory.ts";
import { dumpPlanOf } from "./plan/dumps.ts";
import {
  type Declared,
  type DeclaredObjects,
  declareSidecars,
  requireImages,
  type SidecarOutputs,
} from "./sidecars.ts";

/** The project directory. */
const root = fileURLToPath(new URL("..", import.meta.url));

type OfKind<Kind extends Settings["server"]> = Extract<Settings, { server: Kind }>;

/** A stack's server, and the outputs that only its kind has. */
export interface DeclaredServer {
  server: Server;
  location: Declared<ServerLocation>;
  /** CA certificates that its clients trust, or the path of a file that has them. */
  trust?: Declared<Pick<ServerOutput, "caCertificate" | "sslrootcert">>;
  /** Plan of the dumps that `backup dump --due` makes. Absent if none are planned, or if a sidecar makes them. */
  dumps?: DumpPlan | undefined;
  /** Declares the sidecars once the roles and databases are declared that they use. Returns their stack outputs. */
  sidecars?: (declared: DeclaredObjects) => Promise<SidecarOutputs>;
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
  const location = { kind: "embedded", dataDirectory: data, logDirectory } as const;
  return { server, location, dumps: dumpPlanOf(settings.backups?.dumps) };
}

async function inContainer(settings: OfKind<"docker">, databases: readonly WithJobs[]): Promise<DeclaredServer> {
  const { DockerServer } = await import("./components/docker-server.ts");
  const { compareWithEngine } = await import("./components/checks/docker-state.ts");
  const { dockerHost, image, bindAddress, memory, cpus, shmSize, port, readyTimeout } = settings;
  const backups = settings.backups && { ...settings.backups, repositories: withCaTexts(settings.backups.repositories) };
  const planned = plannedSettings(settings, { os: "linux", cpus: cpus ?? availableParallelism(), hasLz4: true });
  const fault = memoryFault(memory, planned);
  if (fault !== undefined)
    throw new OperationError(`The server does not fit into its container: ${fault}.`, {
      hint: "Increase pgroundwork:memory, or reduce shared_buffers in pgroundwork:postgresql.",
    });
  await requireImages(settings);
  const imageTrigger = await compareWithEngine({ dockerHost });
  const server = new DockerServer("server", {
    ...{ dockerHost, image, bindAddress, memory, cpus, shmSize, port, readyTimeout, backups },
    restore: requestedRestore(settings),
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
    sidecars: (objects) => declareSidecars(settings, server, objects, { databases, planned }),
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

/**
 * Returns what `up --restore-from-backup` asked for: `latest`, or a time. Undefined if it did not ask.
 *
 * @throws OperationError (wrong usage) if there is no remote repository, or if its passphrase is not known
 */
function requestedRestore({ backups }: OfKind<"docker">): string | undefined {
  const restore = process.env[restoreVariable];
  if (restore === undefined || restore === "") return undefined;
  if (!backups?.repositories.some(isRemote))
    throw new OperationError(
      "--restore-from-backup needs a repository outside of the machine in pgroundwork:backups.repositories.",
      {
        hint: "A repository in a volume is lost with the machine.",
        exitCode: exitCode.usage,
      },
    );
  if (backups.passphrase === undefined)
    throw new OperationError("--restore-from-backup needs the passphrase of the backups.", {
      hint: "Set the one that the lost stack had: `pulumi config set --secret --path pgroundwork:backups.passphrase`.",
      exitCode: exitCode.usage,
    });
  return restore;
}

/** Reads the CA files of repositories. */
function withCaTexts(repositories: readonly Repository[]): PlannedRepository[] {
  return repositories.map((each, index) => {
    if (!("caFile" in each) || each.caFile === undefined) return each;
    const ca = readCertificates(each.caFile, `caFile of pgroundwork:backups.repositories[${index}]`);
    return { ...each, ca };
  });
}

async function external(settings: OfKind<"external">): Promise<DeclaredServer> {
  const { ExternalServer } = await import("./components/external-server.ts");
  const { url, readyTimeout } = settings;
  const file = url.sslrootcert === undefined ? {} : { sslrootcert: fromPlugins(url.sslrootcert) };
  const server = new ExternalServer("server", { ...accessOf(settings), ...file, readyTimeout });
  const trust = { sslrootcert: url.sslrootcert };
  return { server, location: { kind: "external" }, trust, dumps: dumpPlanOf(settings.backups?.dumps) };
}

function accessOf({ url, superuserPassword, superuser }: OfKind<"external">): ExternalAccess {
  const { host, port, database, user, sslmode, sslrootcert } = url;
  return {
    ...{ host, port, database, user, sslmode, superuser, password: pulumi.secret(superuserPassword) },
    caCertificate:
      sslrootcert === undefined ? undefined : readCertificates(sslrootcert, "sslrootcert of pgroundwork:url"),
    names: { user: "pgroundwork:url", superuser: "pgroundwork:superuser" },
  };
}

/** Makes a path relative to the folder below the project directory in which program and plugins run. */
function fromPlugins(path: string): string {
  return isAbsolute(path) ? path : join("..", path);
}

/** @param setting its name, for the message */
function readCertificates(file: string, setting: string): string {
  try {
    return readFileSync(fromPlugins(file), "utf8");
  } catch (error) {
    throw new RunError(`${setting} cannot be read: ${(error as Error).message}`);
  }
}
