import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { leadsNowhere, unlessAbsent } from "../../core/absent.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isTemporary } from "../../core/temporary.ts";
import { hashFile } from "../dump/dump-file.ts";
import { metadataFile, parseMetadata } from "../dump/metadata.ts";
import { type ArchiveMetadata, archiveMetadataFile, parseArchiveMetadata } from "./metadata.ts";

/** A physical archive in a folder. */
export interface StoredArchive {
  id: string;
  path: string;
  /**
   * `complete`: its file is there with the recorded size; its checksum was not compared. `damaged`: it is not.
   * `unfinished`: it is being written, or its writer was killed. `unknown`: another version of pgroundwork wrote it.
   */
  state: "complete" | "damaged" | "unfinished" | "unknown";
  /** Reasons for another state than `complete`. */
  reasons: string[];
  metadata?: ArchiveMetadata;
}

/** Returns the folder of physical archives below the folder of dumps, where no command looks for dumps. */
export function archiveFolder(dumps: string): string {
  return join(dumps, "physical");
}

/**
 * Lists the physical archives in a folder, newest first. Reads descriptions and sizes only, so that it is cheap. Empty
 * if the folder does not exist.
 */
export async function listArchives(folder: string): Promise<StoredArchive[]> {
  const entries = (await unlessAbsent(readdir(folder, { withFileTypes: true }))) ?? [];
  const archives: StoredArchive[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const archive = await readArchive(folder, name);
    if (archive !== undefined) archives.push(archive);
  }
  return archives.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
}

async function readArchive(folder: string, id: string): Promise<StoredArchive | undefined> {
  const path = join(folder, id);
  if (isTemporary(id)) return { id, path, state: "unfinished", reasons: ["it was not completed"] };
  const text = await unlessAbsent(readFile(join(path, archiveMetadataFile), "utf8"));
  if (text === undefined) return undefined;
  const parsed = parseArchiveMetadata(text);
  if ("reason" in parsed) {
    const state = parsed.reason.includes("has format") ? "unknown" : "damaged";
    return { id, path, state, reasons: [parsed.reason] };
  }
  const { metadata } = parsed;
  const { name, bytes } = metadata.file;
  const found = await unlessAbsent(stat(join(path, name)));
  const reasons =
    found === undefined
      ? [`${name} is missing`]
      : found.size === bytes
        ? []
        : [`${name} has ${found.size} bytes instead of ${bytes}`];
  return { id, path, state: reasons.length === 0 ? "complete" : "damaged", reasons, metadata };
}

/** A physical archive with its description. */
export type DescribedArchive = StoredArchive & { metadata: ArchiveMetadata };

/**
 * Finds the physical archive that a user named: by its name, or `latest` for the newest complete one.
 *
 * @param source stack or server of `latest`; undefined for any
 * @throws OperationError (wrong usage) if there is none
 */
export async function findArchive(folder: string, name: string, source?: string): Promise<DescribedArchive> {
  const archives = await listArchives(folder);
  const found =
    name === "latest"
      ? archives.find(
          ({ state, metadata }) => state === "complete" && (source === undefined || metadata?.source === source),
        )
      : archives.find(({ id, state }) => id === name && state !== "unfinished");
  if (found === undefined) {
    const which = name === "latest" ? "a complete physical archive of this server" : `a physical archive "${name}"`;
    throw new OperationError(`There is no such backup: ${folder} does not have ${which}.`, {
      hint: "`npm run pgw -- backup list` shows them. BACKUP_DIR sets the folder, and `backup create` makes one.",
      exitCode: exitCode.usage,
    });
  }
  if (found.metadata === undefined)
    throw new OperationError(`The physical archive ${found.id} cannot be used: ${found.reasons.join("; ")}.`);
  return { ...found, metadata: found.metadata };
}

/** Compares the file of an archive with its recorded size and checksum. Returns the reason if it is damaged. */
export async function findDamage(
  { path, metadata }: Pick<DescribedArchive, "path" | "metadata">,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { name, bytes, sha256 } = metadata.file;
  const found = await unlessAbsent(hashFile(join(path, name), signal));
  if (found === undefined) return `${name} is missing`;
  if (found.bytes !== bytes) return `${name} has ${found.bytes} bytes instead of ${bytes}`;
  return found.sha256 === sha256 ? undefined : `${name} was changed: its checksum does not match`;
}

/**
 * Removes archives of the same source that are older than the retention time, but never the newest sound one. It is the
 * newest whose checksum matches, whatever the clock says. Checksums are compared only if something is to be removed.
 *
 * @param made the archive that was just made
 * @returns names of the removed archives
 */
export async function applyArchiveRetention(
  folder: string,
  made: Pick<ArchiveMetadata, "id" | "source">,
  retentionDays: number,
  now: Date,
): Promise<string[]> {
  const oldest = new Date(now.getTime() - retentionDays * 86_400_000).toISOString();
  const same = (await listArchives(folder)).filter(({ metadata }) => metadata?.source === made.source);
  const expired = same.filter((archive) => timeOf(archive) < oldest && archive.id !== made.id);
  if (expired.length === 0) return [];
  const newest = await newestSound(same);
  const removed = expired.filter(({ id }) => id !== newest);
  for (const { path } of removed) {
    // Without its description, a folder that is only half removed is no archive.
    await rm(join(path, archiveMetadataFile), { force: true });
    await rm(path, { recursive: true, force: true });
  }
  return removed.map(({ id }) => id);
}

/** Returns the newest archive whose checksum matches. */
async function newestSound(archives: readonly StoredArchive[]): Promise<string | undefined> {
  for (const { id, path, state, metadata } of archives)
    if (state === "complete" && metadata !== undefined && (await findDamage({ path, metadata })) === undefined)
      return id;
  return undefined;
}

/** Returns the end of an archive as ISO 8601. Empty if it is not known, which sorts last. */
function timeOf({ metadata }: StoredArchive): string {
  return metadata?.finishedAt ?? "";
}

/** Returns the end of the newest dump of a stack as ISO 8601, without comparing checksums. Empty if there is none. */
export async function newestDumpTime(dumps: string, source: string): Promise<string> {
  const names = (await unlessAbsent(readdir(dumps))) ?? [];
  let newest = "";
  for (const name of names.filter((each) => !isTemporary(each))) {
    const text = await unlessAbsent(readFile(join(dumps, name, metadataFile), "utf8"), leadsNowhere);
    const parsed = text === undefined ? undefined : parseMetadata(text);
    if (parsed === undefined || !("metadata" in parsed)) continue;
    const { metadata } = parsed;
    if (metadata.source === source && metadata.scope === "full" && metadata.finishedAt > newest)
      newest = metadata.finishedAt;
  }
  return newest;
}
