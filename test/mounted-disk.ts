import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether a folder of this machine can be given a disk of a size of its own: only root can have one mounted. */
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

/** @param options such as `size=20M` */
export function mountDisk(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
}

export function resizeDisk(folder: string, megabytes: number): void {
  execFileSync("mount", ["-o", `remount,size=${megabytes}M`, folder]);
}

/** Whoever still uses it keeps it until then. */
export function unmountDisk(folder: string): void {
  execFileSync("umount", ["--lazy", folder]);
}
