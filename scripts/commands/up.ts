import { type Command, InvalidArgumentError } from "commander";
import type { StackOutputs } from "../stack/outputs.ts";
import { localStack } from "../stack/stacks.ts";
import { describeChanges } from "./cli/changes.ts";
import { type OperateOptions, operate } from "./cli/operate.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action, type Run } from "./cli/run.ts";
import { describeStack } from "./cli/summary.ts";

interface UpOptions {
  stack?: string;
  recover?: boolean;
  /** Seconds; true: without limit. */
  wait?: number | true;
}

export function registerUp(program: Command): void {
  program
    .command("up")
    .description("bring the stack up: server, databases, roles, migrations, seeds; again: nothing changes")
    .addOption(stackOption())
    .option("--recover", "first take back what a killed run left; on a terminal `up` offers it where it has to")
    .option("--wait [seconds]", "wait while another run works on the stack (default: as long as it takes)", seconds)
    .addOption(jsonOption())
    .action(
      action<UpOptions, []>(async (run, { stack = localStack, recover = false, wait = 0 }) => {
        const waitMs = wait === true ? Number.POSITIVE_INFINITY : wait * 1_000;
        await bringUp(run, stack, { recover, waitMs });
      }),
    );
}

/** Brings a stack up and says what is there then. */
export async function bringUp(run: Run, stack: string, options: OperateOptions = {}): Promise<StackOutputs> {
  const started = performance.now();
  const result = await operate(run, "up", stack, options);
  // What an erasure that was not finished had begun is in use again.
  const { forgetErasure } = await import("../stack/begun-erasure.ts");
  await forgetErasure(run.root, stack);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  // What the program exports; passwords are masked in it.
  const outputs = result.outputs as unknown as StackOutputs;
  run.out.answer(
    { stack, ...result },
    () => `${describeChanges("up", result)}, in ${seconds} s\n\n${describeStack(outputs, stack)}`,
  );
  return outputs;
}

function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of seconds.");
}
