import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Returns true if a file system of limited size can be mounted on this machine. Only root can mount one. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "pgw-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1M", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

/**
 * Mounts a tmpfs on a folder.
 *
 * @param options mount options such as `size=20M`
 */
export function mountDisk(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
}

/** Changes the size of a mounted tmpfs. */
export function resizeDisk(folder: string, megabytes: number): void {
  execFileSync("mount", ["-o", `remount,size=${megabytes}M`, folder]);
}

/** Unmounts a disk lazily: processes that use it keep it until they close their files. */
export function unmountDisk(folder: string): void {
  execFileSync("umount", ["--lazy", folder]);
}
