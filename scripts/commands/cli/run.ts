import { randomUUID } from "node:crypto";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { type ExitCode, exitCode, OperationError } from "../../errors/operation-error.ts";
import { redact } from "../../errors/redact.ts";
import { type OperationLog, openOperationLog } from "../../log/operation-log.ts";
import { Interrupted, interruptionOf, listenForInterruption } from "./interruption.ts";
import { Output } from "./output.ts";

/** What every command is given beside its own options. */
export interface Run {
  /** The clone: the folder of package.json. */
  root: string;
  env: NodeJS.ProcessEnv;
  out: Output;
  /** Fires at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
  signal: AbortSignal;
  /** The same for the engine: it does not fire where the terminal has told the engine already. */
  engineSignal: AbortSignal;
  /** Leaves Ctrl-C to a program that has the terminal from now on. */
  releaseSignals: () => void;
  /** UUID that ties together what this command, the program and the plugins record. */
  runId: string;
  /** What is done, for whatever collects logs; silent without --verbose. */
  log: OperationLog;
}

/** A command's work. What it answers is the exit code; nothing means done. */
export type Work<Options, Args extends unknown[]> = (
  run: Run,
  options: Options,
  ...args: Args
) => Promise<ExitCode | undefined>;

/**
 * Wraps a command's work: the one place that prints errors and sets the exit code. A failure meant for a person is shown as it is; anything else is a fault
 * of the kit and says so, with its stack trace only when `PGW_DEBUG` asks for it.
 */
export function action<Options extends object, Args extends unknown[]>(work: Work<Options, Args>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<Options & { json?: boolean; verbose?: boolean }>();
    const args = given.slice(0, -2) as Args;
    const out = new Output(options.json ?? false);
    const runId = process.env.PGW_RUN_ID ?? randomUUID();
    const log = await openOperationLog({ verbose: options.verbose ?? false, runId, terminal: process.stderr.isTTY });
    const interruption = listenForInterruption([0, 1, 2].some((descriptor) => isatty(descriptor)));
    const run: Run = {
      root: fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, ""),
      env: process.env,
      out,
      signal: interruption.signal,
      engineSignal: interruption.engineSignal,
      releaseSignals: interruption.release,
      runId,
      log,
    };
    const started = performance.now();
    const finished = () => ({
      command: commandName(command),
      exitCode: process.exitCode,
      durationMs: Math.round(performance.now() - started),
    });
    log.info({ command: commandName(command) }, "command started");
    try {
      process.exitCode = (await work(run, options, ...args)) ?? exitCode.done;
    } catch (error) {
      process.exitCode = report(error, out, interruptionOf(run.signal));
      log.error(
        { ...finished(), error: redact(error instanceof Error ? error.message : String(error)) },
        "command failed",
      );
      return;
    }
    log.info(finished(), "command finished");
  };
}

/** `migrate up`, without the program's own name. */
function commandName(command: Command): string {
  const parent = command.parent;
  return parent === null || parent.parent === null ? command.name() : `${commandName(parent)} ${command.name()}`;
}

function report(error: unknown, out: Output, interruption: Interrupted | undefined): number {
  if (error instanceof OperationError) {
    out.error(redact(error.text));
    return interruption?.exitCode ?? error.exitCode;
  }
  if (interruption !== undefined) {
    // Anything else is only how the work that was under way took it.
    out.note(error instanceof Interrupted ? error.message : interruption.message);
    return interruption.exitCode;
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  out.error(
    redact(`${fault.message}\n  This is a fault of pgroundwork, not of yours. PGW_DEBUG=1 shows where it happened.`),
  );
  if (process.env.PGW_DEBUG) out.note(redact(fault.stack ?? ""));
  return exitCode.failed;
}
