import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { isAbsent } from "../core/absent.ts";
import { processOwner } from "../core/process-exists.ts";

/** Holder of a lock in a file backend, as the engine names it. */
export interface LockHolder {
  user: string;
  host: string;
  pid: number;
  /** ISO 8601. */
  since: string;
}

/** State of a lock's holder. `elsewhere` means another machine, where the process cannot be checked. */
export type HolderState = "living" | "gone" | "elsewhere";

/** Returns the state of a lock's holder. */
export function holderState({ host, pid }: LockHolder): HolderState {
  if (host !== hostname()) return "elsewhere";
  return isEngine(pid) ? "living" : "gone";
}

/** Formats a lock's holder: `ana@host (pid 4425) since 2026-11-20T23:28:56Z` */
export function describeHolder({ user, host, pid, since }: LockHolder): string {
  return `${user}@${host} (pid ${pid}) since ${since}`;
}

/** Returns true if the process is alive and can be an engine. Pids are reused after a reboot and in every container. */
function isEngine(pid: number): boolean {
  const owner = processOwner(pid);
  // The executable of another user's process cannot be read.
  if (owner !== "own") return owner === "foreign";
  return process.platform !== "linux" || (!isZombie(pid) && runsEngine(pid));
}

/**
 * Returns true if the process has ended, but its parent has not collected it yet. In a container that may never happen.
 */
function isZombie(pid: number): boolean {
  try {
    // `pid (name) state …`; the name may contain brackets.
    return /^.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // The process has just ended. With any other error, the process existed.
    return isAbsent(error);
  }
}

function runsEngine(pid: number): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("pulumi");
  } catch (error) {
    // The file cannot be read, so the process may be an engine.
    return !isAbsent(error);
  }
}
