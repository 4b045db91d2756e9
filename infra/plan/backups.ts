import { configurationFiles, containerPaths } from "./container.ts";

/** pgBackRest's name for the one cluster that a repository is for. */
export const stanza = "main";

/** Where containers have the volume with the repository. */
export const repositoryPath = "/var/lib/pgbackrest";

/** Where a backup tells Prometheus when it was complete. */
export const metricsPath = "/var/lib/pgroundwork/metrics";

const configurationFile = `${containerPaths.configuration}/${configurationFiles.backups}`;

/** What pgBackRest in a container is told by the environment: nothing of it is secret. */
export const backupEnvironment: readonly string[] = [
  `PGBACKREST_CONFIG=${configurationFile}`,
  `PGBACKREST_STANZA=${stanza}`,
];

/** Settings of a server whose write-ahead log is archived, which a stack cannot have otherwise. */
export const archiveSettings: Readonly<Record<string, string>> = {
  archive_mode: "on",
  // Named here and not by the environment: a restored cluster's server is told to fetch with the same words.
  archive_command: `pgbackrest --config=${configurationFile} --stanza=${stanza} archive-push %p`,
};

/** Those that it may have otherwise: at most a minute of work is lost with the machine, where a segment does not fill before. */
export const archiveDefaults: Readonly<Record<string, string>> = { archive_timeout: "60s" };

/**
 * The text of pgbackrest.conf.
 *
 * @param retentionDays for how long any moment can be restored
 */
export function backupConfiguration(passphrase: string, retentionDays: number): string {
  return `# Written by pgroundwork.
[global]
repo1-path=${repositoryPath}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=${passphrase}
repo1-retention-full-type=time
repo1-retention-full=${retentionDays}
repo1-bundle=y
repo1-block=y
compress-type=zst
compress-level=3
process-max=2
start-fast=y
archive-async=y
spool-path=/var/spool/pgbackrest
log-level-console=warn
log-level-file=off

[${stanza}]
pg1-path=${containerPaths.data}/17/data
pg1-socket-path=/var/run/postgresql
pg1-user=backup
pg1-database=postgres
`;
}

/** What pgBackRest calls that PostgreSQL lets only superusers call. */
export const backupFunctions: readonly string[] = [
  "pg_backup_start",
  "pg_backup_stop",
  "pg_create_restore_point",
  "pg_switch_wal",
];
