import { setTimeout as sleep } from "node:timers/promises";
import type { Finding, Scene } from "./finding.ts";
import { type Orphan, orphansOf } from "./orphans.ts";
import { processEntry, processTable } from "./process-table.ts";

/** How long a process may take to end after it was asked to, in ms. */
const grace = 3_000;
const pollEvery = 50;

/** Processes of this clone that an engine left when it was killed. */
export async function leftProcesses({ root }: Scene): Promise<Finding[]> {
  const table = await processTable();
  if (table === undefined) return [cannotTell];
  return orphansOf(root, table).map((orphan) => ({
    kind: "process",
    found: `a ${orphan.part} whose engine is gone still runs (pid ${orphan.pid})`,
    action: "end it",
    act: () => end(orphan),
  }));
}

const cannotTell: Finding = {
  kind: "process",
  found: "could not tell whether processes of a killed run still run: only Linux says where a process works",
  advice: "If pulumi-language-nodejs runs and no `pgw` or `pulumi` does, it can be ended.",
};

/**
 * Ends the language host of one run, which does not notice that its engine is gone. An engine that fails does not always take it along.
 *
 * @param clone where the run was
 */
export async function endLanguageHost(clone: string, runId: string): Promise<void> {
  const orphans = orphansOf(clone, (await processTable()) ?? []);
  for (const orphan of orphans) if (orphan.part === "language host" && orphan.runId === runId) await end(orphan);
}

/** Plugins notice, break off their work in order and end by themselves; whoever does not is ended. */
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
  for (let waited = 0; waited < grace && (await isThere(orphan)); waited += pollEvery) await sleep(pollEvery);
}

/** A later process can have its pid. */
async function isThere({ pid, started }: Orphan): Promise<boolean> {
  return (await processEntry(pid))?.started === started;
}
