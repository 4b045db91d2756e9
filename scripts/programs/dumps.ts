import { resolve } from "node:path";
import type { DumpFormat } from "../backup/dump/format.ts";
import type { DumpMetadata } from "../backup/dump/metadata.ts";
import type { DumpStats } from "../backup/dump/stats.ts";
import type { StoredDump } from "../backup/dump/store.ts";
import { connectionUrl, inDatabase } from "../connection/connection.ts";
import { rootFromEnvironment } from "../connection/environment.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { shellQuote } from "../core/shell.ts";
import { type ConnectionTarget, connectionOf } from "./target.ts";

/** Folder of dumps, and the environment that names it. */
export interface DumpFolder {
  /** Folder of all dumps. Default: `BACKUP_DIR` in `env`, else `.pgroundwork/dumps` in the working directory. */
  folder?: string;
  /**
   * Environment to read `BACKUP_DIR`, `BACKUP_RETENTION_DAYS`, `BACKUP_COMPRESS`, `BACKUP_RECIPIENTS`,
   * `BACKUP_IDENTITY_FILE` and `PATH` from. Default: `process.env`.
   */
  env?: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
  /** Gets the name of each step as it begins. */
  onStep?: (step: string) => void;
}

/** Options of {@link createDump}. */
export interface CreateDumpOptions extends ConnectionTarget, DumpFolder {
  /** One file for pg_restore, a folder with a file for each table, or SQL. Default: `custom`. */
  format?: DumpFormat;
  /** True to dump definitions without rows. */
  schemaOnly?: boolean;
  /** True to dump the server's roles, too, with the hashes of their passwords. It needs a superuser. */
  globals?: boolean;
  /** Default: `BACKUP_COMPRESS`, else true. */
  compressed?: boolean;
  /** Public keys of age that the dump is encrypted to. Default: `BACKUP_RECIPIENTS`, else it is not encrypted. */
  recipients?: readonly string[];
  /** Age in days from which dumps of the same database are removed. Default: `BACKUP_RETENTION_DAYS`, else 30. */
  retentionDays?: number;
  /** Number of processes that write a dump in the format `directory`. Default: 1. */
  jobs?: number;
}

/** Options of {@link validateDump}. */
export interface ValidateDumpOptions extends DumpFolder {
  /** File with the private key of an encrypted dump. Default: `BACKUP_IDENTITY_FILE`. */
  identityFile?: string;
  /** Number of processes that load a dump in the format `directory`. Default: 1. */
  jobs?: number;
  /** Database of `latest`. Default: any. */
  database?: string;
}

/** Options of {@link loadDump}. */
export interface LoadDumpOptions
  extends ConnectionTarget,
    Omit<ValidateDumpOptions, "database">,
    Pick<CreateDumpOptions, "compressed" | "recipients" | "retentionDays"> {
  /** Name of the existing database that is replaced. Without it, the database must not exist. */
  replace?: string;
}

/** A dump. */
export interface Dump {
  id: string;
  /** Folder of its files. */
  path: string;
  database: string;
  /** Stack or server of the database. */
  source: string;
  scope: "full" | "schema";
  format: DumpFormat;
  encrypted: boolean;
  /** ISO 8601. */
  finishedAt: string;
  durationMs: number;
  bytes: number;
  /** Version of the server. */
  serverVersion: string;
  /** Every table with the number and checksum of its rows. */
  tables: { table: string; rows: number; checksum: string }[];
  /** Migrations that were applied, oldest first. null: the database records none. */
  migrations: string[] | null;
  /** Command that loads it. The password is read from `PGPASSWORD`. */
  restore: string;
}

/** A dump in a folder, after every file was compared with its checksum. */
export interface ListedDump {
  id: string;
  path: string;
  /**
   * `intact`: every file is as it was written. `damaged`: it is not, or it could not be loaded. `unfinished`: it is
   * being written, or its writer was killed. `unknown`: another version of pgroundwork wrote it.
   */
  state: "intact" | "damaged" | "unfinished" | "unknown";
  /** Reasons for another state than `intact`. */
  reasons: string[];
  /** Omitted if its description cannot be read. */
  dump?: Dump;
  /** Result of the last {@link validateDump}. Omitted if there was none. */
  validation?: { state: "passed" | "failed"; at: string; reasons: string[] };
}

/** Result of {@link validateDump}. `could-not-run` says nothing about the dump. */
export type ValidatedDump =
  | { id: string; state: "passed" | "failed"; at: string; reasons: string[] }
  | { id: string; state: "could-not-run"; reason: string };

/** Result of {@link loadDump}. */
export interface LoadedDump {
  id: string;
  tables: number;
  rows: number;
  /** Number of sessions that were terminated. */
  terminated: number;
  /** Dump of the replaced database. Omitted if there was none. */
  previous?: Dump;
  /** The replaced database, if it could not be dumped: its new name, and the reason. */
  kept?: { database: string; reason: string };
}

/**
 * Dumps a database with pg_dump, and records the number and checksum of every table's rows in the same snapshot. Then
 * removes dumps that are older than the retention time, but never the newest intact one.
 *
 * @throws OperationError if anything could not be dumped; then nothing is left. ConnectionError
 */
export async function createDump(options: CreateDumpOptions = {}): Promise<Dump & { removed: string[] }> {
  const [create, { applyRetention }] = await Promise.all([
    import("../backup/dump/create.ts"),
    import("../backup/dump/store.ts"),
  ]);
  const settings = await settingsOf(options);
  const { folder, retentionDays } = settings;
  const made = await create.createDump(sourceOf(options, settings), {
    ...settings,
    kind: options.format ?? "custom",
    scope: options.schemaOnly === true ? "schema" : "full",
    globals: options.globals === true,
    reason: "requested",
  });
  return {
    ...describe(made, folder),
    removed: await applyRetention(folder, made, { days: retentionDays }, new Date()),
  };
}

/** Lists the dumps in a folder, newest first. Empty if the folder does not exist. */
export async function listDumps(options: DumpFolder = {}): Promise<ListedDump[]> {
  const { listDumps: list } = await import("../backup/dump/store.ts");
  const { folder, signal } = await settingsOf(options);
  return (await list(folder, signal)).map((stored) => listed(stored, folder));
}

/** Returns number, size, age and duration of the dumps of each database. */
export async function dumpStats(options: DumpFolder = {}): Promise<DumpStats[]> {
  const [{ listDumps: list }, { statsOf }] = await Promise.all([
    import("../backup/dump/store.ts"),
    import("../backup/dump/stats.ts"),
  ]);
  const { folder, signal } = await settingsOf(options);
  return statsOf(await list(folder, signal));
}

/**
 * Loads a dump into a scratch cluster and compares every table's rows with those dumped. The live server is not used.
 * The result is stored beside the dump.
 *
 * @param name of the dump, or `latest` for the newest intact one
 * @throws OperationError if there is no such dump, or if it cannot be decrypted
 */
export async function validateDump(name: string, options: ValidateDumpOptions = {}): Promise<ValidatedDump> {
  const [{ findDump }, validate] = await Promise.all([
    import("../backup/dump/store.ts"),
    import("../backup/dump/validate.ts"),
  ]);
  const settings = await settingsOf(options);
  const { database } = options;
  const dump = await findDump(settings.folder, name, database === undefined ? {} : { database }, settings.signal);
  return { id: dump.id, ...(await validate.validateDump(dump, settings)) };
}

/**
 * Loads a dump in place of a database. It is loaded and compared beside the existing database, which is in use until
 * then. Then both are swapped, and the replaced one is dumped and dropped. Sessions of the database are terminated.
 *
 * @param name of the dump, or `latest` for the newest intact one of this database
 * @throws OperationError (not allowed) if the database exists and `replace` does not name it; otherwise if the dump
 * cannot be loaded: then the existing database is as before. ConnectionError
 */
export async function loadDump(name: string, options: LoadDumpOptions): Promise<LoadedDump> {
  const [{ findDump, applyRetention }, { planLoad }, load] = await Promise.all([
    import("../backup/dump/store.ts"),
    import("../backup/dump/load-plan.ts"),
    import("../backup/dump/load.ts"),
  ]);
  const settings = await settingsOf(options);
  const { folder, retentionDays, signal } = settings;
  const target = sourceOf(options, settings);
  const { database, name: source } = target;
  const dump = await findDump(folder, name, { source, database }, signal);
  if (dump.damage.length > 0) {
    throw new OperationError(`The dump ${dump.id} is damaged: ${dump.damage.join("; ")}.`, {
      hint: "Nothing was changed. `listDumps` shows which dumps are intact.",
    });
  }
  const maintenance = inDatabase(target.connection, "postgres");
  const plan = await planLoad(maintenance, database, dump.metadata);
  if (options.replace !== (plan.existing && database)) {
    throw new OperationError(
      plan.existing === undefined
        ? `\`replace\` is "${options.replace}", but the server has no database "${database}".`
        : `The database "${database}" exists. Loading the dump ${dump.id} replaces it.`,
      {
        hint: `Nothing was changed. Set \`replace\` to the name of the database that is replaced.`,
        exitCode: exitCode.notAllowed,
      },
    );
  }
  const {
    previous,
    migrated: _,
    ...loaded
  } = await load.loadDump(dump, target, maintenance, plan, {
    ...settings,
    migrate: undefined,
  });
  if (previous !== undefined) await applyRetention(folder, previous, { days: retentionDays }, new Date());
  return { id: dump.id, ...loaded, ...(previous && { previous: describe(previous, folder) }) };
}

/** Returns the settings that all functions have, with those of the environment. */
async function settingsOf(options: Partial<CreateDumpOptions & ValidateDumpOptions>) {
  const [{ readDumpSettings, readRecipients }, { machineDocker }] = await Promise.all([
    import("../backup/dump/settings.ts"),
    import("../scratch/machine-docker.ts"),
  ]);
  const { env = process.env, jobs = 1, signal = new AbortController().signal, onStep = () => undefined } = options;
  const { folder, compressed, retentionDays } = readDumpSettings(env, process.cwd());
  const ownFolder = options.folder === undefined ? folder : resolve(options.folder);
  return {
    folder: ownFolder,
    compressed: options.compressed ?? compressed,
    retentionDays: options.retentionDays ?? retentionDays,
    recipients: options.recipients ?? readRecipients(env),
    identityFile: options.identityFile ?? env.BACKUP_IDENTITY_FILE,
    docker: machineDocker(process.cwd()),
    ...{ jobs, signal, onStep, env: env as NodeJS.ProcessEnv },
    restoreCommand: (id: string) => {
      const { password: _, ...login } = connectionOf(options);
      const url = shellQuote(connectionUrl(login));
      return `BACKUP_DIR=${shellQuote(ownFolder)} npx pgw dumps load ${id} --url ${url}`;
    },
  };
}

function sourceOf(options: ConnectionTarget, { docker, env }: Awaited<ReturnType<typeof settingsOf>>) {
  const connection = connectionOf(options);
  const { database, host, port } = connection;
  const admin = rootFromEnvironment(env) ?? connection;
  return { connection: inDatabase(admin, database), database, name: `${host}:${port}`, docker };
}

function listed({ id, path, state, reasons, metadata, validation }: StoredDump, folder: string): ListedDump {
  const dump = metadata === undefined ? {} : { dump: describe(metadata, folder) };
  return { id, path, state, reasons, ...dump, ...(validation && { validation }) };
}

function describe(metadata: DumpMetadata, folder: string): Dump {
  const { id, database, source, scope, kind, recipients, finishedAt, durationMs, bytes, server, content, restore } =
    metadata;
  return {
    ...{ id, path: resolve(folder, id), database, source, scope, finishedAt, durationMs, bytes, restore },
    ...{ format: kind, encrypted: recipients.length > 0, serverVersion: server.version },
    ...{ tables: content.tables, migrations: content.migrations },
  };
}
