import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { monitoringSchema } from "../../connection/observer.ts";
import { flushFolder } from "../../core/atomic-file.ts";
import { OperationError } from "../../core/operation-error.ts";
import { temporaryFor } from "../../core/temporary.ts";
import type { ScratchDocker } from "../../scratch/request.ts";
import { beginSnapshot, lockTables, readContent } from "./content.ts";
import { hashFolder, type Storage, storageError, storeFile } from "./dump-file.ts";
import { requireRecipients } from "./encryption.ts";
import {
  type DatabaseContent,
  type DumpFile,
  type DumpFormat,
  type DumpMetadata,
  formatMetadata,
  metadataFile,
  metadataFormat,
} from "./metadata.ts";
import { type DumpTools, socketFolder } from "./programs.ts";
import { withDumpTools } from "./tools.ts";

/** A database to dump. */
export interface DumpSource {
  /** Login of a role that sees all rows: a superuser, or the owner of everything. */
  connection: Connection;
  /** Name for the metadata, which differs from the connection's if the database was renamed. */
  database: string;
  /** Stack, or server of a connection, for the metadata. */
  name: string;
  /** Docker engine with PostgreSQL's programs. */
  docker: ScratchDocker | undefined;
}

/** Options of {@link createDump}. */
export interface DumpOptions {
  /** Folder of all dumps. It is created if it does not exist. */
  folder: string;
  kind: DumpFormat;
  scope: "full" | "schema";
  /** Also store the roles of the server, with their passwords' hashes. */
  globals: boolean;
  compressed: boolean;
  /** Public keys of age. Empty: the dump is not encrypted. */
  recipients: readonly string[];
  reason: DumpMetadata["reason"];
  /** Number of processes that write a folder. */
  jobs: number;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  onStep: (step: string) => void;
  /** Returns the command that loads a dump. */
  restoreCommand: (id: string) => string;
}

/**
 * Dumps a database and describes the dump: versions, migrations, and the number and checksum of every table's rows,
 * from the same snapshot. A dump exists once it is complete. A killed run leaves a temporary folder, which the next one
 * removes.
 *
 * @throws OperationError if anything could not be dumped; then nothing is left
 */
export async function createDump(source: DumpSource, options: DumpOptions): Promise<DumpMetadata> {
  const { kind, recipients, folder } = options;
  await requireRecipients(recipients);
  if (kind === "directory" && recipients.length > 0) {
    throw new OperationError("A dump in the format directory cannot be encrypted.", {
      hint: "Use --format custom, or --no-encrypt.",
    });
  }
  return withClient(
    source.connection,
    async (client) => {
      const server = await readServer(client);
      const place = { major: server.major, docker: source.docker, env: options.env, onProgress: options.onStep };
      return withDumpTools(place, async (tools) => {
        const startedAt = new Date();
        const id = idOf(source, options.scope, startedAt);
        const temporary = temporaryFor(join(folder, id));
        try {
          await mkdir(folder, { recursive: true, mode: 0o700 });
          await mkdir(temporary, { mode: 0o700 });
          const { content, files } = await write(client, tools, source, options, temporary);
          const finishedAt = new Date();
          const metadata: DumpMetadata = {
            format: metadataFormat,
            id,
            database: source.database,
            source: source.name,
            scope: options.scope,
            kind,
            compressed: options.compressed,
            recipients: [...recipients],
            reason: options.reason,
            startedAt: startedAt.toISOString(),
            finishedAt: finishedAt.toISOString(),
            durationMs: finishedAt.getTime() - startedAt.getTime(),
            server,
            programs: tools.version,
            content,
            files,
            bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
            restore: options.restoreCommand(id),
          };
          await writeFile(join(temporary, metadataFile), formatMetadata(metadata), { mode: 0o600, flush: true });
          await flushFolder(temporary);
          await rename(temporary, join(folder, id));
          await flushFolder(folder);
          return metadata;
        } catch (error) {
          throw storageError(error, folder);
        } finally {
          await rm(temporary, { recursive: true, force: true });
        }
      });
    },
    "pgroundwork dump",
  );
}

async function readServer(client: Client): Promise<DumpMetadata["server"]> {
  const { rows } = await client.query<{ version: string; number: string }>(
    "select current_setting('server_version') as version, current_setting('server_version_num') as number",
  );
  const { version = "", number = "0" } = rows[0] ?? {};
  return { version: version.split(" ")[0] ?? version, major: Math.floor(Number(number) / 10_000) };
}

/** Writes the files of a dump while it reads the same snapshot. */
async function write(
  client: Client,
  tools: DumpTools,
  source: DumpSource,
  options: DumpOptions,
  folder: string,
): Promise<{ content: DatabaseContent; files: DumpFile[] }> {
  const { scope, signal, onStep } = options;
  await client.query(beginSnapshot);
  try {
    const { rows } = await client.query<{ snapshot: string; isSuperuser: boolean }>(
      'select pg_export_snapshot() as snapshot, (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser"',
    );
    const [{ snapshot = "", isSuperuser = false } = {}] = rows;
    // Only a superuser can load it again: its objects have two owners. `up` creates it.
    const excluded = isSuperuser ? [] : [`--exclude-schema=${monitoringSchema}`];
    const tables = await lockTables(client);
    onStep(`dumping ${source.database}`);
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const dumped = dump(tools, source, { ...options, signal: both }, { snapshot, excluded }, folder);
    const read = readContent(client, tables, { scope, signal: both });
    // The first failure ends the other one.
    for (const work of [dumped, read]) work.catch(() => stop.abort());
    const [files, content] = await settled(dumped, read);
    await client.query("commit");
    if (!options.globals) return { content, files };
    onStep("dumping the roles");
    return { content, files: [...files, await dumpGlobals(tools, source, options, folder)] };
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw lockError(error);
  }
}

/** Waits for both, and throws the failure that came first: the other one is its consequence. */
async function settled<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    await Promise.allSettled([first, second]);
    throw error;
  }
}

async function dump(
  tools: DumpTools,
  source: DumpSource,
  { kind, scope, compressed, recipients, jobs, signal }: DumpOptions,
  { snapshot, excluded }: { snapshot: string; excluded: string[] },
  folder: string,
): Promise<DumpFile[]> {
  const connection = loginFor(tools, source);
  const args = [
    `--snapshot=${snapshot}`,
    "--no-password",
    "--lock-wait-timeout=60000",
    ...excluded,
    ...(scope === "schema" ? ["--schema-only"] : []),
  ];
  switch (kind) {
    case "directory": {
      await mkdir(join(folder, "dump"), { mode: 0o700 });
      const given = [...args, "--format=directory", `--compress=${compressed ? 6 : 0}`, `--jobs=${jobs}`];
      await tools.dumpFolder({ args: given, connection, signal }, join(folder, "dump"));
      await chmod(join(folder, "dump"), 0o700);
      return hashFolder(folder, "dump", signal);
    }
    case "custom": {
      // The archive is compressed inside.
      const storage: Storage = { compressed: false, recipients };
      const given = [...args, "--format=custom", `--compress=${compressed ? 6 : 0}`];
      return [
        await storeFile(folder, "dump.pgdump", storage, (output) =>
          tools.run({ program: "pg_dump", args: given, connection, output, signal }),
        ),
      ];
    }
    case "sql":
      return [
        await storeFile(folder, "dump.sql", { compressed, recipients }, (output) =>
          tools.run({ program: "pg_dump", args: [...args, "--format=plain"], connection, output, signal }),
        ),
      ];
  }
}

async function dumpGlobals(
  tools: DumpTools,
  source: DumpSource,
  { compressed, recipients, signal }: DumpOptions,
  folder: string,
): Promise<DumpFile> {
  const connection = loginFor(tools, source);
  return storeFile(folder, "globals.sql", { compressed, recipients }, (output) =>
    tools.run({ program: "pg_dumpall", args: ["--globals-only", "--no-password"], connection, output, signal }),
  );
}

/** Returns the login for the programs: over the server's socket, if they have it. */
export function loginFor(tools: DumpTools, { connection }: Pick<DumpSource, "connection">): Connection {
  if (!tools.hasServerSocket) return connection;
  return { host: socketFolder, port: 5432, user: "postgres", database: connection.database, sslmode: "disable" };
}

/** Explains a table that another session keeps locked. Returns other errors unchanged. */
function lockError(error: unknown): unknown {
  if ((error as { code?: string }).code !== "55P03") return error;
  return new OperationError(`A table is locked by another session: ${(error as Error).message}. Nothing was dumped.`, {
    hint: "Run again when that session has ended. `pg_locks` shows it.",
    cause: error,
  });
}

/** Returns a dump's name, which sorts by time: `local-trading-20261129T054501123Z`. */
function idOf({ name, database }: DumpSource, scope: DumpOptions["scope"], at: Date): string {
  const time = at.toISOString().replaceAll(/[-:.]/g, "");
  const safe = (text: string) => text.replaceAll(/[^\w.]+/g, "_");
  return `${safe(name)}-${safe(database)}-${time}${scope === "schema" ? "-schema" : ""}`;
}
