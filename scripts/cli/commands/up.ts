import { type Command, InvalidArgumentError } from "commander";
import type { StackOutputs } from "../../model/stack-outputs.ts";
import type { DeployRecorder } from "../../stack/deploy-point.ts";
import type { OperationResult } from "../../stack/engine-operation.ts";
import type { Stack } from "../../stack/stack.ts";
import { StackLocked } from "../../stack/stack-lock.ts";
import { localStack } from "../../stack/stacks.ts";
import { describeChanges } from "../changes.ts";
import { action, type CommandContext } from "../context.ts";
import { type CommandOperationOptions, operateStack } from "../operation.ts";
import { allChangesOption, jsonOption, stackOption } from "../options.ts";
import { warnOfOtherTargets } from "../other-targets.ts";
import { describeStack } from "../summary.ts";

interface UpOptions {
  stack?: string;
  recover?: boolean;
  /** Seconds to wait; true: without limit. */
  wait?: number | true;
  all?: boolean;
}

export function registerUp(program: Command): void {
  program
    .command("up")
    .description(
      "create or update the stack: server, databases, roles, migrations, seeds; running it again changes nothing",
    )
    .addOption(stackOption())
    .option(
      "--recover",
      "first clean up what a killed command left; on a terminal, `up` offers this if it is necessary",
    )
    .option("--wait [seconds]", "wait while another command works on the stack (default: no limit)", seconds)
    .addOption(allChangesOption())
    .addOption(jsonOption())
    .action(
      action<UpOptions, []>(async (context, { stack = localStack, recover = false, wait = 0, all = false }) => {
        const waitMs = wait === true ? Number.POSITIVE_INFINITY : wait * 1_000;
        await upStack(context, stack, { recover, waitMs }, all);
        await warnOfOtherTargets(context, stack);
      }),
    );
}

/**
 * Brings a stack up and prints its summary.
 *
 * @param all true to list every change
 */
export async function upStack(
  context: CommandContext,
  stack: string,
  options: CommandOperationOptions = {},
  all = false,
): Promise<StackOutputs> {
  const started = performance.now();
  const result = await deploy(context, stack, options);
  // A stack that was partly erased is in use again.
  const { forgetErasure } = await import("../../stack/begun-erasure.ts");
  await forgetErasure(context.root, stack);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  // The outputs of the Pulumi program; passwords are masked in them.
  const outputs = result.outputs as unknown as StackOutputs;
  context.out.answer(
    { stack, ...result },
    () => `${describeChanges("up", result, all)}, in ${seconds} s\n\n${describeStack(outputs, stack)}`,
  );
  return outputs;
}

/** Runs `up`. If it changes a stack that has backups, makes a restore point before it and records it. */
async function deploy(
  context: CommandContext,
  stack: string,
  options: CommandOperationOptions,
): Promise<OperationResult> {
  const { DeployRecorder } = await import("../../stack/deploy-point.ts");
  let recorder: DeployRecorder | undefined;
  const before = async (opened: Stack) => {
    recorder ??= new DeployRecorder(opened, (text) => context.out.warn(text));
    await recorder.begin();
  };
  try {
    const result = await operateStack(context, "up", stack, { ...options, before });
    if (result.changes.length > 0) await recorder?.record("done", result.changes.length);
    return result;
  } catch (error) {
    if (!(error instanceof StackLocked)) await recorder?.record("failed", null);
    throw error;
  }
}

function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of seconds.");
}
