import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { makeRoomForVolumes, type VolumeSpace, volumeSpaceOf } from "../../docker/server/disk-space.ts";

/** Space in bytes that stays free for the live server: segments of its WAL, and what it writes meanwhile. */
const reserveBytes = 512 * 2 ** 20;

/**
 * Requires that something fits into the volume of a live server, whose disk must not be filled.
 *
 * @param server name of its container
 * @param what begins with a small letter: "a second cluster"
 * @returns the space of the volume
 */
export async function requireSpace(docker: Docker, server: string, size: number, what: string): Promise<VolumeSpace> {
  const space = await volumeSpaceOf(docker, server);
  if (space === undefined)
    throw new OperationError("The free space of the server's volume could not be measured.", {
      hint: "Nothing was changed. See the Docker engine's log, then run again.",
    });
  const needed = size + reserveBytes;
  if (space.freeBytes >= needed) return space;
  const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new OperationError(
    `The volume ${space.volume} has ${mb(space.freeBytes)} free, and ${what} needs ${mb(needed)}.`,
    { hint: `Nothing was changed. ${makeRoomForVolumes}` },
  );
}
