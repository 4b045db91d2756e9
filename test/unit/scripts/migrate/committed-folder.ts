import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { calculateHash } from "graphile-migrate/dist/hash.js";

/** A file to be committed. */
export interface Draft {
  name: string;
  body: string;
  /** Header lines after Previous and Hash. */
  headers?: string[];
}

/** One committed file as graphile-migrate writes it. */
export interface WrittenMigration {
  filename: string;
  hash: string;
  text: string;
}

/** A temporary folder of a database; call `remove` after use. */
export interface TestFolder {
  folder: string;
  migrations: WrittenMigration[];
  write(filename: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

/** Writes drafts as committed files in a new temporary folder. */
export async function committedFolderOf(drafts: readonly Draft[]): Promise<TestFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), "pgw-committed-"));
  await mkdir(path.join(folder, "committed"));
  const write = (filename: string, text: string) => writeFile(path.join(folder, "committed", filename), text);
  const migrations = chain(drafts);
  for (const { filename, text } of migrations) await write(filename, text);
  return { folder, migrations, write, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Returns the first migration of a database. */
export function committed(body: string, name = "a"): WrittenMigration {
  const [migration] = chain([{ name, body }]);
  if (migration === undefined) throw new Error("one draft becomes one migration");
  return migration;
}

/** Writes drafts as a chain of files. The numbers begin with `first`; the first file follows the hash `previous`. */
export function chain(drafts: readonly Draft[], first = 1, previous: string | null = null): WrittenMigration[] {
  const written: WrittenMigration[] = [];
  let before = previous;
  for (const [index, { name, body, headers = [] }] of drafts.entries()) {
    const hash = calculateHash(body, before);
    const lines = [`--! Previous: ${before ?? "-"}`, `--! Hash: ${hash}`, ...headers];
    written.push({
      filename: `${String(first + index).padStart(6, "0")}${name === "" ? "" : `-${name}`}.sql`,
      hash,
      text: `${lines.join("\n")}\n\n${body.trim()}\n`,
    });
    before = hash;
  }
  return written;
}
