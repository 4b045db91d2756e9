import type { Command } from "commander";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { localStack } from "../stack/stacks.ts";
import { readyEngine } from "./cli/engine.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";
import { describeStack } from "./cli/summary.ts";

export function registerOutputs(program: Command): void {
  program
    .command("outputs")
    .description("what the stack is made of and how to connect; passwords only with --show-secrets --json")
    .addOption(stackOption())
    .addOption(jsonOption())
    .option("--show-secrets", "passwords in plain text, in the JSON answer")
    .action(
      action<{ stack?: string; showSecrets?: boolean }, []>(
        async (run, { stack = localStack, showSecrets = false }) => {
          if (showSecrets && !run.out.json) {
            throw new OperationError("--show-secrets has no effect on the summary, which shows no password.", {
              remedy: "Add --json, or take one URL from `npm run -s pgw -- url`.",
              exitCode: exitCode.usage,
            });
          }
          const { readOutputs } = await import("../stack/outputs.ts");
          const outputs = await readOutputs(await readyEngine(run, { quiet: true }), run.root, stack, showSecrets);
          run.out.answer(outputs, () => describeStack(outputs, stack));
        },
      ),
    );
}
