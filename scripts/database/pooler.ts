import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { backendPid } from "./session.ts";

/**
 * Refuses a connection whose server session is not its own: behind a proxy that pools by transaction or statement, the lock between deployers is
 * given to whoever comes next, and settings leak. Two connections at once tell: they share a server session, or the first one changes its own
 * while the second one holds it.
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
        // PgBouncer that pools by statement knows no transactions.
        if (error instanceof Error && /pooling mode/.test(error.message)) return true;
        throw error;
      }
    },
    "pgroundwork migrate, asking for a pooler",
  );
  if (!pooled) return;
  throw new OperationError(
    `${describeConnection(connection)} leads through a proxy that pools transactions or statements (PgBouncer's pool_mode): sessions do not stay.`,
    {
      remedy:
        "Migrate by a connection of your own: the server's own port, or a pool of the proxy with pool_mode = session. Applications may go on through the proxy.",
    },
  );
}
