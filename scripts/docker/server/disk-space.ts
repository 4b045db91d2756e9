import type Docker from "dockerode";
import { type DiskSpace, describeSpace, isLow, saysDiskFull } from "../../server/disk-space.ts";
import { lastLogLines } from "../container-log.ts";
import { runInContainer } from "../run-in-container.ts";
import { withScratchContainer } from "../scratch-container.ts";

/** Mount path of the volume with the cluster (infra/images/postgres). */
const cluster = "/var/lib/postgresql";

const df = ["df", "--block-size=1", "--output=used,avail", cluster];

/** Hint for freeing space for a volume. */
export const makeRoomForVolumes =
  "Free space where the Docker engine keeps its volumes (`docker system df` shows what uses it).";

/** Space of a server's volume. */
export interface VolumeSpace extends DiskSpace {
  volume: string;
}

/**
 * Measures the filesystem of a server's data volume, in its container or, if that does not run, in a scratch container.
 * Returns undefined if the engine cannot run the command: a full disk can be the reason.
 */
export async function volumeSpaceOf(docker: Docker, container: string): Promise<VolumeSpace | undefined> {
  try {
    const { Image: image, Mounts: mounts, Config, State } = await docker.getContainer(container).inspect();
    const volume = mounts.find(({ Destination }) => Destination === cluster)?.Name;
    if (volume === undefined) return undefined;
    const labels = Config.Labels;
    const owner = {
      project: labels["pgroundwork.project"] ?? "",
      stack: labels["pgroundwork.stack"] ?? "",
      owner: labels["pgroundwork.owner"] ?? "",
    };
    // A server on a full disk can end, or be restarted, between the inspection and the command.
    const inServer =
      State.Running && !State.Restarting
        ? await runInContainer(docker, container, { command: df }).catch(() => undefined)
        : undefined;
    const output =
      inServer?.code === 0
        ? inServer.stdout
        : await withScratchContainer(
            docker,
            { image, owner, command: df, readOnlyVolumes: { [cluster]: volume } },
            async (scratch) => {
              await scratch.start();
              await scratch.wait();
              return lastLogLines(docker, scratch.id, 2);
            },
          );
    const [, used, available] = /(\d+)\s+(\d+)\s*$/.exec(output) ?? [];
    if (used === undefined) return undefined;
    return { volume, usedBytes: Number(used), freeBytes: Number(available) };
  } catch {
    return undefined;
  }
}

/** A full volume as the reason of a failure. */
export interface FullVolume {
  /** Reason, to be added to a sentence. */
  reason: string;
  hint: string;
}

/**
 * Returns the full data volume that a server's log complains of. Returns undefined if the log has no such message, if
 * the volume has space (the log can be of an earlier start), or if it cannot be measured.
 */
export async function fullVolumeOf(docker: Docker, container: string, log: string): Promise<FullVolume | undefined> {
  if (!saysDiskFull.test(log)) return undefined;
  const space = await volumeSpaceOf(docker, container);
  if (space === undefined || !isLow(space)) return undefined;
  return {
    reason: `the filesystem of its volume ${space.volume} is full (${describeSpace(space)})`,
    hint: `${makeRoomForVolumes} Then run the command again. Committed data is safe in the write-ahead log. Delete nothing in the data directory.`,
  };
}
