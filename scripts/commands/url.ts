import type { Command } from "commander";
import { connectionUrl } from "../target/connection.ts";
import { databaseOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";
import { resolveTarget } from "./cli/target.ts";

export function registerUrl(program: Command): void {
  program
    .command("url")
    .description("print one connection URL, password included: a secret, to stdout only")
    .addOption(stackOption())
    .addOption(databaseOption())
    .option("-r, --role <name>", "app, readonly, migrator, monitor, backup or superuser", "app")
    .action(
      action<{ stack?: string; database?: string; role: string }, []>(
        async (run, { stack = "local", database, role }) => {
          const target = await resolveTarget(run, { stack, ...(database === undefined ? {} : { database }) }, role);
          process.stdout.write(`${connectionUrl(target.connection)}\n`);
        },
      ),
    );
}
