import type { Connection } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { upCommand } from "../model/command-lines.ts";
import { pooledRoles } from "../model/pooler.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";

/**
 * Returns the connection of a role through the stack's pooler.
 *
 * @param connection the role's direct connection
 * @throws OperationError (wrong usage) if the stack has no pooler, or if the role may not use it
 */
export function pooledConnection(
  connection: Connection,
  { pooler }: Pick<ServerOutput, "pooler">,
  { stack, role }: { stack: string; role: string },
): Connection {
  if (pooler === undefined)
    throw new OperationError(`Stack "${stack}" has no pooler.`, {
      hint: `Set pgroundwork:pooler to true (server docker), then run \`${upCommand(stack)}\`.`,
      exitCode: exitCode.usage,
    });
  if (!pooledRoles.some((each) => each === role))
    throw new OperationError(`The role "${role}" cannot log in through the pooler.`, {
      hint: `Use one of ${pooledRoles.join(", ")}, or leave out --pooled: migrations, backups and monitoring need a session of their own.`,
      exitCode: exitCode.usage,
    });
  return { ...connection, port: pooler.port };
}
