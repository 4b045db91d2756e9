import type { Command } from "commander";
import { exitCode } from "../../core/operation-error.ts";
import { recoverCommand, upCommand } from "../../model/command-lines.ts";
import type { Outcome } from "../../stack/recover/recover.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { jsonOption, stackOption } from "../options.ts";
import { recoverStack } from "../recover-stack.ts";
import { stackForReading } from "../stack.ts";

interface RecoverOptions {
  stack?: string;
  dryRun?: boolean;
  stopOrphans?: boolean;
}

export function registerRecover(program: Command): void {
  program
    .command("recover")
    .description(
      "clean up what a killed command left: locks, processes, unfinished files, containers, pending operations " +
        "in the state (exit code 5 if a check failed)",
    )
    .addOption(stackOption())
    .option("--dry-run", "report what was found and change nothing (exit code 4 if there is something to clean up)")
    .option("--stop-orphans", "also stop servers whose project directory no longer exists; their data is kept")
    .addOption(jsonOption())
    .action(
      action<RecoverOptions, []>(async (context, { stack = localStack, dryRun = false, stopOrphans = false }) => {
        const outcomes = await recoverStack(context, await stackForReading(context, stack), { dryRun, stopOrphans });
        context.out.answer({ stack, findings: outcomes.map(told) }, () => summary(outcomes, stack, dryRun));
        if (outcomes.some(({ unchecked }) => unchecked === "failed")) return exitCode.wrong;
        return dryRun && outcomes.some(({ act }) => act !== undefined) ? exitCode.pending : exitCode.done;
      }),
    );
}

function told({ kind, found, unchecked, action, advice, done }: Outcome): object {
  const problem = unchecked === undefined ? {} : { unchecked };
  return { kind, found, ...problem, action: action ?? null, advice: advice ?? null, done };
}

function summary(outcomes: readonly Outcome[], stack: string, dryRun: boolean): string {
  if (outcomes.length === 0) return `no killed run of stack "${stack}" left anything`;
  const actions = outcomes.filter(({ act }) => act !== undefined).length;
  const unchecked = outcomes.filter((outcome) => outcome.unchecked !== undefined).length;
  const not =
    unchecked === 0 ? "" : `, and ${unchecked === 1 ? "one thing was" : `${unchecked} things were`} not checked`;
  if (actions === 0) return unchecked === 0 ? "there is nothing to recover" : `found nothing to recover${not}`;
  if (dryRun) return `${actions} to recover${not}\nNext: ${recoverCommand(stack)}`;
  const done = outcomes.filter((outcome) => outcome.done).length;
  const left = done === actions ? "" : `, ${actions - done} skipped: they changed since they were found`;
  return `${done} recovered${left}${not}\nNext: ${upCommand(stack)}`;
}
