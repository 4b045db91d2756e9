import { sep } from "node:path";
import type { ProcessEntry } from "./process-table.ts";

/** What the engine starts: its language host, the program, provider plugins. */
export type EnginePart = "language host" | "program" | "plugin";

export interface Orphan extends ProcessEntry {
  part: EnginePart;
}

/** Programs written in TypeScript run as `node`: their first argument tells what they are. */
const scripts: readonly [RegExp, EnginePart][] = [
  [/\/@pulumi\/pulumi\/cmd\/run(-\w+)?\/index\.js$/, "program"],
  [/\/infra\/(provider|airgap\/[\w-]+)\/main\.ts$/, "plugin"],
];

/**
 * The processes that an engine started for this clone and whose engine is gone, so that nobody needs them. Only a clone's own are told from others': by the
 * folder in which they work. In doubt a process is none.
 */
export function orphansOf(clone: string, table: readonly ProcessEntry[]): Orphan[] {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  return table.flatMap((entry) => {
    const part = partOf(entry);
    return part !== undefined && isWithin(clone, entry.folder) && lostEngine(entry, byPid) ? [{ ...entry, part }] : [];
  });
}

function partOf({ program, args }: ProcessEntry): EnginePart | undefined {
  if (program?.startsWith("pulumi-language-")) return "language host";
  if (program?.startsWith("pulumi-resource-")) return "plugin";
  if (program !== "node") return undefined;
  return scripts.find(([pattern]) => args.slice(0, 3).some((arg) => pattern.test(arg)))?.[1];
}

function isWithin(clone: string, folder: string | undefined): boolean {
  return folder === clone || folder?.startsWith(clone + sep) === true;
}

/** Whether the first process above that is no part of an engine is no engine either, but who takes in orphans. */
function lostEngine(entry: ProcessEntry, table: ReadonlyMap<number, ProcessEntry>): boolean {
  let pid = entry.parent;
  for (;;) {
    if (pid <= 1) return true;
    const above = table.get(pid);
    // Another user's, or it has just ended: the next look tells.
    if (above === undefined) return false;
    // Orphans can go to another process than the first one (a desktop session's, a container's). Started by hand in a shell is another thing.
    if (partOf(above) === undefined) return entry.runId !== undefined && isNoEngine(above);
    pid = above.parent;
  }
}

function isNoEngine({ program }: ProcessEntry): boolean {
  return program !== undefined && !program.startsWith("pulumi");
}
