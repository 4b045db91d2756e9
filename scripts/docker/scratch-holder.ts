import { hostname } from "node:os";
import { processEntry } from "../recover/process-table.ts";

/** Marks whose work a scratch container is for. */
export const holderLabel = "pgroundwork.holder";

/** This process, as a label says it: host, pid, and when it was started, since a later process can have its pid. */
export async function ownHolder(): Promise<string> {
  return holderOf(process.pid, (await processEntry(process.pid))?.started);
}

/** `gone`: what it was for has ended, one way or the other. `elsewhere`: nobody here can tell. */
export type ScratchHolder = "living" | "gone" | "elsewhere";

/** What became of the process that a label names. */
export async function scratchHolder(label: string | undefined): Promise<ScratchHolder> {
  const [host, pid = "", started = ""] = label?.split("/") ?? [];
  if (host !== hostname()) return host === undefined || host === "" ? "gone" : "elsewhere";
  const entry = await processEntry(Number(pid));
  if (started !== "") return entry?.started === started ? "living" : "gone";
  return isThere(Number(pid)) ? "living" : "gone";
}

function holderOf(pid: number, started = ""): string {
  return [hostname(), pid, started].join("/");
}

/** Where the system does not say when a process was started. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
