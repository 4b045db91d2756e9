import type { Command } from "commander";
import { connectionUrl } from "../../connection/connection.ts";
import { pooledConnection } from "../../stack/pooled-connection.ts";
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
    .option("--pooled", "connect through the stack's pooler (PgBouncer); only for the roles app and readonly")
    .action(
      action<{ stack?: string; database?: string; role?: string; pooled?: boolean }, []>(
        async (context, { stack = localStack, database, role = defaultRole, pooled = false }) => {
          const target = await resolveTarget(context, { stack, ...(database === undefined ? {} : { database }) }, role);
          const { connection, server } = target;
          const chosen = pooled ? pooledConnection(connection, server ?? {}, { stack, role }) : connection;
          process.stdout.write(`${connectionUrl(chosen)}\n`);
        },
      ),
    );
}
