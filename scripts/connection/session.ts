import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Client } from "pg";

/** Interval at which the server checks if the client of a running statement is still connected. */
const checkInterval = "1s";

/** Sessions whose server performs this check. */
const watched = new WeakSet<Client>();

/**
 * Makes the server end this session's statement when its client is gone (a killed deployer). Its locks are then
 * released within about a second, and not only when the statement ends. Servers before 14 and platforms without support
 * do without this.
 */
export async function detectLostClients(client: Client): Promise<void> {
  const setting = "select set_config(name, $1, false) from pg_settings where name = 'client_connection_check_interval'";
  try {
    const { rowCount } = await client.query(setting, [checkInterval]);
    if (rowCount === 1) watched.add(client);
  } catch (error) {
    // 22023: the server's platform cannot detect a closed socket.
    if (!(error instanceof Error && "code" in error && error.code === "22023")) throw error;
  }
}

/** Returns the statements that set this again if {@link detectLostClients} set it. */
export function lostClientStatements(client: Client): string[] {
  return watched.has(client) ? [`set client_connection_check_interval = '${checkInterval}'`] : [];
}

/** Returns the process id of the server session. Other sessions see it as the one they wait for. */
export async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const row = rows[0];
  if (row === undefined) throw new Error("select pg_backend_pid() returned no row");
  return row.pid;
}

/** Closes the socket of a connection at once. Ending the session would wait for a server that does not answer. */
export function destroySocket(client: Client): void {
  socketOf(client).destroy();
}

/** Returns the end of the validity of the server's certificate; null if the session has no TLS. */
export function certificateEndOf(client: Client): Date | null {
  const socket = socketOf(client);
  if (!(socket instanceof TLSSocket)) return null;
  // A socket that was closed meanwhile has none.
  const certificate = socket.getPeerCertificate() as { valid_to?: string } | null;
  const end = new Date(certificate?.valid_to ?? Number.NaN);
  return Number.isNaN(end.getTime()) ? null : end;
}

/** The driver keeps the socket to itself. */
function socketOf(client: Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** Sets settings until the end of the current transaction. */
export async function setLocally(client: Client, settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings))
    await client.query("select set_config($1, $2, true)", [name, value]);
}

/** Options of {@link inTransaction}. */
export interface TransactionOptions {
  /** Statement that begins the transaction, with settings for this transaction only. Default: `begin`. */
  begin?: string;
  /** Converts an error of the commit, where deferred constraints fail. It must throw. */
  atCommit?: (error: unknown) => never;
}

/**
 * Runs work in one transaction of a session.
 *
 * @throws the error of the work or of the commit; none of the work remains then
 */
export async function inTransaction<T>(
  client: Client,
  work: () => Promise<T>,
  { begin = "begin", atCommit }: TransactionOptions = {},
): Promise<T> {
  await client.query(begin);
  try {
    const result = await work();
    const committed = client.query("commit");
    await (atCommit === undefined ? committed : committed.catch(atCommit));
    return result;
  } catch (error) {
    // On a lost connection there is nothing to roll back, and the first error counts.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/**
 * Runs queries as the role that logged in. The server shows a session's details only to its own role, and lets only
 * that role terminate it. A migrator works as the owner, which is another role.
 */
export async function asLogin<T>(client: Client, ask: () => Promise<T>): Promise<T> {
  await client.query("begin; set local role none");
  try {
    return await ask();
  } finally {
    await client.query("rollback");
  }
}
