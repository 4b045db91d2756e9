import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cloneRoot } from "./clone-root.ts";

const run = promisify(execFile);

/** Copies the work tree as a clone would have it, files included that are not committed yet; installed packages are linked. */
export async function copyWorkTree(root: string): Promise<void> {
  const { stdout } = await run("git", ["ls-files", "-coz", "--exclude-standard"], { cwd: cloneRoot });
  for (const file of stdout.split("\0").filter((name) => name !== "" && existsSync(join(cloneRoot, name)))) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await copyFile(join(cloneRoot, file), join(root, file));
  }
  await symlink(join(cloneRoot, "node_modules"), join(root, "node_modules"));
}
