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
        const { Running, Status } = found.State;
        return Running ? undefined : `the container ${server.container} is ${Status}`;
      });
    case "external":
      return undefined;
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
    ...(monitoring === undefined ? [] : monitoringRoles),
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
