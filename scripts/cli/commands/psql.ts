import type { Command } from "commander";
import { action } from "../context.ts";
import { type LoginOptions, resolveLogin } from "../login.ts";
import { databaseOption, roleOption, stackOption, urlOption } from "../options.ts";

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
        return (await openPsql(connection, given, context.env)) === 0 ? 0 : 1;
      }),
    );
}
