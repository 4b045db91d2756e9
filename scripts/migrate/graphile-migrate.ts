/**
 * The only file that uses graphile-migrate's programmatic interface to run migrations. That interface is not
 * documented, so the version is pinned exactly. Its pool is never used, because it ends the process if an idle
 * connection fails. Functions that issue DDL unasked are not used either.
 */
import { access } from "node:fs/promises";
import path from "node:path";
import { calculateHash } from "graphile-migrate/dist/hash.js";
import type { ParsedSettings, Settings } from "graphile-migrate/dist/settings.js";
import type { Client, PoolClient } from "pg";
import { type Connection, connectionUrl } from "../connection/connection.ts";
import { unlessAbsent } from "../core/absent.ts";
import { describeSource, type FileSource, readSource } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";

/** The table in which graphile-migrate records what is applied. */
export const trackingTable = { schema: "graphile_migrate", name: "migrations" } as const;

/**
 * graphile-migrate's `VALID_FILE_REGEX`, repeated because its module loads the driver. `000012-x.down.sql` does not
 * match.
 */
const committedName = /^([0-9]+)(-[-_a-zA-Z0-9]*)?\.sql$/;

/** Returns the number in a committed file's name as it is written there (`000012`); undefined for any other name. */
export function numberInName(filename: string): string | undefined {
  return committedName.exec(filename)?.[1];
}

/** Returns the name of a file in the tracking table, which is its number alone. */
export function trackingName(number: string): string {
  return `${number}.sql`;
}

/**
 * Compares names as graphile-migrate orders files: as text, not as numbers. graphile-migrate compares with the English
 * locale, which takes longer to load than 200 files take to read. It orders digits and `.sql` in the same way.
 */
export function compareTrackingNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Computes the hash (`sha1:…`) of a body and the previous hash, as graphile-migrate does. */
export function bodyHash(body: string, previousHash: string | null): string {
  return calculateHash(body, previousHash);
}

/** Headers and body of a migration file. */
export interface ParsedText {
  /** A header without a value is null. */
  headers: Readonly<Record<string, string | null>>;
  /** Trimmed, with one newline at its end. */
  body: string;
}

/**
 * Loads graphile-migrate's parser. The parser throws an Error that names `file` if the text does not follow the format.
 */
export async function committedParser(): Promise<(file: string, text: string) => ParsedText> {
  const { parseMigrationText } = await import("graphile-migrate/dist/migration.js");
  return (file, text) => parseMigrationText(file, text, true);
}

/** Settings of a folder's `.gmrc`, applied to one connection. */
export interface GraphileSession {
  /** Replaces placeholders, including `:DATABASE_NAME` and `:DATABASE_OWNER`. */
  compile(sql: string): string;
  /**
   * Creates graphile-migrate's own tables if they do not exist (unless `.gmrc` says that something else manages them).
   */
  ensureTracking(client: Client): Promise<void>;
  /** `pgSettings`: set for the session before anything runs. */
  pgSettings: Readonly<Record<string, string>>;
  /** Hooks of `.gmrc` for each moment, in order. */
  hooks: Readonly<Record<HookName, readonly Hook[]>>;
  /** Directory of `.gmrc`, in which commands run. Undefined if the files are in no folder. */
  directory: string | undefined;
}

/** Moments for which `.gmrc` can name hooks. */
const hookNames = [
  "beforeReset",
  "afterReset",
  "beforeAllMigrations",
  "afterAllMigrations",
  "beforeCurrent",
  "afterCurrent",
] as const;
export type HookName = (typeof hookNames)[number];

/**
 * An SQL file of the folder, or a shell command. Without `shadow` it runs for both kinds of database. With `root` it
 * runs as the administrator.
 */
export type Hook = ({ _: "sql"; file: string } | { _: "command"; command: string }) & {
  shadow?: boolean;
  root?: boolean;
};

/**
 * Reads and validates a database's `.gmrc`, as graphile-migrate's CLI would for this connection.
 *
 * @throws OperationError (exit code usage) with graphile-migrate's own list of errors
 */
export async function openGraphileSession(source: FileSource, connection: Connection): Promise<GraphileSession> {
  const { file, directory, raw } = await findSettings(source);
  const settings = await parse(raw, file, connection);
  const { _migrateMigrationSchema, slowGeneratePlaceholderReplacement } = await import(
    "graphile-migrate/dist/migration.js"
  );
  return {
    compile: slowGeneratePlaceholderReplacement(settings, { database: connection.database }),
    // Its client type is a pool client, but it calls only query().
    ensureTracking: (client) => _migrateMigrationSchema(client as unknown as PoolClient, settings),
    pgSettings: settings.pgSettings ?? {},
    hooks: hooksOf(settings),
    directory,
  };
}

function hooksOf(settings: ParsedSettings): GraphileSession["hooks"] {
  return Object.fromEntries(
    hookNames.map((name) => [name, settings[name] ?? []]),
  ) as unknown as GraphileSession["hooks"];
}

/** The part of a `.gmrc` that applying migrations needs, as plain values. */
export interface PortableSettings {
  /** Name of the file for messages. */
  file: string;
  /** Settings without hooks and without connection strings, which can contain passwords. */
  settings: Readonly<Record<string, unknown>>;
  hooks: GraphileSession["hooks"];
}

/**
 * Reads and validates a folder's `.gmrc` without a connection. Placeholders with the value `!ENV` stay as they are.
 *
 * @returns undefined if there is no `.gmrc`
 * @throws OperationError (exit code usage) for settings that are not valid, or that a program computes
 */
export async function readPortableSettings(folder: string): Promise<PortableSettings | undefined> {
  const { file, raw } = await findSettings(folder);
  if (file === folder) return undefined;
  if (path.basename(file) !== gmrc) {
    throw new OperationError(`${file} is a program, and its values are known only when it runs.`, {
      hint: `Write the settings as ${gmrc} (JSON). A placeholder with the value !ENV is read from the environment.`,
      exitCode: exitCode.usage,
    });
  }
  const { pgSettings, placeholders, databaseOwner, manageGraphileMigrateSchema } = raw;
  const known = Object.entries(placeholders ?? {}).map(([name, value]) => [name, value === "!ENV" ? "" : value]);
  const anywhere = { host: "localhost", port: 5432, database: "any", user: "any", sslmode: "disable" } as const;
  const valid = await parse({ ...raw, placeholders: Object.fromEntries(known) }, file, anywhere);
  return {
    file,
    settings: { pgSettings, placeholders, databaseOwner, manageGraphileMigrateSchema },
    hooks: hooksOf(valid),
  };
}

/** Applies the session settings of `.gmrc`. */
export async function applySettings(client: Client, session: GraphileSession): Promise<void> {
  for (const [name, value] of Object.entries(session.pgSettings)) {
    await client.query("select pg_catalog.set_config($1::text, $2::text, false)", [name, String(value)]);
  }
}

/** Settings as they are written, with the file that they come from. */
interface FoundSettings {
  /** Path for messages: the file's, or the source's if there are no settings. */
  file: string;
  directory: string | undefined;
  raw: Settings;
}

/** Name of graphile-migrate's settings file. */
export const gmrc = ".gmrc";

/** Looks in the folder; and in its parent, if the folder is the `migrations` that the CLI looks for by default. */
async function findSettings(source: FileSource): Promise<FoundSettings> {
  if (typeof source === "object") {
    // A bundle has its settings as JSON.
    const content = readSource(source, gmrc);
    const raw = content === undefined ? {} : (JSON.parse(content.toString("utf8")) as Settings);
    return { file: describeSource(source, gmrc), directory: undefined, raw };
  }
  const places = path.basename(source) === "migrations" ? [source, path.dirname(source)] : [source];
  for (const place of places) {
    for (const name of [gmrc, `${gmrc}.js`, `${gmrc}.cjs`]) {
      const file = path.resolve(place, name);
      if (await exists(file)) return { file, directory: path.dirname(file), raw: await readSettings(file) };
    }
  }
  return { file: source, directory: source, raw: {} };
}

async function exists(file: string): Promise<boolean> {
  return (await unlessAbsent(access(file).then(() => true))) ?? false;
}

async function readSettings(file: string): Promise<Settings> {
  const { getSettings } = await import("graphile-migrate/dist/commands/_common.js");
  try {
    return await getSettings({ configFile: file });
  } catch (error) {
    throw settingsError(file, error);
  }
}

async function parse(raw: Settings, file: string, connection: Connection): Promise<ParsedSettings> {
  const { parseSettings } = await import("graphile-migrate/dist/settings.js");
  // The caller provides the connection.
  const { shadowConnectionString, ...kept } = raw;
  try {
    return await parseSettings({
      ...kept,
      connectionString: connectionUrl(connection),
      rootConnectionString: "template1",
      migrationsFolder: path.dirname(file),
    });
  } catch (error) {
    throw settingsError(file, error);
  }
}

function settingsError(file: string, error: unknown): OperationError {
  return new OperationError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
    hint: "Correct graphile-migrate's settings. A placeholder with the value !ENV is read from the environment.",
    exitCode: exitCode.usage,
    cause: error,
  });
}
