import type { Command } from "commander";
import { localStack } from "../stack/stacks.ts";
import { describeChanges } from "./cli/changes.ts";
import { operate } from "./cli/operate.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";

export function registerRefresh(program: Command): void {
  program
    .command("refresh")
    .description("compare the state with what is really there, and take over what was changed by hand; `up` mends it")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (run, { stack = localStack }) => {
        const { changes, unchanged } = await operate(run, "refresh", stack);
        run.out.answer({ stack, changes, unchanged }, () => describeChanges("refresh", { changes, unchanged }));
      }),
    );
}
