import type { Command } from "commander";
import { databaseOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";
import { resolveTarget } from "./cli/target.ts";

export function registerPsql(program: Command): void {
  program
    .command("psql [arguments...]")
    .description("open psql on a database; arguments after -- are psql's own")
    .addOption(stackOption())
    .addOption(databaseOption())
    .option("-r, --role <name>", "app, readonly, migrator, monitor, backup or superuser", "app")
    .action(
      action<{ stack?: string; database?: string; role: string }, [string[]]>(async (run, options, given) => {
        const { openPsql } = await import("../client/psql.ts");
        const target = await resolveTarget(run, options, options.role);
        return (await openPsql(target.connection, given, run.env)) === 0 ? 0 : 1;
      }),
    );
}
