/*
 * Preloaded into a command: writes each step in which it renames or removes something, or runs a program, to the file
 * in PGW_STEPS_FILE, and kills the command after the step with the number in PGW_KILL_AFTER.
 */
import { appendFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

type Work = (...args: unknown[]) => unknown;
type Exports = Record<string, Work>;
interface Started {
  once(event: "exit", listener: () => void): unknown;
}

const { PGW_STEPS_FILE: file = "", PGW_KILL_AFTER: last } = process.env;
const require = createRequire(import.meta.url);
const [promises, fs, processes] = ["fs/promises", "fs", "child_process"].map((name) => require(name) as Exports);
if (!promises || !fs || !processes) throw new Error("another Node.js");

let steps = 0;
function done(step: string): void {
  steps += 1;
  appendFileSync(file, `${step}\n`);
  if (String(steps) === last) process.kill(process.pid, "SIGKILL");
}

/** Returns the name of a file without the time in it. */
const named = (path: unknown) => basename(String(path)).replace(/-\d{8}T\d{6}Z/, "");

const { rename, rm } = promises;
const { renameSync } = fs;
const { spawn } = processes;
if (!rename || !rm || !renameSync || !spawn) throw new Error("another Node.js");

promises.rename = async (...args) => {
  await rename(...args);
  done(`renamed ${named(args[0])} to ${named(args[1])}`);
};
promises.rm = async (...args) => {
  await rm(...args);
  done(`removed ${named(args[0])}`);
};
fs.renameSync = (...args) => {
  renameSync(...args);
  done(`wrote ${named(args[1])}`);
};
processes.spawn = (...args) => {
  const program = basename(String(args[0]));
  const [verb = ""] = program === "pg_ctl" ? (args[1] as string[]) : [];
  const child = spawn(...args) as Started;
  // Before the listeners of the caller.
  child.once("exit", () => done(`${program} ${verb} ended`));
  done(`${program} ${verb} started`);
  return child;
};
syncBuiltinESMExports();
