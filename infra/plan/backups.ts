import { isRemote, type Repository, type VolumeRepository } from "../../scripts/model/repository.ts";
import { configurationFiles, containerPaths } from "./container.ts";
import { type PlannedRemote, remoteFiles, remoteOptions } from "./remote-repository.ts";
import { withoutLimits } from "./session-options.ts";

/*
 * A repository has generations. Each one has a passphrase and a folder of its own, and is a whole pgBackRest
 * repository. The current one has the usual names, so that a new one replaces no container. The former ones are only
 * read, after an overlap: until the newer one has a backup, WAL goes into both, so that no moment is lost.
 */

/** Passphrases of the generations of a stack's repositories. */
export interface GenerationKeys {
  /** Number of the current generation, counted from 1. */
  current: number;
  passphrase: string;
  /** Passphrases of former generations by their number, as far as they are known. */
  former: Readonly<Record<string, string>>;
}

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

/** Returns the name of the file that configures pgBackRest for a former generation of a repository. */
export function formerFile(index: number, generation: number): string {
  return repositoryFile(index).replace(/\.conf$/, `-generation-${generation}.conf`);
}

function configurationPath(index: number): string {
  return `${containerPaths.configuration}/${repositoryFile(index)}`;
}

function formerPath(index: number, generation: number): string {
  return `${containerPaths.configuration}/${formerFile(index, generation)}`;
}

/** Returns the path of a generation in its repository. The first one has the path of the repository itself. */
function generationPath(path: string, generation: number): string {
  return generation === 1 ? path : `${path}/generation-${generation}`;
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
 * @param generation number of the repositories' current generation
 */
export function archiveSettings(
  repositories: readonly Pick<Repository, "type">[],
  walLimitPercent: number,
  generation = 1,
): Record<string, string> {
  const targets = repositories.flatMap((repository, at) =>
    targetsOf(at + 1, isRemote(repository), walLimitPercent, generation),
  );
  return { archive_mode: "on", archive_command: pushToAll(targets) };
}

/** A repository, or a former generation of one, that WAL is pushed to. */
interface PushTarget {
  push: string;
  /** Folder with the results of its asynchronous pushes. */
  spool: string;
}

/** Returns the generations of a repository that WAL goes to. The current one comes last. */
function targetsOf(index: number, mayHaveOwner: boolean, walLimitPercent: number, generation: number): PushTarget[] {
  const former = Array.from({ length: generation - 1 }, (_, at) => at + 1).map((number): PushTarget => {
    const [configuration, spool] = [formerPath(index, number), formerSpool(index, number)];
    const later = Array.from({ length: generation - number }, (_, at) => {
      const newer = number + at + 1;
      return `${newer}=${newer === generation ? configurationPath(index) : formerPath(index, newer)}`;
    });
    // Without its passphrase, such as after the loss of the machine, a former generation has no file. An image of an
    // earlier version cannot tell that it is complete.
    const isNeeded = `(! command -v repository-generation >/dev/null || repository-generation needs %f ${later.join(" ")})`;
    const push = pushTo({ configuration, spool }, mayHaveOwner, walLimitPercent);
    return { push: `if [ -e ${configuration} ] && ${isNeeded}; then ${push}; fi`, spool };
  });
  const current = { configuration: configurationPath(index), spool: spoolFolder(index) };
  return [...former, { push: pushTo(current, mayHaveOwner, walLimitPercent), spool: current.spool }];
}

/**
 * Returns the command that archives into a repository. A remote one can belong to a server that was rebuilt from its
 * backups since. An image of an earlier version cannot tell, and has no limit for WAL.
 */
function pushTo(
  { configuration, spool }: { configuration: string; spool: string },
  mayHaveOwner: boolean,
  walLimitPercent: number,
): string {
  // The volume can grow, so its size is read each time.
  const limit = `$(command -v wal-limit >/dev/null && wal-limit ${walLimitPercent} ${spool})`;
  // The configuration file is named here and not by the environment, so that a restored cluster fetches WAL with the
  // same options.
  const push = `pgbackrest --config=${configuration} --stanza=${stanza} ${limit} archive-push %p`;
  if (!mayHaveOwner) return push;
  const owner = `PGBACKREST_CONFIG=${configuration} repository-owner --recent`;
  return `(! command -v repository-owner >/dev/null || ${owner} || [ $? != 3 ]) && ${push}`;
}

/** Names of variables for the results of pushes, in the order of the targets. */
const ordinals = ["first", "second"];

/**
 * Returns the command that archives into several repositories. pgBackRest could do it itself, but one that is away
 * would hold up the others. PostgreSQL keeps a segment until all have it, and asks for the same one until then.
 * pgBackRest looks for newer segments only if it has no result for that one, so the results of the others are removed.
 */
function pushToAll(targets: readonly PushTarget[]): string {
  const [only] = targets;
  if (only !== undefined && targets.length === 1) return only.push;
  const results = targets.map((_, at) => ordinals[at] ?? `result${at + 1}`);
  const pushes = targets.map(({ push }, at) => `${push}; ${results[at]}=$?`);
  const forgets = targets.map(({ spool }, at) => {
    const others = results.filter((_, other) => other !== at).map((name) => `$${name}`);
    return `[ ${others.join("")} = ${"0".repeat(others.length)} ] || rm -f ${spool}/archive/${stanza}/out/%f.ok`;
  });
  const last = results.at(-1);
  const exits = results.slice(0, -1).map((name) => `[ $${name} = 0 ] || exit $${name}`);
  return [...pushes, ...forgets, ...exits, `exit $${last}`].join("; ");
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

/** Returns pgBackRest's files in the configuration volume, by name. They contain all passphrases and keys. */
export function backupFiles(keys: GenerationKeys, repositories: readonly PlannedRepository[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [at, repository] of repositories.entries()) {
    const index = at + 1;
    const { current, passphrase, former } = keys;
    files[repositoryFile(index)] = backupConfiguration(repository, index, {
      ...{ passphrase, generation: current, spool: spoolFolder(index) },
      // Processes of two repositories must not wait for each other's lock, or take each other's results.
      lock: index === 1 ? undefined : `/tmp/pgbackrest-${index}`,
    });
    for (const [number, kept] of Object.entries(former)) {
      const generation = Number(number);
      files[formerFile(index, generation)] = backupConfiguration(repository, index, {
        ...{ passphrase: kept, generation, spool: formerSpool(index, generation) },
        lock: `/tmp/pgbackrest-${index}-generation-${generation}`,
      });
    }
    if (isRemote(repository)) Object.assign(files, remoteFiles(repository, index));
  }
  return files;
}

/** One generation of a repository, and the folders that its processes have for themselves. */
interface Generation {
  passphrase: string;
  generation: number;
  spool: string;
  /** undefined for pgBackRest's default. */
  lock: string | undefined;
}

/** Returns the text of a repository's pgbackrest.conf. */
function backupConfiguration(repository: PlannedRepository, index: number, generation: Generation): string {
  const { spool, lock } = generation;
  const options = repositoryOptions(repository, index, generation).map((option) => `repo1-${option}`);
  const own = lock === undefined ? [] : [`lock-path=${lock}`];
  const timeout = isRemote(repository) ? [`io-timeout=${ioTimeoutSeconds}`] : [];
  return `# Written by pgroundwork.
[global]
${options.join("\n")}
compress-type=zst
compress-level=3
process-max=2
start-fast=y
${[`spool-path=${spool}`, ...own, ...timeout].join("\n")}
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

function formerSpool(index: number, generation: number): string {
  return `/var/spool/pgbackrest/${index}-generation-${generation}`;
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

function repositoryOptions(
  repository: PlannedRepository,
  index: number,
  { generation, passphrase }: Generation,
): string[] {
  const place = isRemote(repository)
    ? remoteOptions({ ...repository, path: generationPath(repository.path, generation) }, index)
    : [`path=${generationPath(repositoryPath, generation)}`];
  return [
    ...place,
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
