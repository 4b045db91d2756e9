import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";

/** A process. Properties that this user may not read are undefined. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** File name of its program. */
  program: string | undefined;
  /** Working directory. */
  folder: string | undefined;
  args: readonly string[];
  /** Start time in clock ticks since boot. It distinguishes the process from a later one with the same pid. */
  started: string;
  /** Run of `pgw` that started the process. undefined if there is none. */
  runId: string | undefined;
}

const runVariable = "PGW_RUN_ID=";

/** Lists every process of the machine. Returns undefined on systems other than Linux. */
export async function processTable(): Promise<ProcessEntry[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(processEntry));
  return entries.filter((entry) => entry !== undefined);
}

/** Reads one process. Returns undefined if it has ended, even if its parent has not collected it yet. */
export async function processEntry(pid: number): Promise<ProcessEntry | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // `pid (name) state parent …`, the start is field 22; the name may contain brackets.
  const [state, parent, ...rest] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  if (state === undefined || state === "Z" || state === "X") return undefined;
  const readable = (path: string) => readFile(`/proc/${pid}/${path}`, "utf8").catch(() => "");
  const target = (path: string) => readlink(`/proc/${pid}/${path}`).catch(() => undefined);
  const [exe, folder, args, environ] = await Promise.all([
    target("exe"),
    target("cwd"),
    readable("cmdline"),
    readable("environ"),
  ]);
  return {
    pid,
    parent: Number(parent),
    // The kernel marks the path of a program that was replaced while it runs.
    program: exe === undefined ? undefined : basename(exe.replace(/ \(deleted\)$/, "")),
    folder,
    args: args.split("\0"),
    started: rest[17] ?? "",
    runId: environ
      .split("\0")
      .find((variable) => variable.startsWith(runVariable))
      ?.slice(runVariable.length),
  };
}
