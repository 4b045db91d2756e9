import type { Client } from "pg";

/** How often the server looks whether the client of a running statement is still there. */
const checkInterval = "1s";

/**
 * Has the server end this session's statement when its client is gone (a killed deployer), so that its locks are free within a second or so
 * and not only when the statement is through. Servers before 14 and platforms without the means do without.
 */
export async function noticeLostClients(client: Client): Promise<void> {
  const setting = "select set_config(name, $1, false) from pg_settings where name = 'client_connection_check_interval'";
  await client.query(setting, [checkInterval]).catch((error: unknown) => {
    // 22023: the server's platform cannot poll a socket's end.
    if (!(error instanceof Error && "code" in error && error.code === "22023")) throw error;
  });
}

/** The server's process behind a session: by it others see whom they wait for. */
export async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const row = rows[0];
  if (row === undefined) throw new Error("select pg_backend_pid() returned no row");
  return row.pid;
}

export interface TransactionOptions {
  /** How it begins, with what holds for it alone. Default: `begin`. */
  begin?: string;
  /** Says what failed at the commit, where deferred constraints do; it throws. */
  atCommit?: (error: unknown) => never;
}

/**
 * Does work in one transaction of a session.
 * @throws what the work or the commit failed on; nothing of it is done then
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
    // Where the connection is lost there is nothing to roll back, and the first error counts.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/**
 * Asks as the role that logged in: the server shows a session's details only to its own role, and lets only that one end it, which the owner that a migrator
 * works as is not.
 */
export async function asLogin<T>(client: Client, ask: () => Promise<T>): Promise<T> {
  await client.query("begin; set local role none");
  try {
    return await ask();
  } finally {
    await client.query("rollback");
  }
}
