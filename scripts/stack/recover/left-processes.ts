import { setTimeout as sleep } from "node:timers/promises";
import { processEntry, processTable } from "../../core/process-table.ts";
import type { Stack } from "../stack.ts";
import type { StackLeftover } from "./leftover.ts";
import { type Orphan, orphansOf } from "./orphans.ts";

/** Time that a process has to end after a signal. */
const endTimeoutMs = 3_000;
const pollIntervalMs = 50;

/** Time in which the parts of an engine that has just ended end by themselves, also on a busy machine. */
const settleMs = 1_000;

/** Finds processes of this project directory that a killed engine left behind. */
export async function leftProcesses({ root }: Stack): Promise<StackLeftover[]> {
  const table = await processTable();
  if (table === undefined) return [cannotTell];
  const found = orphansOf(root, table);
  if (found.length === 0) return [];
  await sleep(settleMs);
  const pids = new Set(found.map(({ pid }) => pid));
  const still = orphansOf(root, (await processTable()) ?? []).filter(({ pid }) => pids.has(pid));
  return still.map((orphan) => ({
    kind: "process",
    found: `a ${orphan.part} whose engine is gone still runs (pid ${orphan.pid})`,
    action: "end it",
    act: () => end(orphan),
  }));
}

const cannotTell: StackLeftover = {
  kind: "process",
  unchecked: "not possible",
  found: "could not check for processes of a killed run: only Linux shows the working directory of a process",
  advice: "If pulumi-language-nodejs runs without `pgw` or `pulumi`, you can end it.",
};

/**
 * Ends the language host of one run. It does not detect that its engine is gone, and a failed engine does not always
 * end it.
 *
 * @param clone project directory of the run
 */
export async function endLanguageHost(clone: string, runId: string): Promise<void> {
  const orphans = orphansOf(clone, (await processTable()) ?? []);
  for (const orphan of orphans) if (orphan.part === "language host" && orphan.runId === runId) await end(orphan);
}

/**
 * Ends a process. A plugin detects the loss of its engine, stops its work cleanly and ends by itself, so it gets time
 * first.
 */
async function end(orphan: Orphan): Promise<void> {
  if (orphan.part === "plugin") await waitForEnd(orphan);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await isThere(orphan))) return;
    try {
      process.kill(orphan.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await waitForEnd(orphan);
  }
}

async function waitForEnd(orphan: Orphan): Promise<void> {
  for (let waitedMs = 0; waitedMs < endTimeoutMs && (await isThere(orphan)); waitedMs += pollIntervalMs)
    await sleep(pollIntervalMs);
}

/** Returns true if the process still exists. A later process can have the same pid. */
async function isThere({ pid, started }: Orphan): Promise<boolean> {
  return (await processEntry(pid))?.started === started;
}
