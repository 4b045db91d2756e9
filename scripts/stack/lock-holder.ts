import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { isAbsent } from "../files/absent.ts";

/** Who holds a stack of a file backend, as the engine names them. */
export interface LockHolder {
  user: string;
  host: string;
  pid: number;
  /** ISO 8601. */
  since: string;
}

/** `elsewhere`: on another machine, and nobody here can tell whether it lives. */
export type HolderState = "living" | "gone" | "elsewhere";

/** What became of a lock's holder. */
export function holderState({ host, pid }: LockHolder): HolderState {
  if (host !== hostname()) return "elsewhere";
  return isEngine(pid) ? "living" : "gone";
}

/** `ana@host (pid 4425) since 2026-11-20T23:28:56Z` */
export function describeHolder({ user, host, pid, since }: LockHolder): string {
  return `${user}@${host} (pid ${pid}) since ${since}`;
}

/** Whether the process lives and can be an engine: pids begin again after a reboot, and in every container. */
function isEngine(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return process.platform !== "linux" || (!isZombie(pid) && runsEngine(pid));
}

/** Ended, but still listed: nobody has taken note of its end yet, and in a container perhaps nobody ever does. */
function isZombie(pid: number): boolean {
  try {
    // `pid (name) state …`; the name may hold brackets of its own.
    return /^.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // It has just gone. Whatever else is the matter, the process was there.
    return isAbsent(error);
  }
}

function runsEngine(pid: number): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("pulumi");
  } catch (error) {
    // Not ours to read: it may be one.
    return !isAbsent(error);
  }
}
