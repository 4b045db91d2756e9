import type { Connection } from "../../connection/connection.ts";
import { readOutputs } from "../outputs.ts";
import type { StateAccess } from "../stack-state.ts";

/**
 * Returns the superuser's connection from the stack's outputs, with their TLS verification. Only for a stack that was
 * brought up.
 */
export async function outputsConnection({ engine, root, stack }: StateAccess): Promise<Connection | undefined> {
  const { server } = await readOutputs(engine, root, stack, true);
  const { host, port, sslmode, sslrootcert, logins } = server;
  if (logins.superuser === undefined) return undefined;
  return { host, port, sslmode, sslrootcert, database: "postgres", ...logins.superuser };
}
