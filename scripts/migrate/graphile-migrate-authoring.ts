/**
 * Parts of graphile-migrate's own commands for writing a migration: `current`, its headers, the name and hash of the
 * next file.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { ParsedSettings } from "graphile-migrate/dist/settings.js";
import { isAbsent, unlessAbsent } from "../core/absent.ts";
import { isCode } from "../core/atomic-file.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { decodeUtf8 } from "../core/utf8.ts";
import type { LineOrigin } from "../sql/sql-error.ts";
import { compileIncludes } from "./authoring/includes.ts";
import type { CommittedMigration } from "./committed.ts";

/** The migration that is being written: `current.sql`, or the files of `current/` as one text. */
export interface CurrentMigration {
  /** Absolute path of the file or the folder. */
  path: string;
  /** With its includes. */
  text: string;
  /** The file and line that each line of `text` comes from; undefined if nothing is included. */
  origins: readonly LineOrigin[] | undefined;
  headers: Readonly<Record<string, string | null>>;
  /** Trimmed, with one newline at its end. */
  body: string;
}

/** A committed file before it is written. */
export interface CommittedDraft {
  filename: string;
  text: string;
  hash: string;
}

/**
 * Reads `current.sql` or `current/`, with the files that it includes. A missing file counts as empty.
 *
 * @throws OperationError (exit code usage) for bytes that are not UTF-8, and for an include that is not possible
 */
export async function readCurrent(folder: string): Promise<CurrentMigration> {
  const { getCurrentMigrationLocation, readCurrentMigration } = await import("graphile-migrate/dist/current.js");
  const { parseMigrationText } = await import("graphile-migrate/dist/migration.js");
  const settings = settingsFor(folder);
  try {
    const location = await getCurrentMigrationLocation(settings);
    await requireUtf8(location.path);
    const written = await readCurrentMigration(settings, location);
    const { text, origins } = compileIncludes(folder, path.basename(location.path), written);
    return { path: location.path, text, origins, ...parseMigrationText(location.path, text, false) };
  } catch (error) {
    throw refusal(error);
  }
}

/**
 * Requires a regular file if one exists: to read a FIFO would wait for its writer.
 *
 * @throws OperationError (exit code usage)
 */
export async function requireRegularFile(file: string): Promise<void> {
  if ((await unlessAbsent(stat(file)))?.isFile() !== false) return;
  throw new OperationError(`'${file}' exists but is not a file.`, { exitCode: exitCode.usage });
}

/** graphile-migrate reads the files itself, and would not notice. */
async function requireUtf8(location: string): Promise<void> {
  const names = await unlessAbsent(readdir(location), (error) => isAbsent(error) || isCode(error, "ENOTDIR"));
  const files = names?.filter((name) => name.endsWith(".sql")).map((name) => path.join(location, name)) ?? [location];
  for (const file of files) {
    await requireRegularFile(file);
    const content = await unlessAbsent(readFile(file));
    const fault = content === undefined ? undefined : decodeUtf8(content).fault;
    if (fault !== undefined) throw new OperationError(`${file}: ${fault}.`, { exitCode: exitCode.usage });
  }
}

/** Writes `current.sql`, or the files of `current/` as the marks in the text split them. */
export async function writeCurrent(
  folder: string,
  headers: Readonly<Record<string, string | null | undefined>>,
  body: string,
): Promise<void> {
  const { getCurrentMigrationLocation, writeCurrentMigration } = await import("graphile-migrate/dist/current.js");
  const { serializeMigration } = await import("graphile-migrate/dist/migration.js");
  const settings = settingsFor(folder);
  try {
    const location = await getCurrentMigrationLocation(settings);
    await writeCurrentMigration(settings, location, serializeMigration(body, { ...headers }));
  } catch (error) {
    throw refusal(error);
  }
}

/**
 * Builds the committed file that graphile-migrate's `commit` would write: number, name, headers and hash.
 *
 * @param last the newest committed file
 * @throws OperationError (exit code usage) for a message that graphile-migrate refuses
 */
export async function draftCommit(
  { headers, body }: Pick<CurrentMigration, "headers" | "body">,
  message: string | undefined,
  last: CommittedMigration | undefined,
): Promise<CommittedDraft> {
  const { serializeMigration, isMigrationFilename } = await import("graphile-migrate/dist/migration.js");
  const { calculateHash } = await import("graphile-migrate/dist/hash.js");
  const { sluggify } = await import("graphile-migrate/dist/sluggify.js");
  requireMessage(message);
  const number = last === undefined ? 1 : Number.parseInt(last.filename, 10) + 1;
  const slug = message ? sluggify(message) : "";
  const filename = `${String(number).padStart(6, "0")}${slug === "" ? "" : `-${slug}`}.sql`;
  if (!isMigrationFilename(filename)) throw new Error(`${filename} is not the name of a migration`);
  const { Previous, Hash, Message, ...others } = headers;
  const hash = calculateHash(body, last?.hash ?? null);
  const text = serializeMigration(body, {
    Previous: last?.hash ?? "-",
    Hash: hash,
    Message: message || undefined,
    ...others,
  });
  return { filename, text, hash };
}

/**
 * Checks graphile-migrate's own limits for a message.
 *
 * @throws OperationError (exit code usage)
 */
export function requireMessage(message: string | undefined): void {
  if (message === undefined) return;
  const fault =
    message.length > 512
      ? `it has ${message.length} characters; at most 512 are allowed`
      : /\p{Cc}/u.test(message)
        ? "it contains control characters"
        : undefined;
  if (fault === undefined) return;
  throw new OperationError(`The message of the migration cannot be used: ${fault}.`, { exitCode: exitCode.usage });
}

/** Returns the settings that reading and writing `current` uses. */
function settingsFor(folder: string): ParsedSettings {
  return { migrationsFolder: folder, blankMigrationContent: "" } as ParsedSettings;
}

function refusal(error: unknown): unknown {
  // Errors of the file system are more precise unchanged.
  if (!(error instanceof Error) || error instanceof OperationError || "code" in error) return error;
  return new OperationError(error.message, { cause: error });
}
