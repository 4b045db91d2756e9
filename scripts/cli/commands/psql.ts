import type { Command } from "commander";
import { type LoginOptions, resolveLogin } from "../login.ts";
import { databaseOption, roleOption, stackOption, urlOption } from "../options.ts";
import { action } from "../run.ts";

export function registerPsql(program: Command): void {
  program
    .command("psql [arguments...]")
    .description("open psql on a database; arguments after -- are passed to psql")
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(roleOption())
    .addOption(urlOption())
    .action(
      action<LoginOptions, [string[]]>(async (run, options, given) => {
        const { openPsql } = await import("../../connection/psql.ts");
        const connection = await resolveLogin(run, options);
        run.releaseSignals();
        return (await openPsql(connection, given, run.env)) === 0 ? 0 : 1;
      }),
    );
}
