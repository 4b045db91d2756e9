/**
 * The one file that touches graphile-migrate, whose programmatic interface is not documented: its version is pinned exactly.
 * Its pool is never used (it ends the process on an idle connection's error), nor what issues DDL unasked.
 */
import { access } from "node:fs/promises";
import path from "node:path";
import { calculateHash } from "graphile-migrate/dist/hash.js";
import { isNoTransactionDefined } from "graphile-migrate/dist/header.js";
import type { ParsedSettings, Settings } from "graphile-migrate/dist/settings.js";
import type { Client, PoolClient } from "pg";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";
import { type Connection, connectionUrl } from "../target/connection.ts";

/** Where graphile-migrate records what is applied. */
export const trackingTable = { schema: "graphile_migrate", name: "migrations" } as const;

/** graphile-migrate's `VALID_FILE_REGEX`, repeated since its module loads the driver; `000012-x.down.sql` does not match. */
const committedName = /^([0-9]+)(-[-_a-zA-Z0-9]*)?\.sql$/;

/** The number of a committed file's name as it is written there (`000012`), or undefined when the name is not one. */
export function numberInName(filename: string): string | undefined {
  return committedName.exec(filename)?.[1];
}

/** What the tracking table calls a file: its number alone. */
export function trackingName(number: string): string {
  return `${number}.sql`;
}

/**
 * graphile-migrate's order of files: by text, not by number. It compares by the English locale, which takes longer to load than 200 files to read, and orders
 * digits and `.sql` no differently.
 */
export function compareTrackingNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `sha1:…` of a body and the hash before it, as graphile-migrate makes it. */
export function bodyHash(body: string, previousHash: string | null): string {
  return calculateHash(body, previousHash);
}

/** Whether the body begins with `--! no-transaction`. */
export function runsOutsideTransaction(body: string): boolean {
  return isNoTransactionDefined(body);
}

export interface ParsedText {
  /** A header without a value is null. */
  headers: Readonly<Record<string, string | null>>;
  /** Trimmed, with one newline at its end. */
  body: string;
}

/** Loads graphile-migrate's parser; it throws an Error that names `file` when the text does not follow the format. */
export async function committedParser(): Promise<(file: string, text: string) => ParsedText> {
  const { parseMigrationText } = await import("graphile-migrate/dist/migration.js");
  return (file, text) => parseMigrationText(file, text, true);
}

/** What a folder's `.gmrc` means for running its files with one connection. */
export interface GraphileSession {
  /** Replaces placeholders, `:DATABASE_NAME` and `:DATABASE_OWNER` among them. */
  compile(sql: string): string;
  /** Makes graphile-migrate's own tables where they are absent (unless `.gmrc` says that someone else does). */
  ensureTracking(client: Client): Promise<void>;
  /** `pgSettings`: set on the session before anything runs. */
  pgSettings: Readonly<Record<string, string>>;
  /** What `.gmrc` wants done at which moment, in order. */
  hooks: Readonly<Record<HookName, readonly Hook[]>>;
  /** Where `.gmrc` stands, and commands are run. */
  directory: string;
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

/** An SQL file of the folder, or a command of the shell. `shadow` absent: for both kinds of database. `root`: as the administrator. */
export type Hook = ({ _: "sql"; file: string } | { _: "command"; command: string }) & {
  shadow?: boolean;
  root?: boolean;
};

/**
 * Reads and validates the `.gmrc` of a folder, as graphile-migrate's CLI would for this connection.
 * @throws OperationError (wrong usage) with graphile-migrate's own list of faults.
 */
export async function openGraphileSession(folder: string, connection: Connection): Promise<GraphileSession> {
  const file = await findSettings(folder);
  const raw = file === undefined ? {} : await readSettings(file);
  const settings = await parse(raw, file, folder, connection);
  const { _migrateMigrationSchema, slowGeneratePlaceholderReplacement } = await import(
    "graphile-migrate/dist/migration.js"
  );
  return {
    compile: slowGeneratePlaceholderReplacement(settings, { database: connection.database }),
    // Its client type is a pool's; it calls nothing but query().
    ensureTracking: (client) => _migrateMigrationSchema(client as unknown as PoolClient, settings),
    pgSettings: settings.pgSettings ?? {},
    hooks: Object.fromEntries(
      hookNames.map((name) => [name, settings[name] ?? []]),
    ) as unknown as GraphileSession["hooks"],
    directory: file === undefined ? folder : path.dirname(file),
  };
}

/** Sets what `.gmrc` wants set for a session. */
export async function applySettings(client: Client, session: GraphileSession): Promise<void> {
  for (const [name, value] of Object.entries(session.pgSettings)) {
    await client.query("select pg_catalog.set_config($1::text, $2::text, false)", [name, String(value)]);
  }
}

/** In the folder, or beside it where the folder is the `migrations` that the CLI looks for by default. */
async function findSettings(folder: string): Promise<string | undefined> {
  const places = path.basename(folder) === "migrations" ? [folder, path.dirname(folder)] : [folder];
  for (const place of places) {
    for (const name of [".gmrc", ".gmrc.js", ".gmrc.cjs"]) {
      const file = path.resolve(place, name);
      if (await exists(file)) return file;
    }
  }
  return undefined;
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

async function parse(
  raw: Settings,
  file: string | undefined,
  folder: string,
  connection: Connection,
): Promise<ParsedSettings> {
  const { parseSettings } = await import("graphile-migrate/dist/settings.js");
  // The connection is the caller's.
  const { shadowConnectionString, ...kept } = raw;
  try {
    return await parseSettings({
      ...kept,
      connectionString: connectionUrl(connection),
      rootConnectionString: "template1",
      migrationsFolder: folder,
    });
  } catch (error) {
    throw settingsError(file ?? folder, error);
  }
}

function settingsError(file: string, error: unknown): OperationError {
  return new OperationError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
    remedy: "Correct graphile-migrate's settings; a placeholder with the value !ENV is read from the environment.",
    exitCode: exitCode.usage,
    cause: error,
  });
}
