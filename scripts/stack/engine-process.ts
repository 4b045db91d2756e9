import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { OperationError } from "../core/operation-error.ts";
import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import { backendVariables } from "./backend.ts";
import { passphraseVariables } from "./passphrase.ts";
import type { Stack } from "./stack.ts";

/** One command of the engine. */
export interface EngineCall {
  /** Project directory: the folder of Pulumi.yaml. */
  root: string;
  args: readonly string[];
  /** Stack of the command, for its backend and its passphrase. Omit if the command needs neither. */
  stack?: string;
  /** Called with each line of stdout as it arrives. */
  onLine?: (line: string) => void;
  /** Asks the engine to stop after the current step, as Ctrl-C does. */
  signal?: AbortSignal | undefined;
  /** Variables for the program and the plugins, in addition to the engine's own. */
  variables?: Readonly<Record<string, string | undefined>>;
}

/** The engine was killed: by a user, a cancelled job or a machine that ran out of memory. */
export class EngineKilled extends OperationError {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`The engine was killed by ${signal}.`);
    this.signal = signal;
  }
}

/** Exit of a command of the engine. */
export interface EngineExit {
  code: number;
  /** Complete stderr. The engine's errors are few and short. */
  stderr: string;
}

/** Returns the variables for the backend and the passphrase of a stack. */
function ofStack(root: string, stack: string): Record<string, string | undefined> {
  return { ...backendVariables(root, stack, process.env), ...passphraseVariables(root, stack, process.env) };
}

/**
 * Runs one command of the engine on a stack, like {@link runEngine}.
 *
 * @throws EngineKilled
 */
export function runOnStack(
  { engine, root, name }: Stack,
  call: Omit<EngineCall, "root" | "stack">,
): Promise<EngineExit> {
  return runEngine(engine, { ...call, root, stack: name });
}

/** Times in ms between the attempts to read a state that another run may be writing: 4 s in all. */
const readAgain = { retries: 5, minTimeout: 100, factor: 2, maxTimeout: 1_600 } as const;

/** Exit of a command that reads, with all that it printed. */
export interface EngineAnswer extends EngineExit {
  stdout: string;
}

/**
 * Runs one command of the engine that only reads a stack's state. A state that cannot be parsed is read again for some
 * seconds: the engine of another run writes the files next to it in place.
 *
 * @returns the answer, or the last failure
 * @throws EngineKilled
 */
export async function readOnStack(stack: Stack, args: readonly string[]): Promise<EngineAnswer> {
  let answer = await readOnce(stack, args);
  if (!mayBeHalfWritten(answer)) return answer;
  const { default: pRetry } = await import("p-retry");
  const again = async () => {
    answer = await readOnce(stack, args);
    if (mayBeHalfWritten(answer)) throw new OperationError(answer.stderr);
  };
  const isKill = (error: unknown) => error instanceof EngineKilled;
  await pRetry(again, { ...readAgain, shouldRetry: ({ error }) => !isKill(error) }).catch((error: unknown) => {
    if (isKill(error)) throw error;
  });
  return answer;
}

async function readOnce(stack: Stack, args: readonly string[]): Promise<EngineAnswer> {
  const lines: string[] = [];
  const exit = await runOnStack(stack, { args, onLine: (line) => lines.push(line) });
  return { ...exit, stdout: lines.join("\n") };
}

function mayBeHalfWritten({ code, stderr }: EngineExit): boolean {
  return code !== 0 && /failed to load checkpoint|\.pulumi\/meta\.yaml/.test(stderr);
}

/**
 * Runs one command of the engine and streams its output.
 *
 * The Automation API's `Stack` calls the CLI five more times around each `up` and keeps all output in memory. Measured
 * on a program with nothing to do, that takes 1.2 s more. It would double the time of an `up` without changes.
 *
 * @throws EngineKilled
 */
export async function runEngine(engine: EngineInstallation, call: EngineCall): Promise<EngineExit> {
  const child = spawn(engine.pulumi, [...call.args, "--non-interactive", "--color", "never"], {
    cwd: call.root,
    env: {
      ...process.env,
      ...engine.environment,
      ...(call.stack === undefined ? {} : ofStack(call.root, call.stack)),
      ...call.variables,
      PULUMI_AUTOMATION_API: "true",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const interrupt = () => void child.kill("SIGINT");
  call.signal?.addEventListener("abort", interrupt, { once: true });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const exited = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal === null || call.signal?.aborted) resolve(code ?? 1);
      else reject(new EngineKilled(signal));
    });
  });
  // If the engine cannot be started, this promise rejects while the loop below still reads its output.
  exited.catch(() => undefined);
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }))
      call.onLine?.(line);
    return { code: await exited, stderr };
  } finally {
    call.signal?.removeEventListener("abort", interrupt);
  }
}
