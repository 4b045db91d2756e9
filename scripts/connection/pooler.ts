import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";
import { withClient } from "./client.ts";
import { type Connection, describeConnection } from "./connection.ts";
import { backendPid } from "./session.ts";
import { setKitSettings } from "./session-settings.ts";

/**
 * Refuses a connection that has no server session of its own. Behind a proxy that pools by transaction or statement,
 * the deployment lock passes to the next client, and settings leak. Two connections at once show this: they share a
 * server session, or the first one changes its session while the second one holds it.
 *
 * @param client open, and in no transaction
 * @throws OperationError
 */
export async function requireOwnSession(client: Client, connection: Connection): Promise<void> {
  const first = await backendPid(client);
  const pooled = await withClient(
    connection,
    async (other) => {
      try {
        await other.query("begin");
        const shared = (await backendPid(other)) === first || (await backendPid(client)) !== first;
        await other.query("rollback");
        return shared;
      } catch (error) {
        // PgBouncer with pool_mode = statement refuses transactions.
        if (error instanceof Error && /pooling mode/.test(error.message)) return true;
        throw error;
      }
    },
    "pgroundwork migrate, asking for a pooler",
  );
  if (!pooled) {
    await setKitSettings(client, { staysOurs: true });
    return;
  }
  throw new OperationError(
    `${describeConnection(connection)} goes through a proxy that pools transactions or statements (PgBouncer's pool_mode), so it has no lasting session.`,
    {
      hint: "Use a direct connection for migrations and seeds: the server's own port, or a pool with pool_mode = session. Applications can continue to use the proxy.",
    },
  );
}
