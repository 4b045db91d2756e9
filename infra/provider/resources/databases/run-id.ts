/** Returns the id of the operation that this plugin is part of, if `pgw` started it. The ledgers record it. */
export function runId(): { runId?: string } {
  const id = process.env.PGW_RUN_ID;
  return id === undefined || id === "" ? {} : { runId: id };
}
