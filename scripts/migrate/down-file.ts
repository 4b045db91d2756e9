import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { unlessAbsent } from "../files/absent.ts";
import { committedFolder } from "./committed.ts";
import { runsOutsideTransaction } from "./graphile-migrate.ts";

/** The way back of one committed file. */
export interface DownFile {
  /** `000012-name.down.sql` */
  filename: string;
  text: string;
  /** Hex, of the whole file. */
  sha256: string;
  /** False where its first line is `--! no-transaction`. */
  transactional: boolean;
  /** Why there is no way back, where its first line is `--! Irreversible: reason`. */
  irreversible: string | undefined;
}

/** `000012-name.sql` → `000012-name.down.sql` */
export function downFilename(filename: string): string {
  return filename.replace(/\.sql$/, ".down.sql");
}

/** Reads the way back of a committed file; undefined where there is none, an empty file included. */
export async function readDownFile(folder: string, filename: string): Promise<DownFile | undefined> {
  const name = downFilename(filename);
  const content = await unlessAbsent(readFile(path.join(committedFolder(folder), name)));
  return content === undefined ? undefined : parseDownFile(name, content);
}

/** The same of what a file holds; undefined where that is nothing. */
export function parseDownFile(filename: string, content: Buffer): DownFile | undefined {
  const text = content.toString("utf8");
  if (text.trim() === "") return undefined;
  return {
    filename,
    text,
    sha256: createHash("sha256").update(content).digest("hex"),
    transactional: !runsOutsideTransaction(text),
    irreversible: irreversibleReason(text),
  };
}

function irreversibleReason(text: string): string | undefined {
  const line = /^--! Irreversible(?::(?<reason>[^\n]*))?\r?(?:\n|$)/.exec(text);
  if (line === null) return undefined;
  return line.groups?.reason?.trim() || "no reason is given";
}
