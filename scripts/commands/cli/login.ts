import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { type Connection, describeConnection } from "../../target/connection.ts";
import type { Run } from "./run.ts";
import { givenConnection, resolveTarget, type TargetOptions } from "./target.ts";

/** What to log in as on a stack where no role is named. */
export const defaultRole = "app";

export interface LoginOptions extends TargetOptions {
  /** As typed; a connection that is given outright says by itself who logs in. */
  role?: string;
}

/**
 * Finds the connection that a client is to be opened on: what {@link resolveTarget} finds, except that no folder has to belong to it.
 *
 * @throws OperationError (wrong usage) where the options contradict a connection that is given outright
 */
export async function resolveLogin(run: Run, { role, ...options }: LoginOptions): Promise<Connection> {
  const connection = givenConnection(run, options);
  if (connection === undefined) {
    const { stack = localStack } = options;
    return (await resolveTarget(run, { ...options, stack }, role ?? defaultRole)).connection;
  }
  const label = describeConnection(connection);
  const source = options.url === undefined ? "The environment (DATABASE_URL, DB_* or PG*)" : "--url";
  const instead = options.url === undefined ? "unset those variables, or name the stack with --stack" : "correct --url";
  if (role !== undefined) {
    throw new OperationError(`${source} says already who logs in: ${label}. --role "${role}" cannot change that.`, {
      remedy: `Leave out --role, or ${instead}.`,
      exitCode: exitCode.usage,
    });
  }
  if (options.database !== undefined && options.database !== connection.database) {
    throw new OperationError(
      `${source} says already which database is meant: ${label}. --database "${options.database}" is another one.`,
      { remedy: `Leave out --database, or ${instead}.`, exitCode: exitCode.usage },
    );
  }
  run.out.note(`target: ${label}`);
  return connection;
}
