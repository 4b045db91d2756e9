/** Of a container's memory, what sessions, background processes and the rest of shared memory are left at least. */
const leftShare = 1 / 4;

const megabytes: Readonly<Record<string, number>> = {
  // A number alone counts PostgreSQL's pages.
  "": 8 / 1024,
  B: 1 / 1024 ** 2,
  kB: 1 / 1024,
  MB: 1,
  GB: 1024,
  TB: 1024 ** 2,
};

/**
 * Why a container of that memory cannot have these settings: a server with more shared buffers than the container has memory starts all the same, and is killed
 * once they fill. Undefined: no reason is known; what PostgreSQL cannot read is its own to refuse.
 *
 * @param memory of the container, in MB
 */
export function memoryFault(memory: number, settings: Readonly<Record<string, string>>): string | undefined {
  const value = settings.shared_buffers ?? "";
  const [, number, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([kMGT]?B)?\s*$/.exec(value) ?? [];
  const buffers = Number(number) * (megabytes[unit] ?? Number.NaN);
  const most = Math.floor(memory * (1 - leftShare));
  if (!(buffers > most)) return undefined;
  return `shared_buffers is ${value}, and the container has ${memory} MB of memory, of which it may take ${most} MB`;
}
