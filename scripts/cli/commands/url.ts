import type { Command } from "commander";
import { connectionUrl } from "../../connection/connection.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { defaultRole } from "../login.ts";
import { databaseOption, roleOption, stackOption } from "../options.ts";
import { resolveTarget } from "../target.ts";

export function registerUrl(program: Command): void {
  program
    .command("url")
    .description("print one connection URL to stdout; it contains the password, so keep it secret")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(roleOption())
    .action(
      action<{ stack?: string; database?: string; role?: string }, []>(
        async (context, { stack = localStack, database, role = defaultRole }) => {
          const target = await resolveTarget(context, { stack, ...(database === undefined ? {} : { database }) }, role);
          process.stdout.write(`${connectionUrl(target.connection)}\n`);
        },
      ),
    );
}
