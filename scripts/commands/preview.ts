import type { Command } from "commander";
import { localStack } from "../stack/stacks.ts";
import { describeChanges } from "./cli/changes.ts";
import { operate } from "./cli/operate.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";

export function registerPreview(program: Command): void {
  program
    .command("preview")
    .description("what `up` would do, pending migrations and seeds by name")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (run, { stack = localStack }) => {
        const { changes, unchanged } = await operate(run, "preview", stack);
        run.out.answer({ stack, changes, unchanged }, () => describeChanges("preview", { changes, unchanged }));
      }),
    );
}
