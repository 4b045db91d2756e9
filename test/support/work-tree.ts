import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, rm, stat, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cloneRoot } from "../clone-root.ts";

const run = promisify(execFile);

/**
 * Makes a folder equal to a fresh clone of the work tree, including files that are not committed yet. Equal files are
 * kept, others are copied, extra ones are deleted. The installed packages are linked.
 */
export async function copyWorkTree(root: string): Promise<void> {
  const { stdout } = await run("git", ["ls-files", "-coz", "--exclude-standard"], { cwd: cloneRoot });
  const files = new Set(stdout.split("\0").filter((name) => name !== "" && existsSync(join(cloneRoot, name))));
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) folders.add(folder);
  }
  await mkdir(root, { recursive: true });
  await deleteOthers(root, "", files, folders);
  for (const folder of [...folders].sort()) await mkdir(join(root, folder), { recursive: true });
  for (const file of files) await syncFile(join(cloneRoot, file), join(root, file));
  await symlink(join(cloneRoot, "node_modules"), join(root, "node_modules"));
}

async function deleteOthers(
  root: string,
  folder: string,
  files: ReadonlySet<string>,
  folders: ReadonlySet<string>,
): Promise<void> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && folders.has(path)) await deleteOthers(root, path, files, folders);
    else if (!entry.isFile() || !files.has(path)) await rm(join(root, path), { recursive: true, force: true });
  }
}

async function syncFile(from: string, to: string): Promise<void> {
  const source = await stat(from);
  const target = await lstat(to).catch(() => undefined);
  const equal =
    target?.size === source.size && target.mode === source.mode && target.mtime.getTime() === source.mtime.getTime();
  if (equal) return;
  await copyFile(from, to);
  await chmod(to, source.mode);
  await utimes(to, source.atime, source.mtime);
}
