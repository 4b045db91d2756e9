import type { Command } from "commander";
import { localStack } from "../stack/stacks.ts";
import { connectionUrl } from "../target/connection.ts";
import { defaultRole } from "./cli/login.ts";
import { databaseOption, roleOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";
import { resolveTarget } from "./cli/target.ts";

export function registerUrl(program: Command): void {
  program
    .command("url")
    .description("print one connection URL, password included: a secret, to stdout only")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(roleOption())
    .action(
      action<{ stack?: string; database?: string; role?: string }, []>(
        async (run, { stack = localStack, database, role = defaultRole }) => {
          const target = await resolveTarget(run, { stack, ...(database === undefined ? {} : { database }) }, role);
          process.stdout.write(`${connectionUrl(target.connection)}\n`);
        },
      ),
    );
}
