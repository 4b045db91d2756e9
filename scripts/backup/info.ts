import type Docker from "dockerode";
import { z } from "zod";
import { BackupError, diagnose } from "./diagnosis.ts";
import { pgBackRest } from "./pgbackrest.ts";

export type BackupType = "full" | "diff" | "incr";

/** One backup in a repository. Times in ISO 8601, sizes in bytes. */
export interface Backup {
  label: string;
  type: BackupType;
  startedAt: string;
  finishedAt: string;
  /** Of the cluster. */
  size: number;
  /** What it added to the repository. */
  repositoryDelta: number;
  /** First and last segment of the write-ahead log that it needs. */
  wal: { from: string; to: string };
  /** Those that it builds on. */
  references: string[];
  /** Pages whose checksum was wrong were copied. */
  damaged: boolean;
  /** Absent: not asked for. */
  databases?: string[];
}

export interface Repository {
  /** Oldest first. */
  backups: Backup[];
  /** A backup is being made right now. */
  underWay: boolean;
  /** Why it cannot be used; undefined: it can. */
  fault: BackupError | undefined;
  /** Segments that can be restored from and up to. */
  wal: { from: string; to: string } | undefined;
}

const backupSchema = z.object({
  label: z.string(),
  type: z.enum(["full", "diff", "incr"]),
  archive: z.object({ start: z.string(), stop: z.string() }),
  info: z.object({ size: z.number(), repository: z.object({ delta: z.number() }) }),
  reference: z.array(z.string()).nullish(),
  error: z.boolean().nullish(),
  timestamp: z.object({ start: z.number(), stop: z.number() }),
  "database-ref": z.array(z.object({ name: z.string() })).nullish(),
});

const stanzaSchema = z.object({
  archive: z.array(z.object({ min: z.string().nullable(), max: z.string().nullable() })),
  backup: z.array(backupSchema),
  repo: z.array(z.object({ status: z.object({ code: z.number(), message: z.string() }) })),
  status: z.object({ lock: z.object({ backup: z.object({ held: z.boolean() }) }).optional() }),
});

/** Codes of pgBackRest's `info` for a repository: fine; it has no stanza or has lost its data; it has no backup. */
const [ok, missingPath, noBackup, missingData] = [0, 1, 2, 3];

/**
 * Reads what a repository holds, through a container that has it.
 *
 * @throws BackupError where pgBackRest does not answer at all; what is wrong with the repository is part of the answer
 */
export async function readRepository(docker: Docker, container: string): Promise<Repository> {
  return parseInfo(await pgBackRest(docker, container, ["info", "--output=json"]));
}

/** The names of a backup's databases, templates excluded. */
export async function readDatabases(docker: Docker, container: string, label: string): Promise<string[]> {
  const [stanza] = parse(await pgBackRest(docker, container, ["info", "--output=json", `--set=${label}`]));
  return (stanza?.backup[0]?.["database-ref"] ?? []).map(({ name }) => name).sort();
}

export function parseInfo(json: string): Repository {
  const [stanza] = parse(json);
  if (stanza === undefined) return { backups: [], underWay: false, fault: emptyRepository(), wal: undefined };
  const { code, message } = stanza.repo[0]?.status ?? { code: ok, message: "" };
  const { min, max } = stanza.archive.at(-1) ?? { min: null, max: null };
  return {
    backups: stanza.backup.map(toBackup),
    underWay: stanza.status.lock?.backup.held ?? false,
    fault: faultOf(code, message),
    wal: min === null || max === null ? undefined : { from: min, to: max },
  };
}

function parse(json: string): z.output<typeof stanzaSchema>[] {
  // Of a file that it cannot decrypt, it repeats the bytes as they are.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const answer = z.array(stanzaSchema).safeParse(JSON.parse(json.replaceAll(/[\u0000-\u001f]/g, " ")));
  if (!answer.success) throw new BackupError(`pgBackRest's answer is not understood: ${z.prettifyError(answer.error)}`);
  return answer.data;
}

function faultOf(code: number, message: string): BackupError | undefined {
  if (code === ok || code === noBackup) return undefined;
  if (code === missingPath || code === missingData) return emptyRepository();
  // The message is that of an error without its number.
  const number = /FormatError/.test(message) ? 29 : code;
  return diagnose(number, `P00 ERROR: [${number}]: ${message.replace(/^\[\w+\] /, "")}`);
}

function emptyRepository(): BackupError {
  return diagnose(55, "archive.info");
}

function toBackup(backup: z.output<typeof backupSchema>): Backup {
  const { label, type, archive, info, reference, error, timestamp } = backup;
  return {
    label,
    type,
    startedAt: isoTime(timestamp.start),
    finishedAt: isoTime(timestamp.stop),
    size: info.size,
    repositoryDelta: info.repository.delta,
    wal: { from: archive.start, to: archive.stop },
    references: reference ?? [],
    damaged: error ?? false,
  };
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
