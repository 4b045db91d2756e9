import { sep } from "node:path";
import type { ProcessEntry } from "../../core/process-table.ts";

/** Kind of process that the engine starts. */
export type EnginePart = "language host" | "program" | "plugin";

/** Process of an engine that is gone. */
export interface Orphan extends ProcessEntry {
  part: EnginePart;
}

/** Programs written in TypeScript run as `node`. The script in their arguments identifies them. */
const scripts: readonly [RegExp, EnginePart][] = [
  [/\/@pulumi\/pulumi\/cmd\/run(-\w+)?\/index\.js$/, "program"],
  [/\/infra\/(provider|fallback-providers\/[\w-]+)\/main\.ts$/, "plugin"],
];

/**
 * Finds processes that an engine started for this project directory and whose engine is gone. Processes belong to a
 * project directory if they work in it. In doubt, a process is not an orphan.
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

/**
 * Returns true if the process has lost its engine. This is so if its first ancestor outside the engine's parts is a
 * process that adopts orphans.
 */
function lostEngine(entry: ProcessEntry, table: ReadonlyMap<number, ProcessEntry>): boolean {
  let pid = entry.parent;
  for (;;) {
    if (pid <= 1) return true;
    const above = table.get(pid);
    // The ancestor belongs to another user or has just ended. The next check will show it.
    if (above === undefined) return false;
    // A process other than the first one can adopt orphans, for example that of a desktop session or a container. A
    // process without a run was started by hand.
    if (partOf(above) === undefined) return entry.runId !== undefined && isNoEngine(above);
    pid = above.parent;
  }
}

function isNoEngine({ program }: ProcessEntry): boolean {
  return program !== undefined && !program.startsWith("pulumi");
}
