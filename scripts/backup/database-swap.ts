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

/** A session that was terminated, because it used a database that has to be free. */
export interface TerminatedSession {
  pid: number;
  /** null for a process of the server, such as a worker of autovacuum. */
  role: string | null;
  application: string;
  /** Address of the client, or `local` for a socket. */
  address: string;
}

/**
 * Puts a database in the place of another one, in one transaction in which no client can connect: a kill at any time
 * leaves one or the other. The comment on the database stays.
 *
 * @param client connected to a third database
 * @param onTerminated called with the sessions that were terminated
 * @returns their number
 */
export async function swapDatabases(
  client: Client,
  { database, incoming, replaced }: Swap,
  onTerminated?: (sessions: readonly TerminatedSession[]) => void,
): Promise<number> {
  const id = (name: string) => client.escapeIdentifier(name);
  const { rows } = await client.query<{ comment: string | null }>(
    "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
    [database],
  );
  const comment = rows[0]?.comment ?? null;
  const literal = comment === null ? "null" : client.escapeLiteral(comment);
  const swap = () =>
    inTransaction(client, async () => {
      await client.query(`alter database ${id(database)} rename to ${id(replaced)}`);
      await client.query(`alter database ${id(incoming)} rename to ${id(database)}`);
      await client.query(`comment on database ${id(database)} is ${literal}`);
    });
  return withoutSessions(client, database, swap, onTerminated);
}

/**
 * Runs work that needs a database without sessions. Terminates its sessions before each attempt.
 *
 * @param onTerminated called with the sessions that were terminated
 * @returns their number
 */
export async function withoutSessions(
  client: Client,
  database: string,
  work: () => Promise<unknown>,
  onTerminated?: (sessions: readonly TerminatedSession[]) => void,
): Promise<number> {
  let terminated = 0;
  for (let attempt = 1; ; attempt += 1) {
    const { rows } = await client.query<TerminatedSession & { isSignalled: boolean }>(
      `select pid, usename as role, coalesce(nullif(application_name, ''), 'unnamed') as application,
              coalesce(host(client_addr), 'local') as address, pg_terminate_backend(pid) as "isSignalled"
         from pg_stat_activity where datname = $1`,
      [database],
    );
    terminated += rows.length;
    if (rows.length > 0) onTerminated?.(rows.map(({ isSignalled: _, ...session }) => session));
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
