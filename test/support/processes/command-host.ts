import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import "./key-derivation.mjs";
import type { runCommandLine as run } from "../../../scripts/cli/commands/command-line.ts";
import { attachEngines } from "./engine-plugins.mjs";

/**
 * Runs `pgw` commands of one project, one at a time. `pgw url` takes 0.01 s of CPU time here and 0.1 s in a process of
 * its own, most of it for loading its code.
 *
 * Arguments: the project, the socket that `command-client.ts` connects to, and the socket of the host of plugins.
 */
const [project = "", socket = "", plugins = ""] = process.argv.slice(2);

/** Message of `command-client.ts`. */
interface Request {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
}

interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Time in ms after which a command that has left something open is reported. As a process it would not end. */
const drainedWithinMs = 30_000;

const streams = ["stdout", "stderr"] as const;
let running = false;
let fail: (error: unknown) => void = (error) => process.stderr.write(`${String(error)}\n`);

/** Runs a command and returns what its own process would have printed, and its exit code. */
async function runCommand({ argv, cwd, env }: Request): Promise<Finished> {
  const printed = { stdout: "", stderr: "" };
  const restore = [...streams.map((name) => capture(name, printed)), keepListeners()];
  process.argv = [process.execPath, join(project, "scripts", "pgw.mjs"), ...argv];
  process.env = env;
  process.chdir(cwd);
  process.exitCode = undefined;
  const before = openResources();
  try {
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const file = join(project, "scripts", "cli", "commands", "command-line.ts");
    const { runCommandLine } = (await import(pathToFileURL(file).href)) as { runCommandLine: typeof run };
    await Promise.race([runCommandLine().then(() => drained(before)), failed]);
  } catch (error) {
    // Node.js would end the process.
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
  const code = Number(process.exitCode ?? 0);
  for (const undo of restore) undo();
  process.exitCode = undefined;
  // The folder may be removed or renamed.
  process.chdir("/");
  return { code, ...printed };
}

/** Lists the sockets, timers and child processes that keep this process alive. Pipes are also the host's clients. */
function openResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !name.startsWith("Pipe"));
}

/** Waits until nothing is open that was not before. Only then would a process of its own end. */
async function drained(before: readonly string[]): Promise<void> {
  const until = Date.now() + drainedWithinMs;
  for (;;) {
    const left = [...before];
    const open = openResources().filter((name) => {
      const index = left.indexOf(name);
      if (index !== -1) left.splice(index, 1);
      return index === -1;
    });
    if (open.length === 0) return;
    if (Date.now() > until) throw new Error(`The command did not end. It left open: ${open.join(", ")}.`);
    await sleep(5);
  }
}

/** Collects what is written to a stream, until the function that it returns is called. */
function capture(name: (typeof streams)[number], printed: Record<typeof name, string>): () => void {
  const stream = process[name];
  const { write } = stream;
  stream.write = ((chunk: string | Uint8Array, ...more: unknown[]) => {
    printed[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const done = more.at(-1);
    if (typeof done === "function") process.nextTick(done);
    return true;
  }) as typeof write;
  return () => {
    stream.write = write;
  };
}

/** Returns a function that calls the listeners for the end of the process, and removes all that were added since. */
function keepListeners(): () => void {
  const emitters = [
    ...(["exit", "SIGINT", "SIGTERM"] as const).map((event) => ({ emitter: process as NodeJS.EventEmitter, event })),
    ...streams.map((name) => ({ emitter: process[name] as NodeJS.EventEmitter, event: "error" })),
  ];
  const before = emitters.map(({ emitter, event }) => new Set(emitter.rawListeners(event)));
  return () => {
    for (const [index, { emitter, event }] of emitters.entries()) {
      for (const listener of emitter.rawListeners(event)) {
        if (before[index]?.has(listener)) continue;
        emitter.off(event, listener as () => void);
        if (event === "exit") listener.call(process, process.exitCode);
      }
    }
  };
}

async function answer(connection: Socket): Promise<void> {
  connection.on("error", () => connection.destroy());
  for await (const line of createInterface({ input: connection })) {
    if (running) {
      connection.end("busy\n");
      return;
    }
    running = true;
    try {
      connection.end(`${JSON.stringify(await runCommand(JSON.parse(line) as Request))}\n`);
    } finally {
      running = false;
    }
  }
}

process.on("unhandledRejection", (error) => fail(error));
process.on("uncaughtException", (error) => fail(error));

await attachEngines(plugins);
await rm(socket, { force: true });
createServer((connection) => void answer(connection).catch(() => connection.destroy())).listen(socket);
