import { join } from "node:path";
import { cloneRoot } from "../../clone-root.ts";

/** Folder of the recorded stacks, with one folder for each version. */
const fixtures = join(cloneRoot, "test/fixtures/versions");

/** Folder of the one database that recorded stacks have. It uses everything that a database.json can declare. */
export const databaseFolder = join(fixtures, "shop");

/** Passphrase of the recorded stacks, which hold no real secrets. */
export const passphrase = "recorded";

/** Returns the folder of a version, with one folder for each recorded stack. */
export function versionFolder(version: string): string {
  return join(fixtures, version);
}
