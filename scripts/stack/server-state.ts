import { existsSync } from "node:fs";
import type { ContainerInfo } from "dockerode";
import { withClient } from "../connection/client.ts";
import { OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { labelsToFind } from "../model/labels.ts";
import type { ServerOutput, StackOutputs } from "../model/stack-outputs.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { serverConnection } from "./outputs.ts";

/** State of a stack's server. Unknown if it could not be asked. */
export type ServerState =
  /** `startedAt` is in ISO 8601, `version` is the running one. */
  | { state: "running"; startedAt: string; version: string }
  | { state: "stopped"; reason: string }
  | { state: "unknown"; reason: string };

/**
 * Asks the server of a stack since when it runs. A server that listens on the address of a stopped one is not taken for
 * it.
 */
export async function readServerState(outputs: StackOutputs): Promise<ServerState> {
  try {
    const stopped = await whyStopped(outputs.server);
    if (stopped !== undefined) return { state: "stopped", reason: stopped };
    const { rows } = await withClient(serverConnection(outputs), (client) =>
      client.query<{ since: Date; version: string }>(
        "select pg_postmaster_start_time() as since, current_setting('server_version') as version",
      ),
    );
    const [row] = rows;
    if (row === undefined) return { state: "unknown", reason: "The server did not answer." };
    return { state: "running", startedAt: row.since.toISOString(), version: row.version };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { state: "unknown", reason: error.message };
  }
}

/** Returns why the server does not run. Undefined if it runs, or if only a connection can tell. */
export async function whyStopped(server: ServerOutput): Promise<string | undefined> {
  switch (server.kind) {
    case "embedded": {
      if (!existsSync(server.dataDirectory)) return `its data directory does not exist: ${server.dataDirectory}`;
      return (await findPostmaster(server.dataDirectory)) === undefined ? "no server runs on its data" : undefined;
    }
    case "docker":
      return withDocker(server.dockerHost, async (docker) => {
        const found = await unlessMissing(docker.getContainer(server.container).inspect());
        if (found === undefined) return `the container ${server.container} does not exist`;
        const { ExitCode, Restarting, Running, Status } = found.State;
        if (Restarting)
          return `the container ${server.container} exits after each start, last with exit code ${ExitCode}`;
        return Running ? undefined : `the container ${server.container} is ${Status}`;
      });
    case "external":
      return undefined;
  }
}

/** A disk with a server's data that is full or nearly full. */
export interface LowDisk {
  /** True if the server cannot create another WAL segment. */
  full: boolean;
  /** Names the disk, its free space, and what to do. */
  text: string;
}

/** Measures the disk of a server's data. Returns null if it has enough space, or if it cannot be measured. */
export async function readLowDisk(server: ServerOutput): Promise<LowDisk | null> {
  const { diskSpaceAt, diskWarning, isFull } = await import("../server/disk-space.ts");
  switch (server.kind) {
    case "embedded": {
      const space = await diskSpaceAt(server.dataDirectory);
      const text = space && diskWarning(`The disk of ${server.dataDirectory}`, space, "Free space on it.");
      return space === undefined || text === undefined ? null : { full: isFull(space), text };
    }
    case "docker": {
      const { makeRoomForVolumes, volumeSpaceOf } = await import("../docker/server/disk-space.ts");
      const space = await withDocker(server.dockerHost, (docker) => volumeSpaceOf(docker, server.container)).catch(
        (error: unknown) => {
          // The server's state says so.
          if (error instanceof OperationError) return undefined;
          throw error;
        },
      );
      const text = space && diskWarning(`The filesystem of the volume ${space.volume}`, space, makeRoomForVolumes);
      return space === undefined || text === undefined ? null : { full: isFull(space), text };
    }
    case "external":
      return null;
  }
}

/** A container of a stack, besides its server. */
export interface ContainerState {
  name: string;
  running: boolean;
  /** Docker's words: `Up 3 hours (healthy)`, `Exited (1) 2 minutes ago`. */
  status: string;
}

/** Roles of the containers that monitor a server. */
const monitoringRoles = ["postgres-exporter", "volume-exporter", "prometheus"];

/** Lists the containers of a stack besides its server, or says why they are not known. */
export async function readContainers(
  { server, monitoring }: StackOutputs,
  owner: { project: string; stack: string },
): Promise<{ known: true; containers: ContainerState[] } | { known: false; reason: string }> {
  if (server.kind !== "docker") return { known: true, containers: [] };
  const declared = [
    ...(server.backups === undefined ? [] : ["backup"]),
    ...(server.backups?.second === undefined ? [] : ["backup-2"]),
    ...(server.backups?.evidence === undefined ? [] : ["drill"]),
    ...(monitoring === undefined ? [] : monitoringRoles),
    ...(monitoring?.alertmanager === undefined ? [] : ["alertmanager"]),
    ...(monitoring?.health === undefined ? [] : ["health"]),
    ...(monitoring?.grafana === undefined ? [] : ["grafana"]),
  ];
  try {
    const labels = labelsToFind({ ...owner, owner: server.owner });
    const found = await withDocker(server.dockerHost, (docker) =>
      docker.listContainers({ all: true, filters: { label: labels } }),
    );
    return { known: true, containers: containersBesides(server.container, found, declared) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}

/**
 * Returns the containers besides the server's, by name. A declared one that is gone is listed by its role.
 *
 * @param declared roles of which each has a container
 */
export function containersBesides(
  server: string,
  found: readonly Pick<ContainerInfo, "Names" | "Labels" | "State" | "Status">[],
  declared: readonly string[],
): ContainerState[] {
  const roleOf = ({ Labels }: (typeof found)[number]) => Labels["pgroundwork.role"] ?? "";
  const gone = declared.filter((role) => found.every((each) => roleOf(each) !== role));
  const there = found
    // Scratch containers belong to a command that is running.
    .filter((each) => roleOf(each) !== "scratch")
    .map(({ Names: [name = ""], State, Status }) => {
      return { name: name.replace(/^\//, ""), running: State === "running", status: Status };
    })
    .filter(({ name }) => name !== server);
  const missing = gone.map((role) => ({ name: role, running: false, status: "does not exist" }));
  return [...there, ...missing].sort((a, b) => (a.name < b.name ? -1 : 1));
}
