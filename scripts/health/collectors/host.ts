import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { NotKnown, type Observer } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";
import { inTime } from "../in-time.ts";

/** The server's machine. */
export interface HostValues {
  diskBytes: number;
  diskFreeBytes: number;
  diskPercent: number;
  memoryBytes: number;
  memoryFreeBytes: number;
  /** Processes that wanted to run in the last minute, on average. */
  load: number;
  processors: number;
}

export const host: Collector<HostValues> = {
  name: "host",
  needs: "the data directory",
  async collect(observer, { readHost }) {
    if (readHost !== undefined) return inTime("the server's machine", readHost());
    const { blocks, bavail, bfree, bsize } = await statfs(await ownDataDirectory(observer));
    const [sizeBytes, usedBytes, freeBytes] = [blocks * bsize, (blocks - bfree) * bsize, bavail * bsize];
    return { ...diskValues({ sizeBytes, usedBytes, freeBytes }), ...ownMachine() };
  },
};

/** Returns the values of a disk. As df does, it counts space that only root may use as used up. */
export function diskValues(space: {
  sizeBytes: number;
  usedBytes: number;
  freeBytes: number;
}): Pick<HostValues, "diskBytes" | "diskFreeBytes" | "diskPercent"> {
  const { sizeBytes, usedBytes, freeBytes } = space;
  const diskPercent = (100 * usedBytes) / (usedBytes + freeBytes);
  return { diskBytes: sizeBytes, diskFreeBytes: freeBytes, diskPercent };
}

/** Returns the memory and the load of this machine, also if this process is in a container of it. */
export function ownMachine(): Omit<HostValues, "diskBytes" | "diskFreeBytes" | "diskPercent"> {
  return {
    ...{ memoryBytes: totalmem(), memoryFreeBytes: freemem() },
    ...{ load: loadavg()[0] ?? 0, processors: availableParallelism() },
  };
}

/**
 * Returns the data directory if the server runs on this machine. Another machine can have a server with the same path,
 * so the start time in its postmaster.pid must be that of the server.
 *
 * @throws NotKnown if it does not
 */
export async function ownDataDirectory(observer: Observer): Promise<string> {
  const [row] = await observer.query<{ folder: string | null; started: number }>(
    `select current_setting('data_directory', true) as folder, floor(extract(epoch from pg_postmaster_start_time()))::float8 as started`,
  );
  if (row === undefined || row.folder === null)
    throw new NotKnown("the role may not read where the data directory is (pg_monitor)");
  const elsewhere = "the server's files are not on this machine, or this account may not read them";
  const text = await readFile(join(row.folder, "postmaster.pid"), "utf8").catch(() => {
    throw new NotKnown(elsewhere);
  });
  const started = Number(text.split("\n")[2]);
  // The file is written a moment before the server notes its start.
  if (!(Math.abs(started - row.started) <= 2)) throw new NotKnown(elsewhere);
  return row.folder;
}
