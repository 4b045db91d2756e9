/** Limits by which the state of backups is judged, from the repository and from its metrics. */

/**
 * Maximum age in seconds of a scan of the repository that still counts as current. Scans run every hour and after each
 * backup.
 */
export const maxScanAgeSeconds = 2 * 3_600;

/** Age of complete WAL that is not archived, in seconds, up to which an archive counts as current. */
export const maxLagSeconds = 300;

/**
 * Maximum age in seconds of a measurement of that lag which still counts as current. There is one every minute, or two
 * for a slow one.
 */
export const maxLagAgeSeconds = 300;

/** Number of scheduled intervals after which the newest backup is too old. */
export const lateFactor = 2;
