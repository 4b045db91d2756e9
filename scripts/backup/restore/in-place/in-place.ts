import type Docker from "dockerode";
import { OperationError } from "../../../core/operation-error.ts";
import { runInContainer } from "../../../docker/run-in-container.ts";
import { isRunning } from "../../../docker/server/running.ts";
import { type PausedWork, pausedFile } from "../../../model/paused-work.ts";
import type { Backup } from "../../info.ts";
import { noneKept, stillKept } from "../../kept-cluster.ts";
import { paths, repositoryOptions, type StackBackups } from "../../stack-backups.ts";
import { containerServer } from "../contents.ts";
import { type Restored, restoreNextToLive } from "../restore.ts";
import { tablespacesNextToLive } from "../tablespaces.ts";
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
  withClusterVolume,
} from "./cluster-volume.ts";
import { backUp, bringBack, requireBackupOfTimeline, startAgainIfFailed, stopServer } from "./exchanged-server.ts";
import type { InPlaceRequest, InPlaceRestored, Losses, Sessions, StartRequest } from "./in-place-request.ts";
import { folderName, keptCluster } from "./layout.ts";
import { passwordsOf, requireFreeLogins } from "./logins.ts";
import { countLostCommits } from "./lost-commits.ts";
import { pauseWork, resumeWork } from "./paused-work.ts";
import { markPresent, readSessions } from "./present.ts";

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
    if (former !== undefined)
      throw stillKept({ time: former, folder: folderName("before", former) }, stack.owner.stack);
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
      const server = containerServer(docker, container);
      paused = await pauseWork(server);
      await requireFreeLogins(server, passwordsOf(request.outputs, await request.declaredAccess()).keys());
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
  // The restored cluster may be the reason why its server cannot be brought back, and it is left in any case.
  return withSettled(docker, stack, { ...request, mayFail: true }, async (volume, settled) => {
    const time = keptCluster(await volume.folders());
    if (time === undefined) throw noneKept(settled.length > 0);
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
 * Removes the clusters that in-place restores kept. A restore that was killed may not have made its backup, so that is
 * made first.
 *
 * @throws OperationError if there are none, or if there is no backup of the restored cluster and none can be made
 */
export async function finishInPlace(
  docker: Docker,
  stack: StackBackups,
  request: InPlaceRequest,
  confirm: (folders: readonly string[]) => Promise<void>,
): Promise<string[]> {
  return withSettled(docker, stack, request, async (volume, settled) => {
    const { others } = await volume.folders();
    const kept = others.map(({ role, time }) => folderName(role, time));
    if (kept.length === 0) throw noneKept(settled.length > 0);
    await confirm(kept);
    await requireBackupOfTimeline(docker, stack, request);
    request.onStep("removing the former cluster");
    for (const name of kept) await removeFolder(volume, name);
    return kept;
  });
}

/**
 * Completes or reverts what a killed restore in place, undo or finish left, and starts the server.
 *
 * @returns what was done, for the user
 */
export async function completeKilled(
  docker: Docker,
  stack: StackBackups,
  request: StartRequest,
): Promise<readonly string[]> {
  return withSettled(docker, stack, request, async (_, settled) => settled);
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
  { mayFail = false, ...request }: StartRequest & { mayFail?: boolean },
  work: (volume: ClusterVolume, settled: readonly string[]) => Promise<T>,
): Promise<T> {
  return withClusterVolume(docker, stack, (volume) =>
    asOnlyCommand(volume, async (wasKilled) => {
      const settled = await settleFolders(volume);
      for (const text of settled) request.onNote(text);
      if (wasKilled || (await shutsOutClients(volume))) {
        if (!(await isRunning(docker, stack.server)))
          request.onNote("starting the server, which a killed command stopped");
        // Also if it runs: the command may have started it, and not set its passwords.
        await bringBack(docker, stack, request).catch((error: unknown) => {
          if (!mayFail || !(error instanceof OperationError)) throw error;
          request.onNote(error.message);
        });
      }
      return work(volume, settled);
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
