import type { Connection } from "../../connection/connection.ts";
import { readOutputs } from "../outputs.ts";
import type { Stack } from "../stack.ts";

/**
 * Returns the superuser's connection from the stack's outputs, with their TLS verification. Only for a stack that was
 * brought up.
 */
export async function outputsConnection(stack: Stack): Promise<Connection | undefined> {
  const { server } = await readOutputs(stack, true);
  const { host, port, sslmode, sslrootcert, logins } = server;
  if (logins.superuser === undefined) return undefined;
  return { host, port, sslmode, sslrootcert, database: "postgres", ...logins.superuser };
}
