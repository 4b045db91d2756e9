import type { Command } from "commander";
import type { StackOutputs } from "../stack/outputs.ts";
import { localStack } from "../stack/stacks.ts";
import { describeChanges } from "./cli/changes.ts";
import { operate } from "./cli/operate.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action, type Run } from "./cli/run.ts";
import { describeStack } from "./cli/summary.ts";

export function registerUp(program: Command): void {
  program
    .command("up")
    .description("bring the stack up: server, databases, roles, migrations, seeds; again: nothing changes")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (run, { stack = localStack }) => {
        await bringUp(run, stack);
      }),
    );
}

/** Brings a stack up and says what is there then. */
export async function bringUp(run: Run, stack: string): Promise<StackOutputs> {
  const started = performance.now();
  const result = await operate(run, "up", stack);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  // What the program exports; passwords are masked in it.
  const outputs = result.outputs as unknown as StackOutputs;
  run.out.answer(
    { stack, ...result },
    () => `${describeChanges("up", result)}, in ${seconds} s\n\n${describeStack(outputs, stack)}`,
  );
  return outputs;
}
