import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperationError } from "./operation-error.ts";

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
 *
 * @throws OperationError if this user cannot write to the project directory
 */
export function ignoreOwnFolder(root: string): void {
  const folder = join(root, ".pgroundwork");
  const file = join(folder, ".gitignore");
  if (existsSync(file)) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, "# Written by pgroundwork: passphrases, and files of this machine.\n*\n", { flag: "wx" });
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    // Another process created the file first.
    if (code === "EEXIST") return;
    if (!["EACCES", "EPERM", "EROFS"].includes(code)) throw error;
    throw new OperationError(`The project directory ${root} cannot be written: ${message}.`, {
      hint: "pgroundwork keeps the files of this machine in its folder .pgroundwork. Make it writable for this user.",
      cause: error,
    });
  }
}

/** Returns the first of a folder and its parents that has one of these entries. */
export function nearest(folder: string, entries: readonly string[]): string | undefined {
  if (entries.some((entry) => existsSync(join(folder, entry)))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : nearest(parent, entries);
}
