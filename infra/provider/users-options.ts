/**
 * Restores PGOPTIONS to the value that the user exported. `pgw` changes it for the official postgresql plugin. This
 * plugin runs the user's hooks, and the server's own limits must apply to their programs.
 */
export function restoreUsersOptions(env: NodeJS.ProcessEnv = process.env): void {
  const users = env.PGW_USER_PGOPTIONS;
  if (users === undefined) return;
  if (users === "") delete env.PGOPTIONS;
  else env.PGOPTIONS = users;
  delete env.PGW_USER_PGOPTIONS;
}
