import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { type Connection, clientConfig } from "./connection.ts";
import { connectionError, lostConnectionError } from "./connection-error.ts";
import { serverFault } from "./server-fault.ts";

export interface ClientOptions {
  /** Sends a query while the answer to one before it is still awaited. */
  pipeline?: boolean;
}

/**
 * Opens one connection, hands it to `use` and closes it whatever happens.
 * @throws ConnectionError when the connection cannot be had or is lost; OperationError when the server's machine fails it (disk full, damaged data);
 * what else `use` throws passes unchanged.
 */
export async function withClient<T>(
  connection: Connection,
  use: (client: Client) => Promise<T>,
  applicationName = "pgroundwork",
  { pipeline = false }: ClientOptions = {},
): Promise<T> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ ...clientConfig(connection, applicationName), pipeline });
  // A server that goes away between two queries reports it here only, and an unheard 'error' event would end the process.
  // The next query fails with the same news.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    throw connectionError(connection, error);
  }
  try {
    return await use(client);
  } catch (error) {
    // An OperationError has said already what was under way.
    if (error instanceof OperationError) throw error;
    throw lostConnectionError(connection, error) ?? serverFault(connection, error) ?? error;
  } finally {
    // The answer of `use` counts; a connection that is gone already has nothing left to close.
    await client.end().catch(() => {});
  }
}
