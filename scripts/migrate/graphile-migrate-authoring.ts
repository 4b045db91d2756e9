/** What graphile-migrate's own commands know about writing a migration: `current`, its headers, the next file's name and hash. */
import type { ParsedSettings } from "graphile-migrate/dist/settings.js";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import type { CommittedMigration } from "./committed.ts";

/** The migration that is being written: `current.sql`, or the files of `current/` as one. */
export interface CurrentMigration {
  /** Absolute, of the file or the folder. */
  path: string;
  /** The whole of it. */
  text: string;
  headers: Readonly<Record<string, string | null>>;
  /** Trimmed, with one newline at its end. */
  body: string;
}

/** A committed file as it is about to be written. */
export interface CommittedDraft {
  filename: string;
  text: string;
  hash: string;
}

/** Reads `current.sql` or `current/`; a file that is not there is an empty one. */
export async function readCurrent(folder: string): Promise<CurrentMigration> {
  const { getCurrentMigrationLocation, readCurrentMigration } = await import("graphile-migrate/dist/current.js");
  const { parseMigrationText } = await import("graphile-migrate/dist/migration.js");
  const settings = settingsFor(folder);
  try {
    const location = await getCurrentMigrationLocation(settings);
    const text = await readCurrentMigration(settings, location);
    return { path: location.path, text, ...parseMigrationText(location.path, text, false) };
  } catch (error) {
    throw refusal(error);
  }
}

/** Writes `current.sql`, or the files of `current/` by the marks in the text. */
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
 * The committed file that graphile-migrate's `commit` would write: number, name, headers and hash.
 *
 * @param last the newest committed file
 * @throws OperationError (wrong usage) for a message that it refuses
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
  if (!isMigrationFilename(filename)) throw new Error(`${filename} is no name of a migration`);
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

/** graphile-migrate's own limits. */
export function requireMessage(message: string | undefined): void {
  if (message === undefined) return;
  const fault =
    message.length > 512
      ? `it has ${message.length} characters, and 512 are allowed`
      : /\p{Cc}/u.test(message)
        ? "it has control characters"
        : undefined;
  if (fault === undefined) return;
  throw new OperationError(`The message of the migration cannot be used: ${fault}.`, { exitCode: exitCode.usage });
}

/** Those that reading and writing `current` looks at. */
function settingsFor(folder: string): ParsedSettings {
  return { migrationsFolder: folder, blankMigrationContent: "" } as ParsedSettings;
}

function refusal(error: unknown): unknown {
  // The file system's own errors say more as they are.
  if (!(error instanceof Error) || "code" in error) return error;
  return new OperationError(error.message, { cause: error });
}
