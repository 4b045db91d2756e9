/** The id of the operation that this plugin is part of, where `pgw` started it: the ledgers record it. */
export function runId(): { runId?: string } {
  const id = process.env.PGW_RUN_ID;
  return id === undefined || id === "" ? {} : { runId: id };
}
