import { createHash } from "node:crypto";
import path from "node:path";
import { describeSource, type FileSource, listSource, readSource, type SourceEntry } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { decodeUtf8 } from "../core/utf8.ts";
import { sortNames } from "./committed-names.ts";
import type { CheckedFile } from "./content.ts";
import {
  bodyHash,
  committedParser,
  compareTrackingNames,
  numberInName,
  type ParsedText,
  trackingName,
} from "./graphile-migrate.ts";
import { runsOutsideTransaction } from "./marks.ts";

/** One file of `committed/`, in graphile-migrate's format. */
export interface CommittedMigration {
  /** `000012-name.sql` */
  filename: string;
  /** Name in the tracking table: `000012.sql`. */
  trackingName: string;
  message: string | undefined;
  /** `--! Hash:` */
  hash: string;
  /** `--! Previous:`; null for the first. */
  previousHash: string | null;
  /** Computed from the body and the previous hash; differs from `hash` if the file was edited. */
  computedHash: string;
  /** `--! AllowInvalidHash`: graphile-migrate runs the file even if its hash does not match. */
  allowInvalidHash: boolean;
  /** SHA-256 of the whole file, in hex. */
  sha256: string;
  /** The whole file. */
  text: string;
  /** Reason why the text is not the file's content; undefined if it is. */
  encodingFault: string | undefined;
  /** Offset of the body in `text`. */
  bodyStart: number;
  /** False for `--! no-transaction`. */
  transactional: boolean;
}

/** Name of the folder with the committed files. */
const committed = "committed";

/** Returns the path of a folder's `committed/`. */
export function committedFolder(folder: string): string {
  return path.join(folder, committed);
}

/** Returns the path of a committed file in its source. */
export function committedFile(filename: string): string {
  return `${committed}/${filename}`;
}

/** Lists the entries of `committed/`; empty if it does not exist. */
export function listCommitted(source: FileSource): Promise<SourceEntry[]> {
  return listSource(source, committed);
}

/**
 * Returns the committed files of a database in the order they run; empty if there is no `committed/`.
 *
 * @throws OperationError (exit code wrong) that lists every file that does not follow the format
 */
export async function readCommitted(source: FileSource): Promise<CommittedMigration[]> {
  const { names, faults } = sortNames(await listCommitted(source));
  if (names.length === 0 && faults.length === 0) return [];
  const parse = await committedParser();
  const migrations: CommittedMigration[] = [];
  for (const filename of names) {
    const made = readMigration(source, filename, parse);
    if (typeof made === "string") faults.push(`${filename}: ${made}`);
    else migrations.push(made);
  }
  migrations.sort((a, b) => compareTrackingNames(a.trackingName, b.trackingName));
  if (faults.length > 0) throw formatError(source, faults.sort());
  return migrations;
}

/**
 * Parses a committed file from its content alone; the file need not exist in the folder yet.
 *
 * @throws OperationError (exit code wrong) if it does not follow the format
 */
export async function parseCommitted(folder: string, filename: string, content: Buffer): Promise<CommittedMigration> {
  const made = makeMigration(filename, content, await committedParser());
  if (typeof made === "string") throw formatError(folder, [`${filename}: ${made}`]);
  return made;
}

/** Returns what to check in a migration before it runs. */
export function checkedFile({ filename: file, text, bodyStart: start, ...rest }: CommittedMigration): CheckedFile {
  return { kind: "up", source: { file, text, start }, ...rest };
}

/** Returns the SHA-256 of the down migration (`000012-name.down.sql`) in hex; null if there is none. */
export function downFileSha256(source: FileSource, filename: string): string | null {
  const content = readSource(source, committedFile(filename.replace(/\.sql$/, ".down.sql")));
  return content === undefined ? null : sha256(content);
}

/** Reads one file. Returns a description of what is wrong with it if it cannot be read. */
function readMigration(
  source: FileSource,
  filename: string,
  parse: (file: string, text: string) => ParsedText,
): CommittedMigration | string {
  try {
    const content = readSource(source, committedFile(filename));
    // The name was listed: the file was removed since, or is a link that leads nowhere.
    return content === undefined ? "it cannot be read (ENOENT)" : makeMigration(filename, content, parse);
  } catch (error) {
    if (error instanceof Error && "code" in error) return `it cannot be read (${error.code})`;
    throw error;
  }
}

/** Returns the migration, or a description of what is wrong with the file. */
function makeMigration(
  filename: string,
  content: Buffer,
  parse: (file: string, text: string) => ParsedText,
): CommittedMigration | string {
  const { text, fault: encodingFault } = decodeUtf8(content);
  let parsed: ParsedText;
  try {
    parsed = parse(filename, text);
  } catch (error) {
    return encodingFault ?? formatFault(text, error);
  }
  const { headers, body } = parsed;
  const { Previous: previous, Hash: hash, Message: message } = headers;
  if (!previous || !hash) {
    return `it has no ${!previous ? "--! Previous:" : "--! Hash:"} header`;
  }
  const previousHash = previous === "-" ? null : previous;
  return {
    filename,
    trackingName: trackingName(numberInName(filename) ?? ""),
    message: message ?? undefined,
    hash,
    previousHash,
    computedHash: bodyHash(body, previousHash),
    allowInvalidHash: "AllowInvalidHash" in headers,
    sha256: sha256(content),
    text,
    encodingFault,
    // The parser trims the body and ends it with one newline. In the file, only white space follows the body.
    bodyStart: text.trimEnd().length - (body.length - 1),
    transactional: !runsOutsideTransaction(body),
  };
}

/**
 * Returns a specific message for the most frequent causes. graphile-migrate reports "two newlines" for everything that
 * is not a header line.
 */
function formatFault(text: string, error: unknown): string {
  if (/^--! [^\n]*\r\n/.test(text))
    return "its header lines end in CRLF; they must end in LF (with Git: *.sql text eol=lf)";
  if (!text.startsWith("--! ")) return "it does not begin with the header lines --! Previous: and --! Hash:";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Invalid migration '[^']*': /, "");
}

function formatError(source: FileSource, faults: readonly string[]): OperationError {
  return new OperationError(
    [
      `${describeSource(source, committed)} has files that are not in graphile-migrate's format:`,
      ...faults.map((fault) => `- ${fault}`),
    ].join("\n"),
    { hint: "Restore the files from Git, or commit them again with graphile-migrate.", exitCode: exitCode.wrong },
  );
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
