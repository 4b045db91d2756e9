import { spawn } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import module from "node:module";
import { constants as system } from "node:os";

/**
 * Runs a program on the project's own Node, which package.json pins, and forwards signals to it.
 *
 * @param {readonly string[]} args the program and its arguments
 * @returns {Promise<number>} its exit code; 128 plus the signal's number if a signal ended it, as shells report it
 * @throws {NodeJS.ErrnoException} with the code NO_OWN_NODE if that Node is not installed, or is this one
 */
export async function runOnOwnNode(args) {
  const node = ownNode();
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  // Before the command starts: otherwise a signal could end this process alone. A terminal sends Ctrl-C to both
  // processes, and the command ignores the repetition.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  const child = spawn(node, args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + system.signals[signal ?? "SIGKILL"]));
  });
}

/** Returns the path of the project's own Node. */
function ownNode() {
  try {
    const path = module.createRequire(import.meta.url).resolve("node/bin/node");
    accessSync(path, constants.X_OK);
    // If it cannot run TypeScript either, it would start itself forever.
    if (realpathSync(path) !== realpathSync(process.execPath) || process.execArgv.length > 0) return path;
  } catch {
    // Not installed: `npm ci` has not run, or its install script was not allowed to.
  }
  throw Object.assign(new Error("The project's own Node is not installed."), { code: "NO_OWN_NODE" });
}
