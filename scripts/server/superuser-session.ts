import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import { superuser } from "./cluster.ts";

/** Returns the connection of the superuser to a server on this machine. */
export function superuserLogin(host: string, port: number, password: string): Connection {
  return { host, port, database: "postgres", user: superuser, password, sslmode: "disable" };
}

/**
 * Runs work in a session of the superuser, with the first of these passwords that the server accepts. After an
 * interrupted rotation, the server can have either.
 *
 * @throws ConnectionError if the server accepts none, or is unreachable
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
