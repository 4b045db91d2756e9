import { statfs } from "node:fs/promises";

/** Space of a file system, as `df` counts it: space that is reserved for root is not free. */
export interface DiskSpace {
  usedBytes: number;
  freeBytes: number;
}

/** Matches PostgreSQL's messages about a full disk. */
export const saysDiskFull = /No space left on device|Disk quota exceeded|Check free disk space/;

/** Free space below which a disk counts as full: a server cannot create another WAL segment. */
const fullBytes = 16 * 2 ** 20;

/** A disk is nearly full if less than this part of it, and less than these bytes, is free: large disks have enough. */
const lowPart = 0.05;
const lowBytes = 10 * 2 ** 30;

/** Returns the space of the file system that a path is on, or undefined if the path does not exist. */
export async function diskSpaceAt(path: string): Promise<DiskSpace | undefined> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(path);
    return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}

/** Returns true if a disk is full or nearly full. */
export function isLow({ usedBytes, freeBytes }: DiskSpace): boolean {
  return isFull({ usedBytes, freeBytes }) || (freeBytes < lowBytes && freeBytes < lowPart * (usedBytes + freeBytes));
}

/** Returns true if a server cannot create another WAL segment on a disk. */
export function isFull({ freeBytes }: DiskSpace): boolean {
  return freeBytes < fullBytes;
}

/**
 * Warns of a disk that is full or nearly full. Returns undefined if there is enough space.
 *
 * @param place the disk as the subject of a sentence: `The disk of /data`
 * @param makeRoom how to free space on it, as a sentence
 */
export function diskWarning(place: string, space: DiskSpace, makeRoom: string): string | undefined {
  if (!isLow(space)) return undefined;
  const state = isFull(space) ? "full" : "nearly full";
  return `${place} is ${state}: ${describeSpace(space)}. A server that cannot write its WAL stops. ${makeRoom} Delete nothing in the data directory.`;
}

/** Formats used and free space: `95.1 GiB used, 512.0 MiB free`. */
export function describeSpace({ usedBytes, freeBytes }: DiskSpace): string {
  return `${inUnits(usedBytes)} used, ${inUnits(freeBytes)} free`;
}

const units = ["KiB", "MiB", "GiB", "TiB"];

function inUnits(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length);
  return power === 0 ? `${bytes} bytes` : `${(bytes / 2 ** (10 * power)).toFixed(1)} ${units[power - 1]}`;
}
