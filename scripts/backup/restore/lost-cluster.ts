import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { ownHolder } from "../../docker/scratch-holder.ts";
import { isEmptyRepository, readRepository } from "../info.ts";
import { pgBackRest } from "../pgbackrest.ts";
import { paths, type StackBackups, withRepositoryContainer } from "../stack-backups.ts";
import { unfinishedMark } from "./begun-restore.ts";
import { type ClusterVolume, clusters, prepareLive, withClusterVolume } from "./in-place/cluster-volume.ts";
import { type Restored, restoreIntoEmpty } from "./restore.ts";

/** Time limit in seconds for the recovery of a restored server, which replays the WAL archived since the backup. */
const recoverySeconds = 6 * 3_600;

/** Maximum lifetime of the container that reads the repository, in seconds, in case it is not removed. */
const lifetimeSeconds = 600;

/** Arguments of the restore of a cluster whose machine is lost. */
export interface LostClusterRequest {
  /** Time to restore, with its zone. Omit to restore everything that is archived. */
  time?: string | undefined;
  signal: AbortSignal;
  onStep: (step: string) => void;
}

/**
 * Restores the cluster of a stack whose machine is lost into the stack's own empty volume, and verifies every row. The
 * stack's server then continues on a new timeline. If an earlier call was killed, it begins again.
 *
 * @throws OperationError (not allowed) if the volume has a cluster
 */
export async function restoreLostCluster(
  docker: Docker,
  stack: StackBackups,
  { time, signal, onStep }: LostClusterRequest,
): Promise<Restored> {
  await withClusterVolume(docker, stack, async (volume) => {
    const state = await readState(volume);
    if (state === "cluster") throw hasCluster(stack);
    if (state === "unfinished") await volume.runAlone(`rm -rf ${clusters}`);
  });
  const restored = await restoreIntoEmpty(docker, stack, {
    holder: await ownHolder(),
    ...(time === undefined ? {} : { point: { target: { kind: "time", text: time }, inclusive: true } }),
    ...{ recoverySeconds, signal, onStep },
  });
  const owner = await withRepositoryContainer(docker, stack, { lifetimeSeconds }, (container) =>
    nextOwner(docker, container),
  );
  await withClusterVolume(docker, stack, async (volume) => {
    await writeOwner(volume, owner);
    await prepareLive(volume);
  });
  return restored;
}

/**
 * Returns the next owner of a repository: a higher generation than its backups have. The server that they come from may
 * still run, and loses the repository with the first backup of the new owner.
 */
async function nextOwner(docker: Docker, container: string): Promise<string> {
  const info = await pgBackRest(docker, container, ["info", "--output=json"]);
  const generations = [...info.matchAll(/"pgroundwork-owner" *: *"(\d+)-/g)].map(([, generation]) =>
    Number(generation),
  );
  return `${Math.max(0, ...generations) + 1}-${randomBytes(8).toString("hex")}`;
}

/** Writes the owner beside the cluster, where the image's repository-owner reads it. */
async function writeOwner(volume: ClusterVolume, owner: string): Promise<void> {
  const file = `${paths.cluster}/repository-owner`;
  await volume.run(`printf '%s\n' "$1" >${file}.new; mv ${file}.new ${file}; sync ${paths.cluster}`, owner);
}

/**
 * Requires that a repository has no backups of another cluster if the stack's volume has no cluster yet. The server
 * would start empty, and could not archive.
 *
 * @throws OperationError (not allowed) if it has some, or if it cannot be read
 */
export async function requireOwnRepository(docker: Docker, stack: StackBackups): Promise<void> {
  const state = await withClusterVolume(docker, stack, readState);
  if (state === "cluster") return;
  if (state === "unfinished") throw unfinished();
  await withRepositoryContainer(docker, stack, { lifetimeSeconds }, async (container) => {
    const { backups, fault, wal } = await readRepository(docker, container);
    if (backups.length > 0 || wal !== undefined) throw belongsToOther();
    if (fault !== undefined && !isEmptyRepository(fault)) throw fault;
  });
}

/** State of the volume of a stack's cluster. `unfinished`: a restore into it was killed. */
type VolumeState = "empty" | "unfinished" | "cluster";

async function readState(volume: ClusterVolume): Promise<VolumeState> {
  const script = `cd ${paths.cluster}; if [ -e ${unfinishedMark} ]; then echo unfinished
    elif [ -e 17/data/PG_VERSION ] || [ -n "$(ls -d 17/data.* 2>/dev/null)" ]; then echo cluster; else echo empty; fi`;
  return (await volume.run(script)).trim() as VolumeState;
}

function hasCluster({ volumes }: StackBackups): OperationError {
  return new OperationError(`The volume ${volumes.data} already has a cluster, so nothing was restored.`, {
    hint: "To go back to an earlier time, use `npm run pgw -- backup restore --in-place`. To start from the backup, first remove the volume.",
    exitCode: exitCode.notAllowed,
  });
}

function unfinished(): OperationError {
  return new OperationError("A restore of this stack's cluster was interrupted, and the cluster is not complete.", {
    hint: "Run `up` with --restore-from-backup again. It begins the restore again.",
    exitCode: exitCode.notAllowed,
  });
}

function belongsToOther(): OperationError {
  return new OperationError("The repository has backups of another cluster, and this stack has no cluster yet.", {
    hint:
      "If this stack's machine was lost, restore it: `npm run pgw -- up --restore-from-backup`. " +
      "Otherwise set another path in pgroundwork:backups.repositories.",
    exitCode: exitCode.notAllowed,
  });
}
