import { configurationFiles, containerPaths } from "./container.ts";
import { withoutLimits } from "./session-options.ts";

/** pgBackRest's name of the one cluster in a repository. */
export const stanza = "main";

/** Mount path of the repository's volume in containers. */
export const repositoryPath = "/var/lib/pgbackrest";

/** Mount path of the volume with the backup metrics for Prometheus. */
export const metricsPath = "/var/lib/pgroundwork/metrics";

const configurationFile = `${containerPaths.configuration}/${configurationFiles.backups}`;

/** Environment of pgBackRest in a container. It contains no secret. */
export const backupEnvironment: readonly string[] = [
  `PGBACKREST_CONFIG=${configurationFile}`,
  `PGBACKREST_STANZA=${stanza}`,
  `PGOPTIONS=${withoutLimits}`,
];

/** Settings of a server with WAL archiving. A stack cannot override them. */
export const archiveSettings: Readonly<Record<string, string>> = {
  archive_mode: "on",
  // The configuration file is named here and not by the environment, so that a restored cluster fetches WAL with the
  // same options.
  archive_command: `pgbackrest --config=${configurationFile} --stanza=${stanza} archive-push %p`,
};

/**
 * Archive settings that a stack can override. At most a minute of work is lost with the machine, even if a segment is
 * not full.
 */
export const archiveDefaults: Readonly<Record<string, string>> = { archive_timeout: "60s" };

/**
 * Returns the text of pgbackrest.conf.
 *
 * @param retentionDays number of days for which any moment can be restored
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
spool-path=/var/spool/pgbackrest
log-level-console=warn
log-level-file=off

# Not for archive-get, which can fail across a timeline switch if it is asynchronous.
[global:archive-push]
archive-async=y

[${stanza}]
pg1-path=${containerPaths.data}/17/data
pg1-socket-path=/var/run/postgresql
pg1-user=backup
pg1-database=postgres
`;
}

/** Functions that pgBackRest calls and PostgreSQL reserves for superusers. */
export const backupFunctions: readonly string[] = [
  "pg_backup_start",
  "pg_backup_stop",
  "pg_create_restore_point",
  "pg_switch_wal",
];
