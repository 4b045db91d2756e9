import type { StackOutputs } from "../model/stack-outputs.ts";
import type { CommandContext } from "./context.ts";
import { warnOfOtherTargets } from "./other-targets.ts";
import { outputsOf } from "./stack.ts";
import { warnOfJobs } from "./unfinished-jobs.ts";

/**
 * Warns about what is wrong around a stack that was just brought up: applications that would connect elsewhere, and
 * jobs that failed or are overdue. The outputs with their passwords are read once, and only if one of the two needs
 * them.
 */
export async function warnAfterUp(context: CommandContext, stack: string): Promise<void> {
  let outputs: Promise<StackOutputs> | undefined;
  const readOutputs = () => {
    outputs ??= outputsOf(context, stack, true);
    return outputs;
  };
  await warnOfOtherTargets(context, stack, readOutputs);
  await warnOfJobs(context, stack, readOutputs);
}
