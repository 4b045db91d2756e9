import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { type ExitCode, exitCode, OperationError } from "../../errors/operation-error.ts";
import { redact } from "../../errors/redact.ts";
import { type OperationLog, openOperationLog } from "../../log/operation-log.ts";
import { Output } from "./output.ts";

/** What every command is given beside its own options. */
export interface Run {
  /** The clone: the folder of package.json. */
  root: string;
  env: NodeJS.ProcessEnv;
  out: Output;
  /** Fires at the first Ctrl-C; a second one ends the process at once. */
  signal: AbortSignal;
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
    const run: Run = {
      root: fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, ""),
      env: process.env,
      out,
      signal: interruption(),
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
      process.exitCode = report(error, out);
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

function report(error: unknown, out: Output): ExitCode {
  if (error instanceof OperationError) {
    out.error(redact(error.text));
    return error.exitCode;
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  out.error(
    redact(`${fault.message}\n  This is a fault of pgroundwork, not of yours. PGW_DEBUG=1 shows where it happened.`),
  );
  if (process.env.PGW_DEBUG) out.note(redact(fault.stack ?? ""));
  return exitCode.failed;
}

/** The engine gets the terminal's Ctrl-C too, and finishes the step under way: this process waits for it. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    controller.abort(new OperationError("Interrupted."));
    process.once("SIGINT", () => process.exit(130));
  });
  process.once("SIGTERM", () => controller.abort(new OperationError("Terminated.")));
  return controller.signal;
}
