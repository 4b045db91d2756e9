import type { Command } from "commander";
import { exitCode } from "../errors/operation-error.ts";
import type { Outcome } from "../recover/recover.ts";
import { localStack } from "../stack/stacks.ts";
import { readyEngine } from "./cli/engine.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { recoverStack } from "./cli/recover-stack.ts";
import { action } from "./cli/run.ts";

interface RecoverOptions {
  stack?: string;
  dryRun?: boolean;
  stopOrphans?: boolean;
}

export function registerRecover(program: Command): void {
  program
    .command("recover")
    .description("take back what a killed run left: locks, processes, half-made files, unfinished entries of the state")
    .addOption(stackOption())
    .option("--dry-run", "say what was found, and do nothing (exit code 4 where there is something to do)")
    .option("--stop-orphans", "stop servers whose clone is gone, too; their data is kept")
    .addOption(jsonOption())
    .action(
      action<RecoverOptions, []>(async (run, { stack = localStack, dryRun = false, stopOrphans = false }) => {
        const engine = await readyEngine(run, { quiet: true });
        const outcomes = await recoverStack(run, engine, stack, { dryRun, stopOrphans });
        run.out.answer({ stack, findings: outcomes.map(told) }, () => summary(outcomes, stack, dryRun));
        return dryRun && outcomes.some(({ act }) => act !== undefined) ? exitCode.pending : exitCode.done;
      }),
    );
}

function told({ kind, found, action, advice, done }: Outcome): object {
  return { kind, found, action: action ?? null, advice: advice ?? null, done };
}

function summary(outcomes: readonly Outcome[], stack: string, dryRun: boolean): string {
  const option = stack === localStack ? "" : ` --stack ${stack}`;
  if (outcomes.length === 0) return `nothing was left by a killed run of stack "${stack}"`;
  const actions = outcomes.filter(({ act }) => act !== undefined).length;
  if (actions === 0) return "there is nothing to take back";
  if (dryRun) return `${actions} to take back\nNext: npm run pgw -- recover${option}`;
  return `${actions} taken back\nNext: npm run up${option === "" ? "" : ` --${option}`}`;
}
