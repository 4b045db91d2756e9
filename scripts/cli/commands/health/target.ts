import type { Command } from "commander";
import { type Connection, inDatabase } from "../../../connection/connection.ts";
import type { CommandContext } from "../../context.ts";
import { databaseOption, stackOption, urlOption } from "../../options.ts";
import { givenConnection, resolveTargets, type TargetOptions } from "../../target.ts";

export interface HealthTarget extends TargetOptions {
  role: string;
}

/** Adds the options that choose a server and a role. */
export function withHealthTarget(command: Command): Command {
  return command
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .option("-r, --role <name>", "role that logs in to the stack", "monitor");
}

/** Returns the connection: any PostgreSQL by URL or environment, else the first or the named database of the stack. */
export async function healthConnection(
  context: CommandContext,
  { role, ...options }: HealthTarget,
): Promise<Connection> {
  const given = givenConnection(context, options);
  if (given !== undefined) return options.database === undefined ? given : inDatabase(given, options.database);
  const [first] = await resolveTargets(context, options, role);
  if (first === undefined) throw new Error("the stack has no database");
  return first.connection;
}
