import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/**
 * Runs the Pulumi program of one project for the engine's language host, each time with a state of its own in the SDK,
 * as Pulumi's Automation API does with inline programs. Starting a process for each run costs more than 1 s of CPU
 * time, most of it for loading and compiling code.
 *
 * Arguments: the project, and the socket that `launcher.mjs` connects to.
 */
const [project = "", socket = ""] = process.argv.slice(2);
const entry = pathToFileURL(`${project}/infra/program.ts`).href;
// The project links the same packages, perhaps only later.
const require = createRequire(import.meta.url);

/** Message of `launcher.mjs`. */
interface Request {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
}

const text = { type: "string" } as const;
/** Options of Pulumi's launcher. It passes them on to the SDK as variables. */
const options = {
  organization: text,
  project: text,
  "root-directory": text,
  stack: text,
  parallel: text,
  monitor: text,
  engine: text,
  sync: text,
  pwd: text,
  tracing: text,
  "dry-run": { type: "boolean" },
} as const;

/** Exit code of Pulumi's launcher for errors that the engine has shown already. */
const errorsWereLogged = 32;

/** Functions of the SDK that send a message to the engine. */
const logFunctions = ["info", "warn", "error"] as const;
type Log = Record<(typeof logFunctions)[number] | "debug", (message: string, ...more: unknown[]) => Promise<void>>;

/** Wraps every promise of the SDK, so that it can report promises that are never settled. */
interface Debuggable {
  debuggablePromise<Value>(promise: Promise<Value>, context: string): Promise<Value>;
}

interface Store {
  settings: { monitor?: { close(): void }; engine?: { close(): void } };
  callbacks?: { shutdown(): void };
}

/** The parts of Pulumi's SDK that its own launcher uses. They have no declarations. */
function loadSdk() {
  const sdk = (path: string) => require(`@pulumi/pulumi/${path}`);
  return {
    state: sdk("runtime/state") as { LocalStore: new () => Store },
    log: sdk("log") as Log,
    debuggable: sdk("runtime/debuggable") as Debuggable,
    errors: sdk("errors") as { RunError: { isInstance(error: unknown): error is Error } },
    settings: sdk("runtime/settings") as { disconnect(signalShutdown: boolean): Promise<void> },
    stack: sdk("runtime/stack") as { runInPulumiStack(program: () => Promise<unknown>): Promise<unknown> },
    defaultErrorMessage: (sdk("cmd/run/error") as { defaultErrorMessage(error: unknown): string }).defaultErrorMessage,
    runs: (globalThis as unknown as { asyncLocalStorage: import("node:async_hooks").AsyncLocalStorage<Store> })
      .asyncLocalStorage,
  };
}

const sdk = loadSdk();
const logs = new WeakMap<Store, Log>();
separateLogs();
leaveOutDebugging();
/** Handlers for what affects the whole process, by the state of the run that it belongs to. */
const running = new WeakMap<Store, { report(error: unknown): void; exit(code: number): void }>();
let runs = 0;

/**
 * Makes the SDK's log functions use the queue of the current run. The SDK has one queue per process. A message about a
 * resource that failed breaks it, and no later message, also of later runs, would reach the engine.
 */
function separateLogs(): void {
  const shared = { ...sdk.log };
  for (const name of logFunctions) {
    sdk.log[name] = (...message) => {
      const store = sdk.runs.getStore();
      return ((store && logs.get(store)) ?? shared)[name](...message);
    };
  }
}

/**
 * Leaves out what helps to debug the SDK, which takes a third of a run's CPU time: a stack trace of each promise, and
 * messages of severity debug, several for each resource, which the kit does not show.
 */
function leaveOutDebugging(): void {
  const { debuggablePromise } = sdk.debuggable;
  sdk.debuggable.debuggablePromise = (promise, context) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
  sdk.log.debug = async () => {};
}

/** Loads a second copy of the SDK's log module, which has a queue of its own. */
function loadLog(): Log {
  const path = require.resolve("@pulumi/pulumi/log");
  const loaded = require.cache[path];
  delete require.cache[path];
  const copy = require(path) as Log;
  require.cache[path] = loaded;
  return copy;
}

/** Runs the program and returns the exit code that its own process would have had. */
async function run({ argv, cwd, env }: Request): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true, strict: false });
  const [program = entry] = positionals;
  process.chdir(cwd);
  // The environments of commands on one project differ only in the run id.
  process.env = env;
  for (const [name, value] of Object.entries(values)) {
    process.env[`PULUMI_NODEJS_${name.toUpperCase().replaceAll("-", "_")}`] = String(value);
  }
  // Takes its values from the environment.
  const store = new sdk.state.LocalStore();
  logs.set(store, loadLog());
  const reported = new Set<unknown>();
  const report = (error: unknown) => {
    if (reported.has(error) || error === exits) return;
    reported.add(error);
    const message = sdk.errors.RunError.isInstance(error)
      ? error.message
      : `Running program '${program}' failed with an unhandled exception:\n${sdk.defaultErrorMessage(error)}`;
    void sdk.log.error(message);
  };
  const exited = new Promise<number>((resolve) => running.set(store, { report, exit: resolve }));
  const finished = sdk.runs.run(store, async () => {
    runs += 1;
    // The query makes Node.js evaluate the program again; the modules that it imports stay.
    const declare = async () => ((await import(`${entry}?run=${runs}`)) as { default: unknown }).default;
    await sdk.stack.runInPulumiStack(declare).catch(report);
    await sdk.settings.disconnect(reported.size === 0).catch(report);
    return reported.size > 0 ? errorsWereLogged : 0;
  });
  const code = await Promise.race([finished, exited]);
  store.settings.monitor?.close();
  store.settings.engine?.close();
  return code;
}

async function answer(connection: Socket): Promise<void> {
  connection.on("error", () => connection.destroy());
  for await (const line of createInterface({ input: connection })) {
    connection.end(`${await run(JSON.parse(line) as Request)}\n`);
  }
}

function currentRun() {
  const store = sdk.runs.getStore();
  return store && running.get(store);
}

process.on("unhandledRejection", (error) => {
  const run = currentRun();
  if (run === undefined) process.stderr.write(`${String(error)}\n`);
  else run.report(error);
});

/** Thrown where a program exits, so that nothing after that is executed. */
const exits = new Error("the program exits");
const exitHost = process.exit;
process.exit = (code) => {
  const run = currentRun();
  if (run === undefined) return exitHost(code);
  run.exit(Number(code ?? 0));
  throw exits;
};
process.setMaxListeners(30);

await rm(socket, { force: true });
createServer((connection) => void answer(connection).catch(() => connection.destroy())).listen(socket);
