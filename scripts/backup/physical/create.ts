import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { flushFolder } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { removeLeftTemporaries, temporaryFor } from "../../core/temporary.ts";
import { majorVersion } from "../../server/cluster.ts";
import { storageError, storeFile } from "../dump/dump-file.ts";
import { requireRecipients } from "../dump/encryption.ts";
import { formatSegment, parseLsn, segmentNumberAt } from "../wal.ts";
import { clusterEntries, controlFile } from "./cluster-files.ts";
import { inBoth, type LiveCluster, readDatabases, readLiveCluster } from "./live-cluster.ts";
import {
  type ArchivedDatabase,
  type ArchiveMetadata,
  archiveFormat,
  archiveMetadataFile,
  formatArchiveMetadata,
} from "./metadata.ts";
import { TarWriter } from "./tar-writer.ts";

/** A server whose cluster is archived. */
export interface ArchiveSource {
  /** Login of a superuser to the database `postgres`. */
  connection: Connection;
  /** Stack, or server of a connection, for the metadata. */
  name: string;
}

/** Options of {@link createArchive}. */
export interface ArchiveOptions {
  /** Folder of all physical archives. It is created if it does not exist. */
  folder: string;
  compressed: boolean;
  /** Public keys of age. Empty: the archive is not encrypted. */
  recipients: readonly string[];
  signal: AbortSignal;
  onStep: (step: string) => void;
  /** Returns the command that restores an archive. */
  restoreCommand: (id: string) => string;
}

/** Level of gzip. Higher ones take several times as long for a tenth less space. */
const level = 1;

const what = "physical archive";

/**
 * Archives the cluster of a running server with PostgreSQL's low-level backup API: its files, and the WAL that makes
 * the copy consistent. An archive exists once it is complete. A killed run leaves a temporary folder, which the next
 * one removes.
 *
 * @throws OperationError if anything could not be archived; then nothing is left
 */
export async function createArchive(source: ArchiveSource, options: ArchiveOptions): Promise<ArchiveMetadata> {
  const { folder, compressed, recipients } = options;
  await requireRecipients(recipients);
  await removeLeftTemporaries(folder);
  const work = async (client: Client) => {
    const live = await readLiveCluster(client, Number(majorVersion));
    const startedAt = new Date();
    const id = `${source.name.replaceAll(/[^\w.]+/g, "_")}-physical-${startedAt.toISOString().replaceAll(/[-:.]/g, "")}`;
    const temporary = temporaryFor(join(folder, id));
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await mkdir(temporary, { mode: 0o700 });
      let copied: Copied | undefined;
      const storage = { compressed, level, recipients, what };
      const file = await storeFile(temporary, "cluster.tar", storage, async (output) => {
        copied = await copyCluster(client, live, source, options, output);
      });
      if (copied === undefined) throw new Error("the cluster was not copied");
      const finishedAt = new Date();
      const { version, major, systemIdentifier, timeline, segmentBytes } = live;
      const metadata: ArchiveMetadata = {
        ...{ format: archiveFormat, id, source: source.name, compressed, recipients: [...recipients] },
        startedAt: startedAt.toISOString(),
        finishedAt: finishedAt.toISOString(),
        durationMs: finishedAt.getTime() - startedAt.getTime(),
        server: { version, major },
        ...{ systemIdentifier, timeline, segmentBytes, ...copied, file },
        restore: options.restoreCommand(id),
      };
      const described = formatArchiveMetadata(metadata);
      await writeFile(join(temporary, archiveMetadataFile), described, { mode: 0o600, flush: true });
      await flushFolder(temporary);
      await rename(temporary, join(folder, id));
      await flushFolder(folder);
      return metadata;
    } catch (error) {
      throw storageError(error, folder, what);
    } finally {
      // The error that was thrown says more than one of the removal, which the next run repeats.
      await rm(temporary, { recursive: true, force: true }).catch(() => {});
    }
  };
  return withClient(source.connection, work, "pgroundwork physical archive");
}

/** Facts about a copy that are known when it is complete. */
type Copied = Pick<ArchiveMetadata, "startLsn" | "stopLsn" | "segments" | "databases" | "clusterBytes">;

/** Writes a cluster as a tar archive. The session is the one of the backup: if it ends, so does the backup. */
async function copyCluster(
  client: Client,
  live: LiveCluster,
  { connection }: ArchiveSource,
  { signal, onStep }: ArchiveOptions,
  output: Writable,
): Promise<Copied> {
  const tar = new TarWriter();
  const written = pipeline(tar.stream, output, { signal });
  const work = async (): Promise<Copied> => {
    await reserveWal(client);
    onStep("copying the data directory");
    const startLsn = await query(client, "select pg_backup_start('pgroundwork', fast => true)::text as value");
    await copyFiles(tar, live.data, signal);
    // Read before and after the end: what is in both is in the archive.
    const before = await readDatabases(connection);
    const control = await readControlFile(live.data);
    const { stopLsn, label } = await stopBackup(client);
    const databases: ArchivedDatabase[] = inBoth(before, await readDatabases(connection));
    onStep("copying the WAL");
    const segments = segmentsBetween(live, startLsn, stopLsn);
    await copyWal(tar, live, segments);
    await tar.addContent("backup_label", Buffer.from(label));
    // Last: no server starts on a copy that was extracted only in part.
    await tar.addContent(controlFile, control);
    tar.end();
    return { startLsn, stopLsn, segments, databases, clusterBytes: tar.bytes };
  };
  const worked = work().catch((error: unknown) => {
    const explained = readError(error, live.data);
    tar.stream.destroy(explained);
    throw explained;
  });
  const [working, writing] = await Promise.allSettled([worked, written]);
  signal.throwIfAborted();
  if (working.status === "rejected") throw working.reason;
  if (writing.status === "rejected") throw writing.reason;
  return working.value;
}

/** Explains an error of the file system while the cluster is read. Returns other errors unchanged. */
function readError(error: unknown, data: string): Error {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error as Error;
  return new OperationError(`The data directory ${data} cannot be read: ${message}`, {
    hint: "Run the command as the server's user or root.",
    cause: error,
  });
}

/**
 * Creates a replication slot that ends with the session, so that no checkpoint removes WAL that the copy needs.
 *
 * @throws OperationError if the server has no free slot
 */
async function reserveWal(client: Client): Promise<void> {
  try {
    await client.query(
      "select pg_create_physical_replication_slot(format('pgroundwork_%s', pg_backend_pid()), true, true)",
    );
  } catch (error) {
    throw new OperationError(`The WAL of the backup cannot be reserved: ${(error as Error).message}.`, {
      hint: "Raise max_replication_slots, or drop a replication slot that nothing uses (pg_replication_slots).",
      exitCode: exitCode.notAllowed,
      cause: error,
    });
  }
}

async function query(client: Client, sql: string): Promise<string> {
  const { rows } = await client.query<{ value: string }>(sql);
  return rows[0]?.value ?? "";
}

/** Ends the backup. The server writes the rest of its WAL, and continues in the next segment. */
async function stopBackup(client: Client): Promise<{ stopLsn: string; label: string }> {
  const { rows } = await client.query<{ stopLsn: string; label: string }>(
    'select lsn::text as "stopLsn", labelfile as label from pg_backup_stop(wait_for_archive => false)',
  );
  const [stopped] = rows;
  if (stopped === undefined) throw new Error("the server did not end the backup");
  return stopped;
}

async function copyFiles(tar: TarWriter, data: string, signal: AbortSignal): Promise<void> {
  for await (const { kind, path, mode } of clusterEntries(data)) {
    signal.throwIfAborted();
    if (kind === "directory") await tar.addFolder(path, mode);
    else await tar.addFile(path, join(data, path), mode);
  }
}

/** Number of attempts to read the control file, and the time between them in ms. */
const controlAttempts = 50;
const controlPauseMs = 20;

/** Reads the control file until two reads are the same, because the server may be writing it. */
async function readControlFile(data: string): Promise<Buffer> {
  const read = () => readFile(join(data, controlFile));
  let last = await read();
  for (let attempt = 0; attempt < controlAttempts; attempt++) {
    const next = await read();
    if (next.equals(last)) return next;
    last = next;
    await sleep(controlPauseMs);
  }
  throw new OperationError(`The control file in ${data} changes all the time, so it cannot be copied.`);
}

/** Returns the names of all segments from one position to another. */
function segmentsBetween({ timeline, segmentBytes }: LiveCluster, from: string, to: string): string[] {
  const first = segmentNumberAt(parseLsn(from), segmentBytes);
  // A position at the beginning of a segment is the end of the one before.
  const last = segmentNumberAt(parseLsn(to) - 1n, segmentBytes);
  return Array.from({ length: last - first + 1 }, (_, at) =>
    formatSegment({ timeline, number: first + at }, segmentBytes),
  );
}

/** Adds segments as the server keeps archived ones, so that no server archives them again. */
async function copyWal(
  tar: TarWriter,
  { data, segmentBytes }: LiveCluster,
  segments: readonly string[],
): Promise<void> {
  const folder = join(data, "pg_wal");
  const histories = (await readdir(folder)).filter((name) => /^[0-9A-F]{8}\.history$/.test(name));
  await tar.addFolder("pg_wal/archive_status", 0o700);
  for (const name of [...histories, ...segments]) {
    const size = await tar.addFile(`pg_wal/${name}`, join(folder, name), 0o600);
    if (segments.includes(name) && size !== segmentBytes)
      throw new OperationError(
        `The WAL segment ${name} of the backup is ${size === undefined ? "gone" : "incomplete"}.`,
        {
          hint: "max_slot_wal_keep_size may be too low. Run again when fewer changes are made.",
        },
      );
    await tar.addContent(`pg_wal/archive_status/${name}.done`, Buffer.alloc(0));
  }
}
