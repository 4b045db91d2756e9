/** Minimum share of a container's memory for sessions, background processes and the rest of shared memory. */
const leftShare = 1 / 4;

const megabytes: Readonly<Record<string, number>> = {
  // PostgreSQL counts a number without a unit in pages of 8 kB.
  "": 8 / 1024,
  B: 1 / 1024 ** 2,
  kB: 1 / 1024,
  MB: 1,
  GB: 1024,
  TB: 1024 ** 2,
};

/**
 * Returns the reason why the settings do not fit into a container, or undefined if no reason is known. A server with
 * more shared buffers than memory starts all the same, and is killed once they fill. Values that PostgreSQL cannot read
 * are left for PostgreSQL to reject.
 *
 * @param memory of the container, in MB
 */
export function memoryFault(memory: number, settings: Readonly<Record<string, string>>): string | undefined {
  const value = settings.shared_buffers ?? "";
  const [, number, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([kMGT]?B)?\s*$/.exec(value) ?? [];
  const buffers = Number(number) * (megabytes[unit] ?? Number.NaN);
  const most = Math.floor(memory * (1 - leftShare));
  if (!(buffers > most)) return undefined;
  return `shared_buffers is ${value}, but may be at most ${most} MB of the container's ${memory} MB of memory`;
}
