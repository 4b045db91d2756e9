import type { Command } from "commander";
import { type LoginOptions, resolveLogin } from "./cli/login.ts";
import { databaseOption, roleOption, stackOption, urlOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";

export function registerPsql(program: Command): void {
  program
    .command("psql [arguments...]")
    .description("open psql on a database; arguments after -- are psql's own")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(roleOption())
    .addOption(urlOption())
    .action(
      action<LoginOptions, [string[]]>(async (run, options, given) => {
        const { openPsql } = await import("../client/psql.ts");
        const connection = await resolveLogin(run, options);
        run.releaseSignals();
        return (await openPsql(connection, given, run.env)) === 0 ? 0 : 1;
      }),
    );
}
