import type { Command } from "commander";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { jsonOption, stackOption } from "../options.ts";
import { outputsOf } from "../stack.ts";
import { describeStack } from "../summary.ts";

export function registerOutputs(program: Command): void {
  program
    .command("outputs")
    .description("show what the stack contains and how to connect; passwords only with --show-secrets --json")
    .addOption(stackOption())
    .addOption(jsonOption())
    .option("--show-secrets", "include passwords in plain text; requires --json")
    .action(
      action<{ stack?: string; showSecrets?: boolean }, []>(
        async (context, { stack = localStack, showSecrets = false }) => {
          if (showSecrets && !context.out.json) {
            throw new OperationError("--show-secrets has no effect on the summary, which shows no password.", {
              hint: "Add --json, or print one URL with `npm run -s pgw -- url`.",
              exitCode: exitCode.usage,
            });
          }
          const outputs = await outputsOf(context, stack, showSecrets);
          context.out.answer(outputs, () => describeStack(outputs, stack));
        },
      ),
    );
}
