import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";
import { type Connection, clientConfig } from "./connection.ts";
import { connectionError, lostConnectionError } from "./connection-error.ts";
import { setKitSettings } from "./session-settings.ts";

export interface ClientOptions {
  /** Sends a query while the answer to an earlier one is still outstanding. */
  pipeline?: boolean;
}

/**
 * Opens one connection, sets the kit's session settings, passes it to `use`, and closes it in any case.
 *
 * @throws ConnectionError if the connection cannot be opened or is lost
 * @throws OperationError if the server's machine is the reason (disk full, damaged data)
 * @throws any other error of `use`, unchanged
 */
export async function withClient<T>(
  connection: Connection,
  use: (client: Client) => Promise<T>,
  applicationName = "pgroundwork",
  { pipeline = false }: ClientOptions = {},
): Promise<T> {
  const client = await openClient(connection, applicationName, pipeline);
  try {
    return await use(client);
  } catch (error) {
    // An OperationError already says what happened.
    if (error instanceof OperationError) throw error;
    // Loaded only for an error: most connections work.
    const { serverFault } = await import("./server-fault.ts");
    throw lostConnectionError(connection, error) ?? serverFault(connection, error) ?? error;
  } finally {
    // The result of `use` matters more than an error at the end, and a lost connection needs no closing.
    await client.end().catch(() => {});
  }
}

/** Server settings that can fail a session before it has set its own, by the SQLSTATE of that failure. */
const startupSettings: Readonly<Record<string, string>> = {
  "57014": "statement_timeout=0",
  "25P04": "transaction_timeout=0",
  "57P05": "idle_session_timeout=0",
  // A standby does not support serializable transactions, and the kit's first statement would run in one.
  "0A000": "default_transaction_isolation=read\\ committed",
};

/**
 * Opens a connection and sets the kit's session settings afterwards, because poolers refuse startup options. A setting
 * that fails the session before that is set as a startup option.
 */
async function openClient(connection: Connection, applicationName: string, pipeline: boolean): Promise<Client> {
  const { default: pg } = await import("pg");
  const atStart: string[] = [];
  for (let first: unknown; ; ) {
    const options = atStart.map((setting) => `-c ${setting}`).join(" ");
    const client = new pg.Client({ ...clientConfig(connection, applicationName), pipeline, options });
    // If the server goes away between two queries, only this event reports it, and without a listener an 'error' event
    // would end the process. The next query fails, too.
    let lost: unknown;
    client.on("error", (error) => {
      lost ??= error;
    });
    try {
      await client.connect();
      await setKitSettings(client);
      return client;
    } catch (error) {
      client.end().catch(() => {});
      first ??= error;
      const reason = lost ?? error;
      const setting = reason instanceof Error && "code" in reason ? startupSettings[String(reason.code)] : undefined;
      if (setting === undefined || atStart.includes(setting)) throw connectionError(connection, first);
      atStart.push(setting);
    }
  }
}
