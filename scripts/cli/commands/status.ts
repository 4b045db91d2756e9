import type { Command } from "commander";
import { exitCode } from "../../core/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { jsonOption, stackOption } from "../options.ts";
import { outputsOf } from "../stack.ts";
import { describeStatus } from "./status-text.ts";

export function registerStatus(program: Command): void {
  program
    .command("status")
    .description(
      "show what runs, how to reach it, and what is pending (exit code 4 if work is pending, 5 if something is wrong " +
        "or not known)",
    )
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (context, { stack = localStack }) => {
        const { readStackStatus, verdictOn } = await import("../../stack/status.ts");
        const outputs = await outputsOf(context, stack, true);
        const status = await readStackStatus(outputs, context.root, stack, context.env);
        context.out.answer(status, () => describeStatus(status, new Date()));
        return exitCode[verdictOn(status)];
      }),
    );
}
