import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { inTransaction } from "../connection/session.ts";

/** Number of attempts on a database to which clients keep connecting. */
const attempts = 20;

/** SQLSTATE if sessions are connected to a database. */
export const inUse = "55006";

/** Names of two databases that change places. */
export interface Swap {
  /** Name of the database in use. */
  database: string;
  /** Complete database that gets this name. */
  incoming: string;
  /** New name of the database that was in use. */
  replaced: string;
}

/**
 * Puts a database in the place of another one, in one transaction in which no client can connect: a kill at any time
 * leaves one or the other. The comment on the database stays.
 *
 * @param client connected to a third database
 * @returns number of sessions that were terminated
 */
export async function swapDatabases(client: Client, { database, incoming, replaced }: Swap): Promise<number> {
  const id = (name: string) => client.escapeIdentifier(name);
  const { rows } = await client.query<{ comment: string | null }>(
    "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
    [database],
  );
  const comment = rows[0]?.comment ?? null;
  const literal = comment === null ? "null" : client.escapeLiteral(comment);
  return withoutSessions(client, database, () =>
    inTransaction(client, async () => {
      await client.query(`alter database ${id(database)} rename to ${id(replaced)}`);
      await client.query(`alter database ${id(incoming)} rename to ${id(database)}`);
      await client.query(`comment on database ${id(database)} is ${literal}`);
    }),
  );
}

/**
 * Runs work that needs a database without sessions. Terminates its sessions before each attempt.
 *
 * @returns number of sessions that were terminated
 */
export async function withoutSessions(client: Client, database: string, work: () => Promise<unknown>): Promise<number> {
  let terminated = 0;
  for (let attempt = 1; ; attempt += 1) {
    const { rows } = await client.query<{ count: number }>(
      "select count(pg_terminate_backend(pid))::int as count from pg_stat_activity where datname = $1",
      [database],
    );
    terminated += rows[0]?.count ?? 0;
    try {
      await work();
      return terminated;
    } catch (error) {
      // A client connected between the two statements.
      if ((error as { code?: string }).code !== inUse || attempt === attempts) throw error;
      await sleep(50);
    }
  }
}
