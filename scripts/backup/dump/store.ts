import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { unlessAbsent } from "../../core/absent.ts";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isTemporary, removeLeftTemporaries } from "../../core/temporary.ts";
import { hashFile } from "./dump-file.ts";
import { type DumpMetadata, metadataFile, parseMetadata } from "./metadata.ts";

/** Name of the file with the result of the last validation. */
const validationFile = "validation.json";

export const validationSchema = z.object({
  state: z.enum(["passed", "failed"]),
  /** ISO 8601. */
  at: z.string(),
  reasons: z.array(z.string()),
});

/** Result of loading a dump into a scratch cluster. */
export type Validation = z.output<typeof validationSchema>;

/**
 * Comparison of the files of a dump with its metadata. `checksums` reads every byte. `sizes` reads none, and does
 * not find a changed byte.
 */
export type FileComparison = "checksums" | "sizes";

/** A dump in a folder. */
export interface StoredDump {
  id: string;
  path: string;
  /**
   * `intact`: every file is as it was written. `damaged`: it is not, or it could not be loaded. `unfinished`: it is
   * being written, or its writer was killed. `unknown`: another version of pgroundwork wrote it.
   */
  state: "intact" | "damaged" | "unfinished" | "unknown";
  /** Reasons for another state than `intact`. */
  reasons: string[];
  /** Files that are not as they were written. */
  damage: string[];
  metadata?: DumpMetadata;
  /** Last validation. undefined if there was none. */
  validation?: Validation;
  /** Access to its files if they are not on this machine. */
  remote?: RemoteDump;
}

/** Files of a dump that is not on this machine, and the place for the result of a validation. */
export interface RemoteDump {
  open: (file: string) => Promise<Readable>;
  record: (validation: Validation) => Promise<void>;
}

/**
 * Lists the dumps in a folder, newest first, after comparing every file with its recorded checksum, or only its size.
 * Empty if the folder does not exist.
 */
export async function listDumps(
  folder: string,
  signal?: AbortSignal,
  comparison: FileComparison = "checksums",
): Promise<StoredDump[]> {
  const entries = (await unlessAbsent(readdir(folder, { withFileTypes: true }))) ?? [];
  const dumps: StoredDump[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const dump = await readDump(folder, name, signal, comparison);
    if (dump !== undefined) dumps.push(dump);
  }
  return dumps.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
}

/** Reads and checks one dump. undefined if the folder has no dump. */
export async function readDump(
  folder: string,
  id: string,
  signal?: AbortSignal,
  comparison: FileComparison = "checksums",
): Promise<StoredDump | undefined> {
  const path = join(folder, id);
  if (isTemporary(id)) return { id, path, state: "unfinished", reasons: ["it was not completed"], damage: [] };
  const text = await unlessAbsent(readFile(join(path, metadataFile), "utf8"));
  if (text === undefined) return undefined;
  const parsed = parseMetadata(text);
  if ("reason" in parsed) {
    const state = parsed.reason.includes("has format") ? "unknown" : "damaged";
    return { id, path, state, reasons: [parsed.reason], damage: [parsed.reason] };
  }
  const { metadata } = parsed;
  const validation = await readValidation(path);
  const damage = await findDamage(path, metadata, comparison, signal);
  const reasons = [...damage, ...loadFailures(validation)];
  return {
    id,
    path,
    state: reasons.length === 0 ? "intact" : "damaged",
    reasons,
    damage,
    metadata,
    ...(validation && { validation }),
  };
}

/** Returns the reasons why a dump could not be loaded when it was last tried. */
export function loadFailures(validation: Validation | undefined): string[] {
  return validation?.state === "failed" ? validation.reasons.map((reason) => `it cannot be loaded: ${reason}`) : [];
}

/**
 * Finds the dump that a user named: by its name, or `latest` for the newest intact one of a database.
 *
 * @throws OperationError (wrong usage) if there is none
 */
export async function findDump(
  folder: string,
  name: string,
  of: { source?: string; database?: string },
  signal?: AbortSignal,
): Promise<StoredDump & { metadata: DumpMetadata }> {
  const found =
    name === "latest"
      ? (await listDumps(folder, signal)).find(
          ({ state, metadata }) =>
            state === "intact" &&
            metadata?.scope === "full" &&
            (of.source === undefined || metadata.source === of.source) &&
            (of.database === undefined || metadata.database === of.database),
        )
      : /^[\w.-]+$/.test(name) && !isTemporary(name)
        ? await readDump(folder, name, signal)
        : undefined;
  if (found === undefined) {
    const which = name === "latest" ? "an intact dump of this database" : `a dump "${name}"`;
    throw new OperationError(`There is no such dump: ${folder} does not have ${which}.`, {
      hint: "`npm run pgw -- dumps list` shows the dumps. BACKUP_DIR sets the folder.",
      exitCode: exitCode.usage,
    });
  }
  if (found.metadata === undefined)
    throw new OperationError(`The dump ${found.id} cannot be used: ${found.reasons.join("; ")}.`);
  return { ...found, metadata: found.metadata };
}

/** Compares the files of a dump with their recorded sizes, and with their checksums if these are compared. */
async function findDamage(
  path: string,
  { files }: DumpMetadata,
  comparison: FileComparison,
  signal?: AbortSignal,
): Promise<string[]> {
  const damage: string[] = [];
  for (const { name, bytes, sha256 } of files) {
    const size = (await unlessAbsent(stat(join(path, name))))?.size;
    if (size === undefined) damage.push(`${name} is missing`);
    else if (size !== bytes) damage.push(`${name} has ${size} bytes instead of ${bytes}`);
    else if (comparison === "checksums" && (await hashFile(join(path, name), signal)).sha256 !== sha256)
      damage.push(`${name} was changed: its checksum does not match`);
  }
  return damage;
}

/** Stores the result of a validation beside the dump. */
export async function writeValidation(
  { path, remote }: Pick<StoredDump, "path" | "remote">,
  validation: Validation,
): Promise<void> {
  if (remote !== undefined) return remote.record(validation);
  writeFileAtomically(join(path, validationFile), `${JSON.stringify(validation, null, 2)}\n`, { mode: 0o600 });
}

async function readValidation(path: string): Promise<Validation | undefined> {
  const text = await unlessAbsent(readFile(join(path, validationFile), "utf8"));
  if (text === undefined) return undefined;
  try {
    return validationSchema.parse(JSON.parse(text));
  } catch {
    // A damaged result proves nothing. The dump counts as not validated.
    return undefined;
  }
}

/** Retention times of the dumps in a folder, in days. */
export interface Retention {
  days: number;
  /** Days for scheduled dumps. Omitted if their plan is not known: then they stay. */
  scheduledDays?: number;
}

/**
 * Removes dumps of the same database and scope that are older than the retention time, and what killed runs left.
 *
 * @returns names of the removed dumps
 */
export async function applyRetention(
  folder: string,
  of: Pick<DumpMetadata, "source" | "database" | "scope">,
  retention: Retention,
  now: Date,
): Promise<string[]> {
  await removeLeftTemporaries(folder);
  const dumps = await listDumps(folder);
  const removed = expiredDumps(dumps, of, retention, now);
  for (const { path } of removed) {
    // Without its description, a folder that is only half removed is no dump.
    await rm(join(path, metadataFile), { force: true });
    await rm(path, { recursive: true, force: true });
  }
  return removed.map(({ id }) => id);
}

/**
 * Returns the dumps that are older than the retention time. The newest intact dump and the newest dump that was loaded
 * successfully are never among them, whatever the clock says.
 */
export function expiredDumps(
  dumps: readonly StoredDump[],
  of: Pick<DumpMetadata, "source" | "database" | "scope">,
  { days, scheduledDays }: Retention,
  now: Date,
): StoredDump[] {
  const same = dumps
    .filter(
      ({ metadata }) =>
        metadata?.source === of.source && metadata.database === of.database && metadata.scope === of.scope,
    )
    .sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  const intact = same.filter(({ state }) => state === "intact");
  const kept = [intact[0], intact.find(({ validation }) => validation?.state === "passed")];
  // Without an intact dump, a damaged one is all that there is.
  if (intact.length === 0) return [];
  const isExpired = (dump: StoredDump) => {
    const keptDays = dump.metadata?.reason === "scheduled" ? scheduledDays : days;
    return keptDays !== undefined && timeOf(dump) < new Date(now.getTime() - keptDays * 86_400_000).toISOString();
  };
  return same.filter((dump) => isExpired(dump) && !kept.includes(dump));
}

/** Returns the end of a dump as ISO 8601. Empty if it is not known, which sorts last. */
function timeOf({ metadata }: StoredDump): string {
  return metadata?.finishedAt ?? "";
}
