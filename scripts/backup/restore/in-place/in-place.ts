import type Docker from "dockerode";
import type { Known } from "../../../core/known.ts";
import { OperationError } from "../../../core/operation-error.ts";
import { poll } from "../../../core/poll.ts";
import { runInContainer } from "../../../docker/run-in-container.ts";
import { executeInContainer, queryInContainer } from "../../../docker/server/query.ts";
import { isRunning, startContainer } from "../../../docker/server/running.ts";
import { waitForServer } from "../../../docker/server/wait.ts";
import { type PausedWork, pausedFile } from "../../../model/paused-work.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import { createBackup } from "../../create.ts";
import type { Backup } from "../../info.ts";
import { noneKept, stillKept } from "../../kept-cluster.ts";
import { pgBackRest } from "../../pgbackrest.ts";
import { paths, repositoryOptions, type StackBackups } from "../../stack-backups.ts";
import { containerServer } from "../contents.ts";
import type { RestoreRequest } from "../request.ts";
import { type Restored, restoreNextToLive } from "../restore.ts";
import { tablespacesNextToLive } from "../tablespaces.ts";
import { type DeclaredAccess, restoreAccess } from "./access.ts";
import { requireArchiving, requireNoBackup, requireSameCluster } from "./before-restore.ts";
import {
  asOnlyCommand,
  type ClusterVolume,
  clusters,
  exchange,
  liveTablespaces,
  prepareFormer,
  prepareRestored,
  removeFolder,
  settleFolders,
  shutsOutClients,
  temporarySettings,
  withClusterVolume,
} from "./cluster-volume.ts";
import { folderName, keptCluster } from "./layout.ts";
import { findDifferences, type StackDifferences, setPasswords } from "./logins.ts";
import { countLostCommits, type LostCommits } from "./lost-commits.ts";
import { pauseWork, resumeWork } from "./paused-work.ts";

/** Arguments of an in-place restore, an undo or a finish. */
export interface InPlaceRequest extends Omit<RestoreRequest, "to" | "accept" | "examine"> {
  /** Outputs of the stack when the command began. */
  outputs: StackOutputs;
  /**
   * Runs work while no other command changes the stack, with its outputs at that time. An `up` at the same time would
   * set passwords and apply migrations on the cluster that goes.
   */
  exclusively: <T>(work: (outputs: StackOutputs) => Promise<T>) => Promise<T>;
  /** Reads the roles and privileges that the stack's state declares. */
  declaredAccess: () => Promise<DeclaredAccess>;
  /** Time limit for a start of the server, in seconds. */
  startSeconds: number;
  onNote: (text: string) => void;
}

/** Sessions of clients that the exchange ends. */
export type Sessions = { application: string; user: string; database: string }[];

/** Losses of an in-place restore, when it is confirmed. */
export interface Losses {
  sessions: Sessions;
  commits: Known<LostCommits>;
}

/** Result of an in-place restore. */
export interface InPlaceRestored extends Restored {
  /** Folder that keeps the former cluster. */
  kept: string;
  /** Name of the restore point at the end of the former cluster. null if its server did not run. */
  restorePoint: string | null;
  /** Time for which the server was stopped, in seconds. */
  downtimeSeconds: number;
  differences: StackDifferences;
  /** Jobs and subscriptions that do nothing until they are confirmed. */
  paused: PausedWork;
  /** Commits that only the former cluster has, when the restore was confirmed. */
  lostCommits: Known<LostCommits>;
  /** Full backup of the restored cluster, or the reason why there is none. */
  backup: string;
  newBackup: Backup | { failed: string };
}

/**
 * Restores a stack's cluster in its place. It is restored and verified next to the live one, which serves until then.
 * Then the server is stopped, both are exchanged, and the server is started. The former cluster is kept.
 *
 * @param confirm shows what will be lost; throws if it is not wanted
 * @throws OperationError; unless it says otherwise, the live cluster was not changed
 */
export async function restoreInPlace(
  docker: Docker,
  stack: StackBackups,
  request: InPlaceRequest,
  confirm: (restored: Restored, losses: Losses, paused: PausedWork) => Promise<void>,
): Promise<InPlaceRestored> {
  return withSettled(docker, stack, request, async (volume) => {
    const former = keptCluster(await volume.folders());
    if (former !== undefined) throw stillKept(former, folderName("before", former));
    // Its recovery could write to them: they have the same locations in the WAL.
    const tablespaces = await liveTablespaces(volume);
    if (tablespaces.length > 0)
      throw tablespacesNextToLive(`The stack's cluster has tablespaces (${tablespaces.join(", ")})`);
    await requireNoBackup(docker, stack);
    await requireArchiving(docker, stack);
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const restoring = folderName("restoring", time);
    let restored: Restored;
    let losses: Losses = { sessions: [], commits: { known: false, reason: "not counted" } };
    let paused: PausedWork = { jobsDatabase: null, jobs: [], subscriptions: [] };
    const examine = async (container: string) => {
      paused = await pauseWork(containerServer(docker, container));
    };
    try {
      const accept = (source: Parameters<typeof requireSameCluster>[1]) => requireSameCluster(volume, source);
      restored = await restoreNextToLive(docker, stack, { ...request, accept, examine }, `${clusters}/${restoring}`);
      request.onStep("counting the commits that will be lost");
      losses = {
        commits: await countLostCommits(docker, stack, restored.reached),
        sessions: await readSessions(docker, stack),
      };
      await confirm(restored, losses, paused);
      request.signal.throwIfAborted();
      await prepareRestored(volume, restoring, time, paused);
    } catch (error) {
      await removeFolder(volume, restoring).catch(() => {});
      throw error;
    }
    const kept = folderName("before", time);
    const exchanged = await removedUnlessBegun(volume, restoring, (begin) =>
      request.exclusively(async (outputs) => {
        begin();
        const restorePoint = await markPresent(docker, stack, `before_restore_${time}`, request);
        const began = performance.now();
        await stopServer(docker, stack, request);
        await startAgainIfFailed(docker, stack, () => exchange(volume, restoring, kept));
        const differences = await bringBack(docker, stack, { ...request, outputs });
        const downtimeSeconds = (performance.now() - began) / 1_000;
        return { restorePoint, downtimeSeconds, differences };
      }),
    );
    const lostCommits = losses.commits;
    return { ...restored, ...exchanged, kept, paused, lostCommits, newBackup: await backUp(docker, stack, request) };
  });
}

/**
 * Exchanges the restored cluster with the former one again. The former one has every row that it had; what was written
 * since the restore stays in a folder of its own. It starts on a new timeline.
 *
 * @throws OperationError if there is no former cluster
 */
export async function undoInPlace(
  docker: Docker,
  stack: StackBackups,
  request: InPlaceRequest,
  confirm: (time: string, sessions: Sessions) => Promise<void>,
): Promise<{ undone: string; downtimeSeconds: number; newBackup: Backup | { failed: string } }> {
  return withSettled(docker, stack, request, async (volume) => {
    const time = keptCluster(await volume.folders());
    if (time === undefined) throw noneKept();
    await requireNoBackup(docker, stack);
    await confirm(time, await readSessions(docker, stack));
    const [before, undone] = [folderName("before", time), folderName("undone", time)];
    const downtimeSeconds = await request.exclusively(async (outputs) => {
      const began = performance.now();
      await stopServer(docker, stack, request);
      await startAgainIfFailed(docker, stack, async () => {
        await prepareFormer(volume, before, archiveGet(stack));
        await exchange(volume, before, undone);
      });
      await bringBack(docker, stack, { ...request, outputs });
      return (performance.now() - began) / 1_000;
    });
    return { undone, downtimeSeconds, newBackup: await backUp(docker, stack, request) };
  });
}

/**
 * Removes the clusters that in-place restores kept.
 *
 * @throws OperationError if there are none
 */
export async function finishInPlace(
  docker: Docker,
  stack: StackBackups,
  request: InPlaceRequest,
  confirm: (folders: readonly string[]) => Promise<void>,
): Promise<string[]> {
  return withSettled(docker, stack, request, async (volume) => {
    const { others } = await volume.folders();
    const kept = others.map(({ role, time }) => folderName(role, time));
    if (kept.length === 0) throw noneKept();
    await confirm(kept);
    request.onStep("removing the former cluster");
    for (const name of kept) await removeFolder(volume, name);
    return kept;
  });
}

/**
 * Enables the jobs and subscriptions that a restore in place paused.
 *
 * @throws OperationError (wrong usage) if nothing is paused
 */
export async function resumeInPlace(
  docker: Docker,
  { server }: StackBackups,
  confirm: (paused: PausedWork) => Promise<void>,
): Promise<PausedWork> {
  return resumeWork(containerServer(docker, server), confirm, async () => {
    const command = ["rm", "-f", `${paths.data}/${pausedFile}`];
    const { code, stderr } = await runInContainer(docker, server, { command, user: "postgres" });
    if (code !== 0) throw new OperationError(`The list of paused jobs could not be removed: ${stderr.trim()}`);
  });
}

/** Returns the command with which the former cluster looks for the timelines in the archive. */
function archiveGet(stack: StackBackups): string {
  return `pgbackrest ${repositoryOptions(stack)} --no-archive-async archive-get %f "%p"`;
}

/** Runs work on the volume, after what a killed command left was completed or reverted. */
async function withSettled<T>(
  docker: Docker,
  stack: StackBackups,
  request: InPlaceRequest,
  work: (volume: ClusterVolume) => Promise<T>,
): Promise<T> {
  return withClusterVolume(docker, stack, (volume) =>
    asOnlyCommand(volume, async (wasKilled) => {
      for (const text of await settleFolders(volume)) request.onNote(text);
      if (wasKilled || (await shutsOutClients(volume))) {
        if (!(await isRunning(docker, stack.server)))
          request.onNote("starting the server, which a killed command stopped");
        // Also if it runs: the command may have started it, and not set its passwords.
        await bringBack(docker, stack, request);
      }
      return work(volume);
    }),
  );
}

/** Removes the restored cluster if the work fails before it began, because the stack was not free. */
async function removedUnlessBegun<T>(
  volume: ClusterVolume,
  folder: string,
  work: (begin: () => void) => Promise<T>,
): Promise<T> {
  let begun = false;
  try {
    return await work(() => {
      begun = true;
    });
  } catch (error) {
    if (!begun) await removeFolder(volume, folder).catch(() => {});
    throw error;
  }
}

/** Starts the stopped server again if some work on its volume fails. */
async function startAgainIfFailed(docker: Docker, { server }: StackBackups, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await startContainer(docker, server).catch(() => {});
    throw error;
  }
}

async function readSessions(docker: Docker, { server }: StackBackups): Promise<Sessions> {
  if (!(await isRunning(docker, server))) return [];
  return queryInContainer(
    docker,
    server,
    `select coalesce(nullif(application_name, ''), 'unnamed') as application, usename as user, datname as database
       from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by 1, 2, 3`,
  );
}

/** Creates a restore point at the end of the present, and archives it. null: the server does not run. */
async function markPresent(
  docker: Docker,
  { server, container }: StackBackups,
  name: string,
  { onStep, onNote }: InPlaceRequest,
): Promise<string | null> {
  if (!(await isRunning(docker, server))) {
    onNote("The server does not run, so its present has no restore point. Its cluster is kept.");
    return null;
  }
  onStep("archiving the present");
  await executeInContainer(docker, server, `select pg_create_restore_point('${name}')`);
  await pgBackRest(docker, container, ["check"]);
  return name;
}

/** Seconds that the server may take to shut down. It archives its last segment then. */
const stopSeconds = 600;

async function stopServer(docker: Docker, { server }: StackBackups, { onStep }: InPlaceRequest): Promise<void> {
  onStep("stopping the server");
  const container = docker.getContainer(server);
  if (await isRunning(docker, server)) await container.stop({ t: stopSeconds });
  const { State } = await container.inspect();
  if (!State.Running && !State.Restarting) return;
  throw new OperationError(`The container ${server} did not stop.`, {
    hint: "Nothing was changed. Stop it with `docker stop`, then run again.",
  });
}

/** Starts the server on the exchanged cluster with the stack's passwords, roles and privileges, and accepts clients. */
async function bringBack(docker: Docker, stack: StackBackups, request: InPlaceRequest): Promise<StackDifferences> {
  try {
    const differences = await startExchanged(docker, stack, request);
    const { server } = stack;
    await restoreAccess(containerServer(docker, server), await request.declaredAccess(), (database, reason) =>
      request.onNote(
        `Privileges in the database ${database} could not be set: ${reason} \`refresh\`, then \`up\`, set them.`,
      ),
    );
    if (differences.missingRoles.length === 0) return differences;
    return { ...differences, missingRoles: await setPasswords(docker, server, request.outputs) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new OperationError(error.message, {
      hint: "The clusters are exchanged. `npm run pgw -- backup restore --undo` returns to the former one, if this was no undo.",
      cause: error,
    });
  }
}

async function startExchanged(
  docker: Docker,
  { server }: StackBackups,
  request: InPlaceRequest,
): Promise<StackDifferences> {
  request.onStep("starting the server");
  // From here on, an interruption would only leave the work half done.
  const { signal } = new AbortController();
  await startContainer(docker, server);
  await waitForServer(docker, server, request.startSeconds, signal);
  await untilPromoted(docker, server, request.startSeconds);
  const missing = await setPasswords(docker, server, request.outputs);
  const resets = temporarySettings.map((name) => `alter system reset ${name};`);
  await executeInContainer(docker, server, [...resets, "select pg_reload_conf();"].join("\n"));
  return findDifferences(docker, server, request.outputs, missing);
}

async function untilPromoted(docker: Docker, server: string, seconds: number): Promise<void> {
  const query = "select pg_is_in_recovery() as recovering";
  const attempt = async () => {
    const [found] = await queryInContainer<{ recovering: boolean }>(docker, server, query);
    return found?.recovering === false ? true : undefined;
  };
  await poll(attempt, {
    intervalMs: 200,
    timeoutMs: seconds * 1_000,
    timedOut: () =>
      new OperationError(`The server did not end its recovery within ${seconds} s.`, {
        hint: "See its log: `npm run pgw -- logs`. It runs on the exchanged cluster.",
      }),
  });
}

/** Makes a full backup, because restores of the new timeline should not depend on an earlier one. */
async function backUp(
  docker: Docker,
  { container }: StackBackups,
  { onStep }: InPlaceRequest,
): Promise<Backup | { failed: string }> {
  onStep("making a full backup");
  try {
    return await createBackup(docker, container, "full");
  } catch (error) {
    if (error instanceof OperationError) return { failed: error.message };
    throw error;
  }
}
