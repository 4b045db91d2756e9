import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { cloneRoot } from "../../clone-root.ts";

export const databaseFolder = (name: string) => join(cloneRoot, "migrations", name);

/** Returns the paths of the SQL files in a folder of the database, sorted by name. */
export async function sqlFiles(name: string, within: string): Promise<string[]> {
  const names = await readdir(join(databaseFolder(name), within));
  return names
    .filter((each) => each.endsWith(".sql"))
    .sort()
    .map((each) => join(databaseFolder(name), within, each));
}

/** Runs a file in a transaction, unless it has a line `--! no-transaction`. */
export async function runFile(client: Client, path: string): Promise<void> {
  const sql = await readFile(path, "utf8");
  if (/^--! no-transaction$/m.test(sql)) {
    await client.query(sql);
    return;
  }
  await inTransaction(client, "commit", () => client.query(sql));
}

/** Runs `use` in a transaction that ends with `end`. An error always rolls back. */
export async function inTransaction<T>(client: Client, end: "commit" | "rollback", use: () => Promise<T>): Promise<T> {
  await client.query("begin");
  let result: T;
  try {
    result = await use();
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
  await client.query(end);
  return result;
}
