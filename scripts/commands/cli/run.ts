import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { type ExitCode, exitCode, OperationError } from "../../errors/operation-error.ts";
import { redact } from "../../errors/redact.ts";
import { Output } from "./output.ts";

/** What every command is given beside its own options. */
export interface Run {
  /** The clone: the folder of package.json. */
  root: string;
  env: NodeJS.ProcessEnv;
  out: Output;
  /** Fires at the first Ctrl-C; a second one ends the process at once. */
  signal: AbortSignal;
  /** Ties together what this command, the program and the plugins record. */
  runId: string;
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
    const options = command.optsWithGlobals<Options & { json?: boolean }>();
    const args = given.slice(0, -2) as Args;
    const out = new Output(options.json ?? false);
    const run: Run = {
      root: fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, ""),
      env: process.env,
      out,
      signal: interruption(),
      runId: process.env.PGW_RUN_ID ?? randomUUID(),
    };
    try {
      process.exitCode = (await work(run, options, ...args)) ?? exitCode.done;
    } catch (error) {
      process.exitCode = report(error, out);
    }
  };
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
