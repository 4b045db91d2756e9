import { resolve } from "node:path";
import type { ArchiveMetadata } from "../backup/physical/metadata.ts";
import type { RestoredArchive } from "../backup/physical/restore.ts";
import type { StoredArchive } from "../backup/physical/store.ts";
import { inDatabase } from "../connection/connection.ts";
import { shellQuote } from "../core/shell.ts";
import type { DumpFolder } from "./dumps.ts";
import { type ConnectionTarget, connectionOf } from "./target.ts";

/**
 * Folder of backups, and the environment that names it. Physical archives are in its folder `physical`.
 */
export type PhysicalArchiveFolder = DumpFolder;

/** Options of {@link createPhysicalArchive}. */
export interface CreatePhysicalArchiveOptions extends ConnectionTarget, PhysicalArchiveFolder {
  /** Default: `BACKUP_COMPRESS`, else true. */
  compressed?: boolean;
  /** Public keys of age that the archive is encrypted to. Default: `BACKUP_RECIPIENTS`, else it is not encrypted. */
  recipients?: readonly string[];
  /** Age in days from which archives of the same server are removed. Default: `BACKUP_RETENTION_DAYS`, else 30. */
  retentionDays?: number;
}

/** Options of {@link restorePhysicalArchive}. */
export interface RestorePhysicalArchiveOptions extends PhysicalArchiveFolder {
  /** New or empty directory, which becomes PostgreSQL's data directory. */
  to: string;
  /** File with the private key of an encrypted archive. Default: `BACKUP_IDENTITY_FILE`. */
  identityFile?: string;
}

/** A physical archive: a copy of a whole server, with the WAL that makes it consistent. */
export type PhysicalArchive = ArchiveMetadata;

/** A physical archive in a folder. Its checksum was not compared: {@link restorePhysicalArchive} does that. */
export type ListedPhysicalArchive = Omit<StoredArchive, "metadata"> & { archive?: PhysicalArchive };

/** A restored copy of a server, on which a server ran and read every row. */
export type RestoredPhysicalArchive = RestoredArchive;

/**
 * Archives a running server of version 17 on this machine with PostgreSQL's low-level backup API. It needs no program
 * of PostgreSQL, a superuser, and access to the data directory. Then removes archives that are older than the retention
 * time, but never the newest sound one.
 *
 * @throws OperationError if anything could not be archived; then nothing is left. ConnectionError
 */
export async function createPhysicalArchive(
  options: CreatePhysicalArchiveOptions = {},
): Promise<PhysicalArchive & { removed: string[] }> {
  const { createArchive } = await import("../backup/physical/create.ts");
  const { applyArchiveRetention } = await import("../backup/physical/store.ts");
  const { folder, settings, recipients, signal, onStep } = await settingsOf(options);
  const connection = inDatabase(connectionOf(options), "postgres");
  const made = await createArchive(
    { connection, name: `${connection.host}:${connection.port}` },
    {
      compressed: options.compressed ?? settings.compressed,
      recipients: options.recipients ?? recipients,
      ...{ folder, signal, onStep },
      restoreCommand: (id) => {
        const given = JSON.stringify({ folder: resolve(folder, ".."), to: "restored" });
        const call = `import { restorePhysicalArchive } from "pgroundwork"; await restorePhysicalArchive("${id}", ${given})`;
        return `node --input-type=module --eval ${shellQuote(call)}`;
      },
    },
  );
  const retentionDays = options.retentionDays ?? settings.retentionDays;
  return { ...made, removed: await applyArchiveRetention(folder, made, retentionDays, new Date()) };
}

/** Lists the physical archives in a folder, newest first. Empty if the folder does not exist. */
export async function listPhysicalArchives(options: PhysicalArchiveFolder = {}): Promise<ListedPhysicalArchive[]> {
  const { listArchives } = await import("../backup/physical/store.ts");
  const { folder } = await settingsOf(options);
  return (await listArchives(folder)).map(({ metadata, ...stored }) => ({
    ...stored,
    ...(metadata && { archive: metadata }),
  }));
}

/**
 * Restores a physical archive to a new directory: compares its checksum, starts a server without a network on the copy,
 * reads every row, and compares identity, databases and migrations with what was archived.
 *
 * @param name of the archive, or `latest` for the newest complete one
 * @throws OperationError if there is no such archive, or if it cannot be restored; then nothing is left
 */
export async function restorePhysicalArchive(
  name: string,
  options: RestorePhysicalArchiveOptions,
): Promise<RestoredPhysicalArchive> {
  const { ownHolder } = await import("../docker/scratch-holder.ts");
  const directory = await import("../backup/restore/extract-directory.ts");
  const { restoreArchive } = await import("../backup/physical/restore.ts");
  const { findArchive } = await import("../backup/physical/store.ts");
  const { folder, signal, onStep, env } = await settingsOf(options);
  const to = resolve(options.to);
  await directory.requireEmptyDirectory(to);
  await directory.requireWritableDirectory(to);
  const identityFile = options.identityFile ?? env.BACKUP_IDENTITY_FILE;
  return restoreArchive(await findArchive(folder, name), {
    ...{ to, identityFile, holder: await ownHolder(), signal, onStep },
  });
}

/** Returns the settings that all functions have, with those of the environment. */
async function settingsOf(options: PhysicalArchiveFolder) {
  const { readDumpSettings, readRecipients } = await import("../backup/dump/settings.ts");
  const { archiveFolder } = await import("../backup/physical/store.ts");
  const { env = process.env, signal = new AbortController().signal, onStep = () => undefined } = options;
  const settings = readDumpSettings(env, process.cwd());
  const folder = archiveFolder(options.folder === undefined ? settings.folder : resolve(options.folder));
  return { folder, settings, recipients: readRecipients(env), env, signal, onStep };
}
