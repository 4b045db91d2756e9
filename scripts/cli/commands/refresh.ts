import type { Command } from "commander";
import { localStack } from "../../stack/stacks.ts";
import { describeChanges } from "../changes.ts";
import { action, type CommandContext } from "../context.ts";
import { inDockerEngine, operateStack } from "../operation.ts";
import { jsonOption, stackOption } from "../options.ts";
import { outputsOf } from "../stack.ts";

export function registerRefresh(program: Command): void {
  program
    .command("refresh")
    .description("update the state with changes that were made by hand; the next `up` reverts these changes")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (context, { stack = localStack }) => {
        const stopped = await serverStopped(context, stack);
        if (stopped !== undefined) {
          if (stopped.inDocker) await operateStack(context, "refresh", stack, { targets: inDockerEngine });
          throw stopped.error;
        }
        const { changes, unchanged } = await operateStack(context, "refresh", stack);
        context.out.answer({ stack, changes, unchanged }, () => describeChanges("refresh", { changes, unchanged }));
      }),
    );
}

/**
 * Checks if the server answers, before each resource on it is read by itself. Reading the outputs also writes the file
 * of CA certificates that the postgresql provider trusts. For `up` and `preview` the program writes that file, but a
 * refresh does not run the program.
 */
async function serverStopped(context: CommandContext, stack: string) {
  // Without outputs there is no server yet. The refresh reports all other errors.
  const outputs = await outputsOf(context, stack, true).catch(() => undefined);
  if (outputs === undefined) return undefined;
  const { serverStopped: whyStopped } = await import("../../stack/server-stopped.ts");
  const error = await whyStopped(outputs, stack);
  return error && { error, inDocker: outputs.server.kind === "docker" };
}
