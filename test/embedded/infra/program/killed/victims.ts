import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProcessEntry, processTable } from "../../../../../scripts/core/process-table.ts";
import type { Clone } from "../../../clone.ts";

/** Processes of a run, each of which can be killed alone. */
export const victims = {
  engine: { name: "the engine", isOne: ({ program }) => program === "pulumi" },
  cli: { name: "pgw", isOne: ({ args }) => args.includes("scripts/pgw.mjs") },
  plugin: { name: "the kit's own plugin", isOne: ({ args }) => args.some((arg) => arg.endsWith("provider/main.ts")) },
  postgresql: {
    name: "the postgresql plugin",
    isOne: ({ program, args }) =>
      program === "pulumi-resource-postgresql" ||
      args.some((arg) => arg.endsWith("fallback-providers/postgresql/main.ts")),
  },
} satisfies Record<string, Victim>;

/** A kind of process, and the condition that recognizes it. */
export interface Victim {
  name: string;
  isOne: (entry: ProcessEntry) => boolean;
}

/** All processes of a run, as in a power failure. */
export const everything: Victim = {
  name: "everything",
  isOne: (entry) => Object.values(victims).some(({ isOne }) => isOne(entry)),
};

/** Kills all processes of one kind in a project and returns their number. */
export async function kill(clone: Clone, { isOne }: Victim): Promise<number> {
  const table = (await processTable()) ?? [];
  const found = table.filter((entry) => entry.folder?.startsWith(clone.root) && isOne(entry));
  return found.filter(({ pid }) => killed(pid)).length;
}

/** Returns false if the process has just ended by itself. */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Lists the processes that still run in a project directory, except the hosts of tests. */
export async function stillRunning(clone: Clone): Promise<string[]> {
  const table = (await processTable()) ?? [];
  const own = table.filter(({ folder }) => folder === clone.root || folder?.startsWith(`${clone.root}/`));
  return own
    .filter(({ args }) => !args.some((argument) => /\/(command|plugin|program)-host\.ts$/.test(argument)))
    .map(({ program, args }) => `${program} ${args.join(" ")}`);
}

/** Lists unexpected files in the folders of servers and states, and the locks on the stack. */
export async function filesLeft(clone: Clone): Promise<string[]> {
  const servers = join(clone.dataHome, "servers");
  const state = join(clone.root, ".pgroundwork", ".pulumi");
  const folders = [
    ...(await readdir(servers)).map((name) => join(servers, name)),
    join(state, "stacks", "pgroundwork"),
  ];
  const names = (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
  const locks = await readdir(join(state, "locks", "organization", "pgroundwork", "local"));
  return [...names.filter((name) => !expected.has(name)), ...locks];
}

const expected = new Set([
  "data",
  "log",
  "server.json",
  "local.json",
  "local.json.attrs",
  "local.json.bak",
  "local.json.bak.attrs",
]);

/** Returns the unfinished operations in the state. */
export async function pendingOperations(clone: Clone): Promise<unknown[]> {
  const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
  const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
    checkpoint: { latest: { pending_operations?: unknown[] } };
  };
  return checkpoint.latest.pending_operations ?? [];
}
