import { availableParallelism, freemem, loadavg, totalmem } from "node:os";

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
