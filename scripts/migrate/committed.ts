import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent, unlessAbsentSync } from "../files/absent.ts";
import {
  bodyHash,
  committedParser,
  compareTrackingNames,
  numberInName,
  type ParsedText,
  runsOutsideTransaction,
  trackingName,
} from "./graphile-migrate.ts";

/** One file of `committed/`, in graphile-migrate's format. */
export interface CommittedMigration {
  /** `000012-name.sql` */
  filename: string;
  /** What the tracking table calls it: `000012.sql`. */
  trackingName: string;
  message: string | undefined;
  /** `--! Hash:` */
  hash: string;
  /** `--! Previous:`; null for the first. */
  previousHash: string | null;
  /** Made anew from body and previous hash; differs from `hash` when the file was edited. */
  computedHash: string;
  /** `--! AllowInvalidHash`: graphile-migrate runs it although the hash does not fit. */
  allowInvalidHash: boolean;
  /** Hex, of the whole file. */
  sha256: string;
  /** The whole file. */
  text: string;
  /** Where the body begins in `text`. */
  bodyStart: number;
  /** False for `--! no-transaction`. */
  transactional: boolean;
}

/** A folder's committed files. */
export function committedFolder(folder: string): string {
  return path.join(folder, "committed");
}

/**
 * The committed files of a database's folder in the order they run; none when there is no `committed/`.
 * @throws OperationError (something is wrong) with every file that does not follow the format.
 */
export async function readCommitted(folder: string): Promise<CommittedMigration[]> {
  const entries = (await unlessAbsent(readdir(committedFolder(folder)))) ?? [];
  const names = entries.filter((name) => numberInName(name) !== undefined);
  if (names.length === 0) return [];
  const parse = await committedParser();
  const faults: string[] = [];
  const migrations: CommittedMigration[] = [];
  for (const filename of names) {
    // One after the other in this thread: many small files are read eight times as fast as by the thread pool.
    const made = makeMigration(filename, readFileSync(path.join(committedFolder(folder), filename)), parse);
    if (typeof made === "string") faults.push(`${filename}: ${made}`);
    else migrations.push(made);
  }
  migrations.sort((a, b) => compareTrackingNames(a.trackingName, b.trackingName));
  faults.push(...sameNumber(names));
  if (faults.length > 0) throw formatError(folder, faults.sort());
  return migrations;
}

/**
 * A committed file by its content alone, which need not stand in a folder yet.
 * @throws OperationError (something is wrong) where it does not follow the format.
 */
export async function parseCommitted(folder: string, filename: string, content: Buffer): Promise<CommittedMigration> {
  const made = makeMigration(filename, content, await committedParser());
  if (typeof made === "string") throw formatError(folder, [`${filename}: ${made}`]);
  return made;
}

/** sha256 of the way back (`000012-name.down.sql`), hex; null when there is none. */
export function downFileSha256(folder: string, filename: string): string | null {
  const file = path.join(committedFolder(folder), filename.replace(/\.sql$/, ".down.sql"));
  return unlessAbsentSync(() => sha256(readFileSync(file))) ?? null;
}

/** The migration, or what is wrong with the file. */
function makeMigration(
  filename: string,
  content: Buffer,
  parse: (file: string, text: string) => ParsedText,
): CommittedMigration | string {
  const text = content.toString("utf8");
  let parsed: ParsedText;
  try {
    parsed = parse(filename, text);
  } catch (error) {
    return formatFault(text, error);
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
    // The parser trims the body; it is the end of the file but for blanks.
    bodyStart: text.trimEnd().length - (body.length - 1),
    transactional: !runsOutsideTransaction(body),
  };
}

/** graphile-migrate says "two newlines" for whatever is not a header line; what is behind it most often is worth a word. */
function formatFault(text: string, error: unknown): string {
  if (text.startsWith("\uFEFF")) return "it begins with a byte order mark; save it as UTF-8 without";
  if (/^--! [^\n]*\r\n/.test(text))
    return "its header lines end in CRLF; they must end in LF (with Git: *.sql text eol=lf)";
  if (!text.startsWith("--! ")) return "it does not begin with the header lines --! Previous: and --! Hash:";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Invalid migration '[^']*': /, "");
}

function sameNumber(names: readonly string[]): string[] {
  const byNumber = Map.groupBy(names, (name) => numberInName(name));
  return [...byNumber.values()]
    .filter((group) => group.length > 1)
    .map((group) => `${group.sort().join(", ")}: they have the same number`);
}

function formatError(folder: string, faults: readonly string[]): OperationError {
  return new OperationError(
    [
      `${committedFolder(folder)} has files that are not in graphile-migrate's format:`,
      ...faults.map((fault) => `- ${fault}`),
    ].join("\n"),
    { remedy: "Restore the files from Git, or commit them anew with graphile-migrate.", exitCode: exitCode.wrong },
  );
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
