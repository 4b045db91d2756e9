import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The kit's own folder, with the files that it ships: the project directory in a checkout, or the package's folder in
 * node_modules. It may be read-only.
 */
export const kitFolder = nearest(import.meta.dirname, ["package.json"]) ?? import.meta.dirname;

/** True if the kit is a package that a project uses. A checkout is the project itself. */
export const isInstalled = !existsSync(join(kitFolder, "Pulumi.yaml"));

/**
 * Returns the project directory. In a checkout this is the checkout, from anywhere. For a package it is the nearest
 * folder with a Pulumi program or migrations; if there is none, the given folder itself.
 *
 * @param from folder to begin at
 */
export function projectFolder(from = process.cwd()): string {
  if (!isInstalled) return kitFolder;
  return nearest(from, ["Pulumi.yaml", "migrations"]) ?? from;
}

/**
 * Keeps the folder `.pgroundwork` of a project directory out of Git: it has passphrases and files of this machine. A
 * checkout has the file already.
 */
export function ignoreOwnFolder(root: string): void {
  const folder = join(root, ".pgroundwork");
  const file = join(folder, ".gitignore");
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, "# Written by pgroundwork: passphrases, and files of this machine.\n*\n", { flag: "wx" });
  } catch (error) {
    // Another process created the file first.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Returns the first of a folder and its parents that has one of these entries. */
export function nearest(folder: string, entries: readonly string[]): string | undefined {
  if (entries.some((entry) => existsSync(join(folder, entry)))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : nearest(parent, entries);
}
