import pg, { type DatabaseError } from "pg";
import { codeOf } from "./errors.ts";
import type { ServerClient } from "./server-client.ts";

let names = 0;

/** Errors of transactions that a prepared statement ended because it was out of date. */
const ended = new WeakSet<object>();

/**
 * Returns true if a transaction failed because a prepared statement was out of date. The statement is forgotten, so the
 * transaction can be repeated.
 */
export function wasOutOfDate(error: unknown): boolean {
  return typeof error === "object" && error !== null && ended.has(error);
}

/**
 * Runs a statement as a prepared one, and forgets the least used ones above the limit. If it is out of date, it is
 * forgotten, and outside of a transaction it runs again without a name.
 *
 * @param run sends the statement under a name, or without one
 */
export async function runPrepared<T>(
  client: ServerClient,
  text: string,
  limit: number,
  run: (name?: string) => Promise<T>,
): Promise<T> {
  const { prepared, driver } = client;
  const name = prepared.get(text) ?? `pgw_${++names}`;
  const reused = driver.parsedStatements[name] !== undefined;
  // The map's order is that of use, and also the order in which everything is sent: nothing waits before `run`.
  prepared.delete(text);
  prepared.set(text, name);
  for (const [other, otherName] of prepared) {
    if (prepared.size <= Math.max(1, limit)) break;
    forget(client, other, otherName);
  }
  try {
    return await run(name);
  } catch (error) {
    if (!reused || !isOutOfDate(error)) throw error;
    forget(client, text, name);
    // With a context, it was raised in a function or procedure, which may have committed before.
    if (client.getTransactionStatus() === "I" && error.where === undefined) return run();
    ended.add(error);
    throw error;
  }
}

/** Returns true if the session does not have the statement, or if its result has other columns since. */
function isOutOfDate(error: unknown): error is DatabaseError {
  const code = codeOf(error);
  // The code is that of every "not supported", and the message may be translated.
  return code === "26000" || (code === "0A000" && (error as DatabaseError).routine === "RevalidateCachedQuery");
}

/**
 * Removes a prepared statement after those that were sent before. Unlike DEALLOCATE, the message works in a failed
 * transaction, for a name that the server does not know, and behind a pooler.
 */
function forget(client: ServerClient, text: string, name: string): void {
  if (client.prepared.get(text) === name) client.prepared.delete(text);
  const closing = new pg.Query({ text });
  closing.submit = (connection) => {
    (connection as unknown as { close(message: { type: "S"; name: string }): void }).close({ type: "S", name });
    connection.sync();
  };
  // If the connection is lost, its statements are, too.
  const closed = () => delete client.driver.parsedStatements[name];
  (client.query as (query: pg.Query, callback: () => void) => void).call(client, closing, closed);
}
