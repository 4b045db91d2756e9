import { type Connection, describeConnection } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { localStack } from "../stack/local-stack.ts";
import type { CommandContext } from "./context.ts";
import { givenConnection, resolveTarget, type TargetOptions } from "./target.ts";

/** Role to log in with on a stack if none is named. */
export const defaultRole = "app";

export interface LoginOptions extends TargetOptions {
  /** Role as typed. A connection that is given explicitly already contains the role. */
  role?: string;
}

/**
 * Finds the connection for a client: as {@link resolveTarget} does, but no migrations folder has to match.
 *
 * @throws OperationError (wrong usage) if the options contradict a connection that is given explicitly
 */
export async function resolveLogin(context: CommandContext, { role, ...options }: LoginOptions): Promise<Connection> {
  const connection = givenConnection(context, options);
  if (connection === undefined) {
    const { stack = localStack } = options;
    return (await resolveTarget(context, { ...options, stack }, role ?? defaultRole)).connection;
  }
  const label = describeConnection(connection);
  const source = options.url === undefined ? "The environment (DATABASE_URL, DB_* or PG*)" : "--url";
  // An error of the environment's connection says by itself how to use a stack.
  const instead = options.url === undefined ? "" : ", or correct --url";
  if (role !== undefined) {
    throw new OperationError(`${source} already determines the login: ${label}. --role "${role}" cannot change it.`, {
      hint: `Leave out --role${instead}.`,
      exitCode: exitCode.usage,
    });
  }
  if (options.database !== undefined && options.database !== connection.database) {
    throw new OperationError(
      `${source} already determines the database: ${label}. --database "${options.database}" is a different one.`,
      { hint: `Leave out --database${instead}.`, exitCode: exitCode.usage },
    );
  }
  context.out.note(`target: ${label}`);
  return connection;
}
