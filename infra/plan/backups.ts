import { isRemote, type Repository, type VolumeRepository } from "../../scripts/model/repository.ts";
import { configurationFiles, containerPaths } from "./container.ts";
import { type PlannedRemote, remoteFiles, remoteOptions } from "./remote-repository.ts";
import { withoutLimits } from "./session-options.ts";

/** pgBackRest's name of the one cluster in a repository. */
export const stanza = "main";

/** Mount path of the repository's volume in containers. */
export const repositoryPath = "/var/lib/pgbackrest";

/** Mount path of the volume with the backup metrics for Prometheus. */
export const metricsPath = "/var/lib/pgroundwork/metrics";

/**
 * Returns the name of the file that configures pgBackRest for one repository. Each file has one repository only, so
 * that no process waits for the other one.
 *
 * @param index counted from 1
 */
export function repositoryFile(index: number): string {
  return index === 1 ? configurationFiles.backups : `pgbackrest-${index}.conf`;
}

function configurationPath(index: number): string {
  return `${containerPaths.configuration}/${repositoryFile(index)}`;
}

/** Returns the role of the container that makes backups into a repository, counted from 1. Its volume has it, too. */
export function sidecarRole(index: number): string {
  return index === 1 ? "backup" : `backup-${index}`;
}

/**
 * Environment of pgBackRest in a container. It contains no secret.
 *
 * @param index the container's repository, counted from 1
 */
export function backupEnvironment(index: number): string[] {
  return [
    `PGBACKREST_CONFIG=${configurationPath(index)}`,
    `PGBACKREST_STANZA=${stanza}`,
    `PGOPTIONS=${withoutLimits}`,
    // Metrics of the first repository have no label, as before there could be a second one.
    ...(index === 1 ? [] : [`PGW_REPOSITORY=${index}`]),
  ];
}

/**
 * Settings of a server that archives its WAL into one or two repositories. A stack cannot override them.
 *
 * @param walLimitPercent share of the space for WAL that may wait for a repository
 */
export function archiveSettings(
  repositories: readonly Pick<Repository, "type">[],
  walLimitPercent: number,
): Record<string, string> {
  const remotes = repositories.map(isRemote);
  const push = (index: number) => pushTo(index, remotes[index - 1] === true, walLimitPercent);
  return {
    archive_mode: "on",
    archive_command: repositories.length === 1 ? push(1) : pushToBoth(push),
  };
}

/**
 * Returns the command that archives into a repository. A remote one can belong to a server that was rebuilt from its
 * backups since. An image of an earlier version cannot tell, and has no limit for WAL.
 */
function pushTo(index: number, mayHaveOwner: boolean, walLimitPercent: number): string {
  // The volume can grow, so its size is read each time.
  const limit = `$(command -v wal-limit >/dev/null && wal-limit ${walLimitPercent} ${spoolFolder(index)})`;
  // The configuration file is named here and not by the environment, so that a restored cluster fetches WAL with the
  // same options.
  const push = `pgbackrest --config=${configurationPath(index)} --stanza=${stanza} ${limit} archive-push %p`;
  if (!mayHaveOwner) return push;
  const owner = `PGBACKREST_CONFIG=${configurationPath(index)} repository-owner --recent`;
  return `(! command -v repository-owner >/dev/null || ${owner} || [ $? != 3 ]) && ${push}`;
}

/**
 * Returns the command that archives into two repositories. pgBackRest could do it itself, but one that is away would
 * hold up the other one. PostgreSQL keeps a segment until both have it, and asks for the same one until then.
 * pgBackRest looks for newer segments only if it has no result for that one, so the other's result is removed.
 */
function pushToBoth(push: (index: number) => string): string {
  const forget = (index: number) => `rm -f ${spoolFolder(index)}/archive/${stanza}/out/%f.ok`;
  return [
    ...[`${push(1)}; first=$?`, `${push(2)}; second=$?`],
    ...[`[ $second = 0 ] || ${forget(1)}`, `[ $first = 0 ] || ${forget(2)}`],
    "[ $first = 0 ] || exit $first; exit $second",
  ].join("; ");
}

/**
 * Archive settings that a stack can override. At most a minute of work is lost with the machine, even if a segment is
 * not full.
 */
export const archiveDefaults: Readonly<Record<string, string>> = { archive_timeout: "60s" };

/** A repository with the text of its CA file. */
export type PlannedRepository = VolumeRepository | PlannedRemote;

/** Returns true if containers need a network to reach a repository. */
export function needsNetwork(repositories: readonly Repository[]): boolean {
  return repositories.some(isRemote);
}

/** Returns pgBackRest's files in the configuration volume, by name. They contain the passphrase and all keys. */
export function backupFiles(passphrase: string, repositories: readonly PlannedRepository[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [at, repository] of repositories.entries()) {
    files[repositoryFile(at + 1)] = backupConfiguration(passphrase, repository, at + 1);
    if (isRemote(repository)) Object.assign(files, remoteFiles(repository, at + 1));
  }
  return files;
}

/** Returns the text of a repository's pgbackrest.conf. */
function backupConfiguration(passphrase: string, repository: PlannedRepository, index: number): string {
  const options = repositoryOptions(repository, index, passphrase).map((option) => `repo1-${option}`);
  // Processes of two repositories must not wait for each other's lock, or take each other's results.
  const own = index === 1 ? [] : [`lock-path=/tmp/pgbackrest-${index}`];
  const timeout = isRemote(repository) ? [`io-timeout=${ioTimeoutSeconds}`] : [];
  return `# Written by pgroundwork.
[global]
${options.join("\n")}
compress-type=zst
compress-level=3
process-max=2
start-fast=y
${[`spool-path=${spoolFolder(index)}`, ...own, ...timeout].join("\n")}
log-level-console=warn
log-level-file=off

# Not for archive-get, which can fail across a timeline switch if it is asynchronous.
[global:archive-push]
archive-async=y
${isRemote(repository) ? `archive-timeout=${pushTimeoutSeconds}\n` : ""}
[${stanza}]
pg1-path=${containerPaths.data}/17/data
pg1-socket-path=/var/run/postgresql
pg1-user=backup
pg1-database=postgres
`;
}

function spoolFolder(index: number): string {
  return index === 1 ? "/var/spool/pgbackrest" : `/var/spool/pgbackrest/${index}`;
}

/**
 * Time in seconds that a remote repository has for each answer. pgBackRest tries for ten times as long before it gives
 * up. With its default, 60, commands would wait 10 minutes for one that is away.
 */
const ioTimeoutSeconds = 5;

/**
 * Time in seconds that the server waits for a segment to arrive in a remote repository before it tries again. The
 * transfer goes on meanwhile. pgBackRest's default is 60, for which another repository would wait, too.
 */
const pushTimeoutSeconds = 10;

function repositoryOptions(repository: PlannedRepository, index: number, passphrase: string): string[] {
  return [
    ...(isRemote(repository) ? remoteOptions(repository, index) : [`path=${repositoryPath}`]),
    "cipher-type=aes-256-cbc",
    `cipher-pass=${passphrase}`,
    "retention-full-type=time",
    `retention-full=${repository.retentionDays}`,
    "bundle=y",
    "block=y",
  ];
}

/** Functions that pgBackRest calls and PostgreSQL reserves for superusers. */
export const backupFunctions: readonly string[] = [
  "pg_backup_start",
  "pg_backup_stop",
  "pg_create_restore_point",
  "pg_switch_wal",
];
