import { randomUUID } from "node:crypto";
import { isatty } from "node:tty";
import type { Command } from "commander";
import type { EnvironmentSource } from "../connection/environment.ts";
import { projectFolder } from "../core/kit-folder.ts";
import { type ExitCode, exitCode } from "../core/operation-error.ts";
import { type OperationLog, openOperationLog } from "../core/operation-log.ts";
import { redact } from "../core/redact.ts";
import { reportError } from "./failure.ts";
import { listenForInterruption } from "./interruption.ts";
import { Output } from "./output.ts";

/** Context of a command: what every command gets besides its own options. */
export interface CommandContext {
  /** Project directory: the folder of Pulumi.yaml and migrations/. */
  root: string;
  env: NodeJS.ProcessEnv;
  out: Output;
  /** Aborts at the first Ctrl-C or SIGTERM. A second one ends the process at once. */
  signal: AbortSignal;
  /** Signal for the engine: like `signal`, but it does not abort if the terminal has already notified the engine. */
  engineSignal: AbortSignal;
  /** Leaves Ctrl-C to another program that uses the terminal. */
  releaseSignals: () => void;
  /** UUID that connects the records of this command, the Pulumi program and the plugins. */
  runId: string;
  /** Environment variables that chose the database, if neither an option nor a stack did. Error messages name them. */
  targetSource?: EnvironmentSource;
  /** Operation log for log collectors; silent without --verbose. */
  log: OperationLog;
}

/** The work of a command. It returns the exit code; undefined means done. */
export type Work<Options, Args extends unknown[]> = (
  context: CommandContext,
  options: Options,
  ...args: Args
) => Promise<ExitCode | undefined>;

/**
 * Wraps a command's work: the one place that prints errors and sets the exit code. An `OperationError` is printed as it
 * is. Any other error is reported as a bug of the kit, with its stack trace only if `PGW_DEBUG` is set.
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
    const context: CommandContext = {
      root: projectFolder(),
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
      process.exitCode = (await work(context, options, ...args)) ?? exitCode.done;
    } catch (error) {
      const failure = reportError(out, error, context);
      process.exitCode = failure.code;
      out.finish(failure);
      log.error(
        { ...finished(), error: redact(error instanceof Error ? error.message : String(error)) },
        "command failed",
      );
      return;
    }
    out.finish();
    log.info(finished(), "command finished");
  };
}

/** Returns the name of a command without the program's own: `migrate up`. */
function commandName(command: Command): string {
  const parent = command.parent;
  return parent === null || parent.parent === null ? command.name() : `${commandName(parent)} ${command.name()}`;
}
