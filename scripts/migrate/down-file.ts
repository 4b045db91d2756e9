import { createHash } from "node:crypto";
import { type FileSource, readSource } from "../core/file-source.ts";
import { decodeUtf8 } from "../core/utf8.ts";
import { committedFile } from "./committed.ts";
import type { CheckedFile } from "./content.ts";
import { runsOutsideTransaction } from "./marks.ts";

/** The down migration of one committed file. */
export interface DownFile {
  /** `000012-name.down.sql` */
  filename: string;
  text: string;
  /** Reason why the text is not the file's content; undefined if it is. */
  encodingFault: string | undefined;
  /** SHA-256 of the whole file, in hex. */
  sha256: string;
  /** False if it has `--! no-transaction` before its statement. */
  transactional: boolean;
  /** Reason why the migration cannot be reverted, if the first line is `--! Irreversible: reason`. */
  irreversible: string | undefined;
}

/** `000012-name.sql` → `000012-name.down.sql` */
export function downFilename(filename: string): string {
  return filename.replace(/\.sql$/, ".down.sql");
}

/** Reads the down migration of a committed file; undefined if the file is missing or empty. */
export function readDownFile(source: FileSource, filename: string): DownFile | undefined {
  const name = downFilename(filename);
  const content = readSource(source, committedFile(name));
  return content === undefined ? undefined : parseDownFile(name, content);
}

/** Parses the content of a down migration; undefined if it is empty. */
export function parseDownFile(filename: string, content: Buffer): DownFile | undefined {
  const { text, fault } = decodeUtf8(content);
  if (text.trim() === "") return undefined;
  return {
    filename,
    text,
    encodingFault: fault,
    sha256: createHash("sha256").update(content).digest("hex"),
    transactional: !runsOutsideTransaction(text),
    irreversible: irreversibleReason(text),
  };
}

/** Returns what to check in a down migration before it runs. */
export function checkedDownFile({ filename: file, text, ...rest }: DownFile): CheckedFile {
  return { kind: "down", source: { file, text, start: 0 }, ...rest };
}

function irreversibleReason(text: string): string | undefined {
  const line = /^--! Irreversible(?::(?<reason>[^\n]*))?\r?(?:\n|$)/.exec(text);
  if (line === null) return undefined;
  return line.groups?.reason?.trim() || "no reason is given";
}
