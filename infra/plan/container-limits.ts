/** Settings of PostgreSQL 17 that each allow as many processes, with their defaults. */
const serverProcesses = {
  max_connections: 100,
  max_worker_processes: 8,
  autovacuum_max_workers: 3,
  max_wal_senders: 10,
} as const;

/**
 * Processes in the server's container besides those: PostgreSQL's own (about ten), pgBackRest's archiving, the health
 * check, commands of the kit, and programs that sessions start.
 */
const otherProcesses = 128;

/** Maximum number of processes and threads in the sidecars. */
export const sidecarProcesses = {
  /** pgBackRest and the scheduler use about 20. */
  backups: 128,
  /** The server of the copy with its own processes, pgBackRest, and a few sessions. */
  drill: 128,
  /** A program in Go has about as many threads as the engine has CPUs. */
  monitoring: 512,
} as const;

/**
 * Returns the maximum number of processes and threads in a server's container. It allows all that the settings allow,
 * so that only a program that starts processes without end meets it.
 */
export function processLimit(settings: Readonly<Record<string, string>>): number {
  const counts = Object.entries(serverProcesses).map(([name, usual]) => {
    const count = Number(settings[name] ?? usual);
    // PostgreSQL itself refuses other values.
    return Number.isInteger(count) && count >= 0 ? count : usual;
  });
  return counts.reduce((sum, count) => sum + count, otherProcesses);
}
