/**
 * Hands a session over to a user's file and back to the kit. Files of every kind run in {@link withFile}, or between
 * the functions that it calls.
 */
import pg, { type Client } from "pg";
import { inTransaction, lostClientStatements } from "../connection/session.ts";
import { kitSettings, limitSettings, ownSettingNames, settingsStatement } from "../connection/session-settings.ts";
import { OperationError } from "../core/operation-error.ts";
import { releaseFileLocks } from "../ledger/deployment-lock.ts";

/**
 * Statements that reset the state a file left in its session. DISCARD ALL is not possible, because it releases the
 * deployment lock. RESET ALL does not reset role and authorization. RESET SESSION AUTHORIZATION clears the role that
 * the login begins with.
 */
const reset = [
  "close all",
  "reset session authorization",
  "reset role",
  "reset all",
  "deallocate all",
  "unlisten *",
  "discard temp",
  "discard sequences",
];

/** Statements that reset the kit's own settings for one transaction. */
const databaseSettings = [
  ...ownSettingNames.map((name) => `set local ${name} to default`),
  settingsStatement(limitSettings, { local: true }),
];

/**
 * Prepares a session for a file. The session gets the settings of the server, the database and the role, as in any
 * other tool, without time limits, and then `settings`. Call it outside a transaction, in a session that is new or that
 * {@link endFile} has reset. It sends its query before it returns.
 *
 * @param settings `pgSettings` of .gmrc
 */
export async function beginFile(client: Client, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const own = Object.entries(settings).map(
    ([name, value]) =>
      `select pg_catalog.set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(String(value))}, false)`,
  );
  await client.query(
    ["reset all", settingsStatement(limitSettings), ...lostClientStatements(client), ...own].join("; "),
  );
}

/**
 * Resets a session after a file. Settings, role, session authorization, temporary objects, cursors, prepared
 * statements, LISTEN, advisory locks and `currval` are then as they were when the session began. The kit's own settings
 * and the deployment lock are kept. Call it outside a transaction. It sends its queries before it returns.
 *
 * @throws OperationError if the file released the deployment lock and another session holds it now
 */
export async function endFile(client: Client): Promise<void> {
  await Promise.all([
    client.query([...reset, settingsStatement(kitSettings), ...lostClientStatements(client)].join("; ")),
    releaseFileLocks(client),
  ]);
}

/**
 * Ends a file's part of its transaction, so that the kit can record the file in it. Work that is deferred to the commit
 * is done now, as part of the file. Role, search path and formats are then the kit's until the transaction ends. It
 * sends its queries before it returns.
 *
 * @throws the errors of deferred constraints and triggers
 */
export async function endFileWork(client: Client): Promise<void> {
  const settings = settingsStatement({ ...kitSettings, search_path: "pg_catalog, pg_temp" }, { local: true });
  const [deferred, taken] = await Promise.allSettled([
    client.query("set constraints all immediate"),
    client.query(`reset session authorization; reset role; ${settings}`),
  ]);
  if (deferred.status === "rejected") throw deferred.reason;
  if (taken.status === "rejected") throw taken.reason;
}

/**
 * Runs a file's work between {@link beginFile} and {@link endFile}.
 *
 * @param file its name in messages
 * @throws any error of the work; OperationError if the work leaves a transaction open, which is rolled back: otherwise
 * its changes would be lost unnoticed
 */
export async function withFile<T>(
  client: Client,
  { file, settings }: { file: string; settings?: Readonly<Record<string, string>> },
  work: () => Promise<T>,
): Promise<T> {
  try {
    await beginFile(client, settings);
    const result = await work();
    if (client.getTransactionStatus() !== "I") throw leftOpen(file);
    await endFile(client);
    return result;
  } catch (error) {
    // The first error counts. On a lost connection there is nothing to reset.
    await giveBack(client).catch(() => {});
    throw error;
  }
}

async function giveBack(client: Client): Promise<void> {
  if (client.getTransactionStatus() !== "I") await client.query("rollback");
  await endFile(client);
}

function leftOpen(file: string): OperationError {
  return new OperationError(`${file} leaves a transaction open. Its changes since BEGIN are rolled back.`, {
    hint: "End the transaction in the file with COMMIT, or remove its BEGIN, then run again.",
  });
}

/**
 * Calls a user's code in a database, in a transaction with the settings of the server, the database and the role,
 * without time limits.
 */
export async function withDatabaseSettings<T>(client: Client, work: () => Promise<T>): Promise<T> {
  return inTransaction(client, work, { begin: ["begin", ...databaseSettings].join("; ") });
}
