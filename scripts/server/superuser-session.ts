import type { Client } from "pg";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import { ConnectionError } from "../target/connection-error.ts";
import { superuser } from "./cluster.ts";

/** How the superuser logs in to a server on this machine. */
export function superuserLogin(host: string, port: number, password: string): Connection {
  return { host, port, database: "postgres", user: superuser, password, sslmode: "disable" };
}

/**
 * A session of the superuser, with the first of these passwords that the server takes: a rotation that was interrupted leaves the server with either.
 *
 * @throws ConnectionError where it takes none, or cannot be reached
 */
export async function withSuperuser<T>(
  { host, port }: { host: string; port: number },
  [password, ...others]: readonly [string, ...string[]],
  use: (client: Client) => Promise<T>,
): Promise<T> {
  try {
    return await withClient(superuserLogin(host, port, password), use);
  } catch (error) {
    const [next, ...rest] = others;
    const isRefused = error instanceof ConnectionError && error.failure === "password";
    if (!isRefused || next === undefined) throw error;
    return withSuperuser({ host, port }, [next, ...rest], use);
  }
}
