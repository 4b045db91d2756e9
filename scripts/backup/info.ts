import type Docker from "dockerode";
import { z } from "zod";
import { BackupError, diagnose } from "./diagnosis.ts";
import { pgBackRest, runPgBackRest } from "./pgbackrest.ts";
import { stanza } from "./stack-backups.ts";

/** Backup types, by pgBackRest's names. */
export type BackupType = "full" | "diff" | "incr";

/** Recorded origin of a backup. null: it is not known, as of a backup by an earlier version. */
export interface BackupOrigin {
  /** Image that made it: its ID, or the name of a prebuilt one. */
  image: string | null;
  /** Release of PostgreSQL in the image, such as 17.11. */
  postgres: string | null;
  /** Git commit of the project directory in which it was requested. null for a scheduled backup, too. */
  commit: string | null;
  /** True if files differed from the commit. */
  isModified: boolean;
  /** Account and machine that requested it, such as anna@laptop. null for a scheduled backup, too. */
  user: string | null;
}

/** One backup in a repository. Times are in ISO 8601, sizes in bytes. */
export interface Backup {
  label: string;
  type: BackupType;
  startedAt: string;
  finishedAt: string;
  /** Size of the cluster. */
  size: number;
  /** Size that the backup added to the repository. */
  repositoryDelta: number;
  /** First and last WAL segment that the backup needs. */
  wal: { from: string; to: string };
  /** Positions from which and up to which the backup has to be recovered. */
  lsn: { from: string; to: string };
  /** pgBackRest's name for the archive of the backup's cluster. */
  archiveId: string;
  /** Backups that this one builds on. */
  references: string[];
  /** True if pages with a wrong checksum were copied. */
  damaged: boolean;
  origin: BackupOrigin;
  /** Names of the databases, if they were requested. */
  databases?: string[];
}

/** Content and state of a backup repository. */
export interface Repository {
  /** Oldest first. */
  backups: Backup[];
  /** True while a backup is being made. */
  underWay: boolean;
  /** Reason the repository cannot be used. undefined if it can be. */
  fault: BackupError | undefined;
  /** First and last WAL segment in the archive. */
  wal: { from: string; to: string } | undefined;
}

const backupSchema = z.object({
  label: z.string(),
  type: z.enum(["full", "diff", "incr"]),
  archive: z.object({ start: z.string(), stop: z.string() }),
  lsn: z.object({ start: z.string(), stop: z.string() }),
  database: z.object({ id: z.number() }),
  info: z.object({ size: z.number(), repository: z.object({ delta: z.number() }) }),
  reference: z.array(z.string()).nullish(),
  error: z.boolean().nullish(),
  annotation: z.record(z.string(), z.string()).nullish(),
  timestamp: z.object({ start: z.number(), stop: z.number() }),
  "database-ref": z.array(z.object({ name: z.string() })).nullish(),
  tablespace: z.array(z.object({ oid: z.number() })).nullish(),
});

const stanzaSchema = z.object({
  archive: z.array(
    z.object({
      id: z.string(),
      database: z.object({ id: z.number() }),
      min: z.string().nullable(),
      max: z.string().nullable(),
    }),
  ),
  backup: z.array(backupSchema),
  db: z.array(z.object({ id: z.number(), "system-id": z.string(), version: z.string() })).optional(),
  repo: z.array(z.object({ status: z.object({ code: z.number(), message: z.string() }) })),
  status: z.object({ lock: z.object({ backup: z.object({ held: z.boolean() }) }).optional() }),
});

/** Codes of pgBackRest's `info` for a repository: usable, no stanza, no backup, lost data. */
const [ok, missingPath, noBackup, missingData] = [0, 1, 2, 3];

/**
 * Reads the content of a repository through a container that has it. Problems of the repository are part of the result.
 *
 * @throws BackupError if pgBackRest does not answer at all
 */
export async function readRepository(docker: Docker, container: string): Promise<Repository> {
  const repository = parseInfo(await pgBackRest(docker, container, ["info", "--output=json"]));
  const isEmpty = isEmptyRepository(repository.fault);
  // A remote repository that is away would be tried again for a minute.
  if (!isEmpty || repository.backups.length > 0) return repository;
  // pgBackRest gives the same answer for a repository that has lost its backups and for an empty one.
  const archived = await runPgBackRest(docker, container, ["repo-ls", `archive/${stanza}`]);
  const hasArchive = archived.code === 0 && archived.stdout.includes("archive.info");
  return hasArchive ? { ...repository, fault: lostBackups() } : repository;
}

/** Content of a backup. */
export interface BackupDetails {
  /** Names of its databases, without templates. */
  databases: string[];
  /** OIDs of its tablespaces. */
  tablespaces: number[];
  cluster: BackedUpCluster;
}

/** Cluster that a backup is a copy of. */
export interface BackedUpCluster {
  /** Major version of PostgreSQL. */
  version: string;
  systemIdentifier: string;
}

/** Reads the content of a backup from its manifest. */
export async function readDetails(docker: Docker, container: string, label: string): Promise<BackupDetails> {
  const [found] = parse(await pgBackRest(docker, container, ["info", "--output=json", `--set=${label}`]));
  const backup = found?.backup[0];
  const cluster = found?.db?.find(({ id }) => id === backup?.database.id);
  return {
    databases: (backup?.["database-ref"] ?? []).map(({ name }) => name).sort(),
    tablespaces: (backup?.tablespace ?? []).map(({ oid }) => oid),
    cluster: {
      version: cluster?.version ?? "",
      systemIdentifier: cluster?.["system-id"] ?? "",
    },
  };
}

/** Parses the JSON of pgBackRest's `info`. */
export function parseInfo(json: string): Repository {
  const [found] = parse(json);
  if (found === undefined) return { backups: [], underWay: false, fault: emptyRepository(), wal: undefined };
  const { code, message } = found.repo[0]?.status ?? { code: ok, message: "" };
  const { min, max } = found.archive.at(-1) ?? { min: null, max: null };
  return {
    backups: found.backup.map((backup) => toBackup(backup, found.archive)),
    underWay: found.status.lock?.backup.held ?? false,
    fault: faultOf(code, message),
    wal: min === null || max === null ? undefined : { from: min, to: max },
  };
}

function parse(json: string): z.output<typeof stanzaSchema>[] {
  // A system identifier has more digits than a JavaScript number.
  const exact = json.replaceAll(/("system-id": *)(\d+)/g, '$1"$2"');
  // If pgBackRest cannot decrypt a file, it repeats the raw bytes in its answer.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const answer = z.array(stanzaSchema).safeParse(JSON.parse(exact.replaceAll(/[\u0000-\u001f]/g, " ")));
  if (!answer.success)
    throw new BackupError(`pgBackRest's output has an unexpected format: ${z.prettifyError(answer.error)}`);
  return answer.data;
}

function faultOf(code: number, message: string): BackupError | undefined {
  if (code === ok || code === noBackup) return undefined;
  if (code === missingPath || code === missingData) return emptyRepository();
  // The message comes from an error, but lacks the error's code.
  const number = /FormatError/.test(message) ? 29 : code;
  return diagnose(number, `P00 ERROR: [${number}]: ${message.replace(/^\[\w+\] /, "")}`);
}

function lostBackups(): BackupError {
  return diagnose(55, "archive.info exists but backup.info is missing");
}

/** Returns true if a fault only says that a repository is empty, as an unused one is. */
export function isEmptyRepository(fault: BackupError | undefined): boolean {
  return fault?.message === emptyRepository().message;
}

function emptyRepository(): BackupError {
  return diagnose(55, "archive.info");
}

function toBackup(backup: z.output<typeof backupSchema>, archives: z.output<typeof stanzaSchema>["archive"]): Backup {
  const { label, type, archive, lsn, database, info, reference, error, timestamp, annotation } = backup;
  return {
    label,
    type,
    startedAt: isoTime(timestamp.start),
    finishedAt: isoTime(timestamp.stop),
    size: info.size,
    repositoryDelta: info.repository.delta,
    wal: { from: archive.start, to: archive.stop },
    lsn: { from: lsn.start, to: lsn.stop },
    archiveId: archives.find((each) => each.database.id === database.id)?.id ?? "",
    references: reference ?? [],
    damaged: error ?? false,
    origin: originOf(annotation ?? {}),
  };
}

/** Reads the annotations that `backup-job` of the image writes. */
function originOf(annotation: Readonly<Record<string, string>>): BackupOrigin {
  const noted = (name: string) => annotation[`pgroundwork-${name}`] ?? null;
  return {
    ...{ image: noted("image"), postgres: noted("postgres"), commit: noted("commit"), user: noted("user") },
    isModified: noted("modified") === "true",
  };
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
