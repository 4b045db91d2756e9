import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { TableMap } from "../map.ts";
import type { Value } from "../values/value.ts";
import type { DeclaredSchema } from "./schema.ts";

/** A file of a source, as it was when it was read. */
export interface SourceFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** A collection of a source: a table, or the documents of a file. */
export interface Collection {
  name: string;
  /** Columns with what the source says of their type. Empty if they are known only from the documents. */
  columns: { name: string; type: string }[];
  /** Rows, if the source knows them without reading everything. */
  rows: number | undefined;
}

/** A row of a source. */
export interface SourceRow {
  /** Position in the collection, from 1. The same file gives the same positions. */
  ordinal: number;
  /** Values by column, or the document. */
  row: unknown;
  /** Place in the source for messages: `line 12`. Empty if the ordinal says it. */
  place?: string;
  /** Fingerprint, if {@link ReadOptions.fingerprints} asks for it. */
  fingerprint?: string;
}

/** Options of {@link Source.rows}. */
export interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** Returns false for rows, by their ordinal, that are left out. */
  isWanted?: ((ordinal: number) => boolean) | undefined;
  /** Computes the fingerprint of each row. */
  fingerprints?: boolean;
}

/** Reads one field of a row. */
export type Field = (row: unknown) => Value;

/** An opened source. It never changes the files that it was opened for. */
export interface Source {
  kind: "sqlite" | "json";
  /** Path as it was given, absolute. */
  path: string;
  files: SourceFile[];
  /** Files that can be read as they were, with their path within the source. In the order of `files`. */
  copies: { path: string; name: string }[];
  /** SHA-256 of all files. */
  sha256: string;
  collections: Collection[];
  /** Objects that are not imported, with the reason: shadow tables, views, triggers. */
  notImported: string[];
  /** The last number that the source gave to rows of a collection, if it keeps count. */
  lastNumbers: Map<string, bigint>;
  /** Returns the schema that the source declares; undefined if it declares none. */
  declaredSchema(): DeclaredSchema | undefined;
  /** Returns the fields that an entry can read; a fault if its collection or query does not work. */
  fields(entry: TableMap): { names: string[] | "any"; read: (name: string) => Field | undefined } | { fault: string };
  /** Reads the rows of an entry, in the same order every time. */
  rows(entry: TableMap, options?: ReadOptions): AsyncIterable<SourceRow[]>;
  /**
   * Reads only the fingerprints of an entry's rows, in the same order. A fingerprint is a hash of 128 bits, in hex, of
   * everything that the entry can read of a row except its position: rows with the same one are equal.
   */
  fingerprints(entry: TableMap, signal?: AbortSignal): AsyncIterable<string[]>;
  /** Returns the whole row for records of rejected rows. */
  describe(entry: TableMap, row: unknown): Record<string, Value>;
  /** Returns a text that tells what changed in the source's files since they were opened; undefined if nothing. */
  changedSince(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Number of rows that a source gives at once. All of them survive a garbage collection, which then copies them. */
export const batchRows = 100;

/** Number of hex digits of a fingerprint: the first 128 bits of a SHA-256. */
export const fingerprintDigits = 32;

/** Computes a file's SHA-256 without reading it into memory. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "r");
  try {
    // One buffer for the whole file: those that a stream makes stay in memory until the next garbage collection.
    const buffer = Buffer.allocUnsafe(1 << 18);
    for (let bytes = 1; bytes > 0; ) {
      bytes = (await file.read(buffer, 0, buffer.length)).bytesRead;
      hash.update(buffer.subarray(0, bytes));
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

/** Computes the SHA-256 of a list of files from their own. */
export function sha256OfFiles(files: readonly SourceFile[], base: (path: string) => string): string {
  const [only] = files;
  if (files.length === 1 && only !== undefined) return only.sha256;
  const hash = createHash("sha256");
  for (const { path, sha256 } of files) hash.update(`${sha256}  ${base(path)}\n`);
  return hash.digest("hex");
}
