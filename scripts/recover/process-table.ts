import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";

/** A process as far as this user may look at it; what may not be read is undefined. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** File name of its program. */
  program: string | undefined;
  /** Where it works. */
  folder: string | undefined;
  args: readonly string[];
  /** When it was started, in clock ticks since the machine was: tells it from a later process of the same pid. */
  started: string;
  /** The run of `pgw` that it comes from; undefined: none. */
  runId: string | undefined;
}

const runVariable = "PGW_RUN_ID=";

/** Every process of the machine; undefined where the system does not tell (only Linux does). */
export async function processTable(): Promise<ProcessEntry[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(processEntry));
  return entries.filter((entry) => entry !== undefined);
}

/** One process; undefined: it is not there any more, or only waits for its end to be noted. */
export async function processEntry(pid: number): Promise<ProcessEntry | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // `pid (name) state parent …`, the start is the 22nd; the name may hold brackets of its own.
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
    // A program that was replaced meanwhile is still that program.
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
