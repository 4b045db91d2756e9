import { readOutputs } from "../stack/outputs.ts";
import type { StateAccess } from "../stack/stack-state.ts";
import type { Connection } from "../target/connection.ts";

/** The superuser's connection as the stack's outputs have it, verified as they say. Only for a stack that was brought up. */
export async function outputsConnection({ engine, root, stack }: StateAccess): Promise<Connection | undefined> {
  const { server } = await readOutputs(engine, root, stack, true);
  const { host, port, sslmode, sslrootcert, logins } = server;
  if (logins.superuser === undefined) return undefined;
  return { host, port, sslmode, sslrootcert, database: "postgres", ...logins.superuser };
}
