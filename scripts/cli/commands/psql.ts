import type { Command } from "commander";
import { OperationError } from "../../core/operation-error.ts";
import { upCommand } from "../../model/command-lines.ts";
import { localStack } from "../../stack/local-stack.ts";
import { action, type CommandContext } from "../context.ts";
import { describeSource } from "../failure.ts";
import { type LoginOptions, resolveLogin } from "../login.ts";
import { databaseOption, roleOption, stackOption, urlOption } from "../options.ts";
import { givenConnection } from "../target.ts";

/** Exit code of psql if it lost its connection, or got none. */
const noConnection = 2;

export function registerPsql(program: Command): void {
  program
    .command("psql [arguments...]")
    .description("open psql on a database; arguments after -- are passed to psql")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(roleOption())
    .addOption(urlOption())
    .action(
      action<LoginOptions, [string[]]>(async (context, options, given) => {
        const { openPsql } = await import("../../connection/psql.ts");
        const connection = await resolveLogin(context, options);
        context.releaseSignals();
        const code = await openPsql(connection, given, context.env);
        if (code === noConnection) {
          await refuseStopped(context, options);
          if (context.targetSource !== undefined) context.out.note(describeSource(context.targetSource));
        }
        return code === 0 ? 0 : 1;
      }),
    );
}

/** @throws OperationError if the stack's server is stopped, which psql cannot tell */
async function refuseStopped(context: CommandContext, options: LoginOptions): Promise<void> {
  if (givenConnection(context, options) !== undefined) return;
  const { stack = localStack } = options;
  const { outputsOf } = await import("../stack.ts");
  const { whyStopped } = await import("../../stack/server-state.ts");
  const reason = await whyStopped((await outputsOf(context, stack, false)).server);
  if (reason !== undefined)
    throw new OperationError(`The server of stack "${stack}" is stopped: ${reason}.`, {
      hint: `Start it: ${upCommand(stack)}`,
    });
}
