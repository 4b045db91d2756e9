import { hostname } from "node:os";
import { processExists } from "../core/process-exists.ts";
import { processEntry } from "../core/process-table.ts";

/** Label with the process that a scratch container or a restored volume belongs to. */
export const holderLabel = "pgroundwork.holder";

/**
 * Returns the label value of this process: host, pid and start time. The start time is needed because pids are reused.
 */
export async function ownHolder(): Promise<string> {
  return holderOf(process.pid, (await processEntry(process.pid))?.started);
}

/**
 * State of a holder. `gone`: the process has ended. `elsewhere`: it ran on another machine and cannot be checked here.
 */
export type ScratchHolder = "living" | "gone" | "elsewhere";

/** Checks if the process in a label still runs. */
export async function scratchHolder(label: string | undefined): Promise<ScratchHolder> {
  const [host, pid = "", started = ""] = label?.split("/") ?? [];
  if (host !== hostname()) return host === undefined || host === "" ? "gone" : "elsewhere";
  const entry = await processEntry(Number(pid));
  if (started !== "") return entry?.started === started ? "living" : "gone";
  // The system does not report when a process was started.
  return processExists(Number(pid)) ? "living" : "gone";
}

function holderOf(pid: number, started = ""): string {
  return [hostname(), pid, started].join("/");
}
