import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { lastLogLines } from "../../docker/container-log.ts";
import { withScratchContainer } from "../../docker/scratch-container.ts";
import { executeInContainer } from "../../docker/server/query.ts";
import { waitForServer } from "../../docker/server/wait.ts";
import { paths, type StackBackups } from "../stack-backups.ts";
import { markText, unfinishedMark } from "./begun-restore.ts";
import { type ClusterContents, containerServer, hasHalfDropped, readContents } from "./contents.ts";
import { extractDirectory } from "./extract-directory.ts";
import { type Recovery, readRecovery, restoreCommand } from "./recovery.ts";
import type { RestorePlace, RestoreRequest } from "./request.ts";
import {
  commandWithLocations,
  hasTablespaces,
  type Locations,
  locationThatStopped,
  settleTablespaces,
  tablespacesNextToLive,
} from "./tablespaces.ts";

/** Results of a server that ran on a restored cluster. */
export interface ProvenCluster extends ClusterContents {
  recovery: Recovery;
  /** True if recovery stopped at its goal, false if it read the WAL to the end without finding it. */
  foundGoal: boolean;
}

/** Target of a recovery that stops before the end of the archive. */
export interface RecoveryGoal {
  /** Settings of PostgreSQL that name the target. */
  settings: Readonly<Record<string, string>>;
  /** Last segment to replay, without its timeline. */
  lastSegment: string;
  /** Timeline to follow. */
  timeline: number;
  /**
   * Finds an earlier goal with the same commits, if recovery ended while a database was being dropped. Omit to take the
   * cluster as it is. undefined: there is none.
   */
  beforeDrop?: (recovery: Recovery) => Promise<RecoveryGoal | undefined>;
}

/** A recovery that ended while a database was being dropped. Its server was shut down, and nothing was delivered. */
export interface HalfDropped {
  /** Goal of another recovery, before the drop began. */
  earlier: RecoveryGoal;
  /** Tablespaces that the WAL creates. */
  locations: Locations;
}

/**
 * Settings that differ from the stack's server. The restored server is isolated, starts no extra processes, and needs
 * little memory.
 */
const overrides: Readonly<Record<string, string>> = {
  listen_addresses: "",
  ssl: "off",
  archive_mode: "off",
  shared_preload_libraries: "",
  // A subscription would take changes from its publisher, which the container may reach if the repository is remote.
  max_logical_replication_workers: "0",
  shared_buffers: "128MB",
  huge_pages: "off",
  // With hot_standby, recovery would need limits as high as the stack's, and the server would accept sessions during
  // recovery.
  hot_standby: "off",
  // Prepared transactions of the time of the backup need as many slots as the server had then. The stack's setting may
  // be lower today. 2,000 slots take about 40 MB.
  max_prepared_transactions: "2000",
};

/**
 * Memory of the restored server, in MB: more than it needs, since a stack can have thousands of connections, for which
 * every server reserves memory.
 */
const memoryMb = 2048;

/** A tablespace's location can be at any path of the image. Root creates the link there, then becomes postgres. */
const linksAnywhere = {
  user: "0",
  writesToImage: true,
  capabilities: ["DAC_OVERRIDE", "KILL", "SETGID", "SETUID"],
} as const;

/** PostgreSQL's message if it has replayed all WAL and not found the target. */
const goalNotFound = "recovery ended before configured recovery target was reached";

/**
 * Returns the settings of a recovery. If its goal was not found in the WAL, the WAL's end is the goal: nothing that was
 * replayed is beyond the target.
 */
function recoverySettingsFor(
  stack: StackBackups,
  goal: RecoveryGoal | undefined,
  isSearched: boolean,
): Record<string, string> {
  if (goal === undefined) return { restore_command: restoreCommand(stack) };
  return {
    restore_command: restoreCommand(stack, goal.lastSegment),
    recovery_target_timeline: String(goal.timeline),
    ...(isSearched ? { ...goal.settings, recovery_target_action: "promote" } : {}),
  };
}

/** Resets the settings that controlled recovery and are no longer needed. */
const resetRecovery = [
  "restore_command",
  "archive_mode",
  "recovery_target",
  "recovery_target_action",
  "recovery_target_timeline",
]
  .map((name) => `alter system reset ${name};`)
  .join("\n");

/**
 * Starts a server on a restored cluster, reads every row, shuts the server down and delivers the cluster to its
 * destination.
 *
 * @param known tablespaces that an earlier recovery met
 * @returns what the server read, or where another recovery has to end
 */
export async function proveCluster(
  docker: Docker,
  stack: StackBackups,
  { volume, data, nextToLive, becomesLive }: RestorePlace,
  request: RestoreRequest,
  goal?: RecoveryGoal,
  known: Locations = new Map(),
): Promise<ProvenCluster | HalfDropped> {
  const { to, holder, signal, onStep } = request;
  const place = { docker, stack, volume, data, nextToLive, becomesLive, request };
  const read = async (container: Docker.Container): Promise<ClusterContents> => {
    await request.examine?.(container.id);
    onStep("reading every row");
    return readContents(containerServer(docker, container.id), signal);
  };
  const deliver = async (container: Docker.Container): Promise<void> => {
    await stop(container);
    if (nextToLive || to.kind === "scratch") return;
    if (to.kind === "volume") return finishVolume(place);
    onStep(`copying it to ${to.path}`);
    const archive = await container.getArchive({ path: paths.data });
    await extractDirectory(archive as Readable, to.path, markText(holder), signal);
  };

  onStep("starting a server on it for recovery");
  const recoverWith = async (container: Docker.Container) => {
    const recovery = await readRecovery(docker, container.id);
    if (goal?.beforeDrop !== undefined && (await hasHalfDropped(containerServer(docker, container.id)))) {
      const earlier = await goal.beforeDrop(recovery);
      if (earlier !== undefined) {
        await stop(container);
        return { earlier };
      }
    }
    await executeInContainer(docker, container.id, resetRecovery);
    if (await hasTablespaces(docker, container.id)) {
      if (nextToLive) throw tablespacesNextToLive("The restored cluster has tablespaces");
      await stop(container);
      return { recovery, contents: undefined };
    }
    const contents = await read(container);
    await deliver(container);
    return { recovery, contents };
  };
  let run = await withServer(place, recoverySettingsFor(stack, goal, true), recoverWith, known);
  const foundGoal = run.result !== undefined;
  // Recovery goes on where it stopped.
  if (!foundGoal) run = await withServer(place, recoverySettingsFor(stack, goal, false), recoverWith, run.locations);
  const { result, locations } = run;
  if (result === undefined) throw new Error("The server missed a recovery target that it was not given.");
  if (result.earlier !== undefined) return { earlier: result.earlier, locations };
  const { recovery, contents } = result;
  if (contents !== undefined) return { ...contents, recovery, foundGoal };

  onStep("copying its tablespaces");
  await settleTablespaces(docker, stack, volume, locations, to);
  // Read again, so that the verified copy is the one the receiver gets, including its links.
  const settled = await withServer(place, {}, async (container) => {
    const found = await read(container);
    await deliver(container);
    return found;
  });
  if (settled.result === undefined) throw new Error("The server missed a recovery target that it was not given.");
  return { ...settled.result, recovery, foundGoal };
}

/** Removes the mark that says that the cluster in a volume is not complete. */
async function finishVolume({ docker, stack, volume }: ScratchPlace): Promise<void> {
  const command = ["rm", `${paths.cluster}/${unfinishedMark}`];
  await withScratchContainer(docker, specOf(stack, volume, command), async (container) => {
    await container.start();
    const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
    if (code !== 0) throw new OperationError(`Cannot remove ${unfinishedMark} from the volume ${volume}.`);
  });
}

interface ScratchPlace {
  docker: Docker;
  stack: StackBackups;
  volume: string;
  data: string;
  nextToLive: boolean;
  becomesLive: boolean;
  request: RestoreRequest;
}

/**
 * Setting of a server whose cluster becomes the live one: it keeps every segment of its new timeline, because the live
 * server archives them later.
 */
const keepsSegments: Readonly<Record<string, string>> = { wal_keep_size: "1TB" };

/**
 * Runs work with a server on a restored cluster. If recovery stops at a missing tablespace location, the server is
 * started again with that location.
 *
 * @returns no result if the server replayed all WAL and did not find its recovery target
 */
async function withServer<T>(
  { docker, stack, volume, data, nextToLive, becomesLive, request }: ScratchPlace,
  recovery: Readonly<Record<string, string>>,
  work: (container: Docker.Container) => Promise<T>,
  known: Locations = new Map(),
): Promise<{ result: T | undefined; locations: Locations }> {
  const settings = {
    config_file: `${paths.configuration}/postgresql.conf`,
    hba_file: `${paths.configuration}/pg_hba.conf`,
    ident_file: `${paths.configuration}/pg_ident.conf`,
    ...overrides,
    ...(becomesLive ? keepsSegments : {}),
    ...recovery,
  };
  const given = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = ["postgres", "-D", data, ...given];
  for (let locations = known; ; ) {
    const spec = {
      ...specOf(stack, volume, commandWithLocations(locations, server)),
      ...(locations.size === 0 ? {} : linksAnywhere),
      memoryMb,
    };
    const outcome = await withScratchContainer(docker, spec, async (container) => {
      await container.start();
      try {
        await waitForServer(docker, container.id, request.recoverySeconds, request.signal);
      } catch (error) {
        if ((await lastLogLines(docker, container.id, 20)).includes(goalNotFound)) return { result: undefined };
        const more = await locationThatStopped(docker, container.id, locations);
        if (more === undefined) throw error;
        if (nextToLive) throw tablespacesNextToLive("The cluster gets a tablespace before the target");
        return { more };
      }
      return { result: await work(container) };
    });
    if ("result" in outcome) return { result: outcome.result, locations };
    locations = outcome.more;
  }
}

async function stop(container: Docker.Container): Promise<void> {
  await container.stop({ t: 300 });
  const { State } = await container.inspect();
  if (State.ExitCode !== 0)
    throw new OperationError(`The restored server did not shut down cleanly (exit code ${State.ExitCode}).`);
}

/** Returns the specification of a container that works on a restored cluster. */
export function specOf({ owner, image, network, volumes }: StackBackups, volume: string, command: readonly string[]) {
  return {
    owner,
    image,
    network,
    command,
    volumes: { [paths.cluster]: volume },
    scratchFolders: ["/tmp", "/var/run/postgresql", "/var/spool/pgbackrest"],
    readOnlyVolumes: { [paths.repository]: volumes.repository, [paths.configuration]: volumes.configuration },
  };
}
