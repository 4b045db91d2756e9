/**
 * Environment variable by which `up --restore-from-backup` tells the program what to restore: `latest`, or a time. It
 * is for one run, so it is no setting.
 */
export const restoreVariable = "PGW_RESTORE_FROM_BACKUP";

/** Its value for everything that is archived. */
export const restoreLatest = "latest";
