import type { CustomTypesConfig, QueryArrayResult, QueryResult, QueryResultRow } from "pg";
import { cancellable } from "./cancel.ts";
import type { Checkout } from "./checkouts.ts";
import { contextKey, contextStatement } from "./context.ts";
import { runPrepared } from "./prepared.ts";
import type { ReplicaRead } from "./replicas/replicas.ts";
import type { ServerClient } from "./server-client.ts";
import type { PoolSettings } from "./settings.ts";

/** A statement, and how to run it. */
export interface Statement extends ReplicaRead {
  text: string;
  values?: readonly unknown[] | undefined;
  /** Name of a prepared statement that the caller manages. */
  name?: string | undefined;
  /** Prepares the statement once for each client, which keeps a limited number of them. */
  prepare?: boolean;
  /** The statement changes nothing, so the pool may repeat it if the connection is lost. */
  readOnly?: boolean;
  /** Cancels the statement. */
  signal?: AbortSignal;
  /** `array` returns each row as an array. */
  rowMode?: "array";
  /** Type parsers for this statement instead of those of its client. */
  types?: CustomTypesConfig;
}

/** Result of a statement, as the driver returns it. */
export type StatementResult<Row extends QueryResultRow> = QueryResult<Row>;

/** Words of statements that can leave something in the session. */
const sessionWords =
  /\b(set|reset|set_config|listen|unlisten|prepare|declare|discard|load|do|call|temp|temporary|nextval|setval|currval|advisory\w*|pg_(try_)?advisory\w*)\b/i;

const touching = new Map<string, boolean>();

/**
 * Returns true if a statement can leave something in the session. The answer costs a reset when the client is returned,
 * and nothing else, so a false alarm is harmless. Functions of the database that change the session are not seen: take
 * a client for these.
 */
export function touchesSession(text: string): boolean {
  let known = touching.get(text);
  if (known === undefined) {
    // An UPDATE has the word, too, and each pool would reset after most of its statements.
    known = sessionWords.test(
      text.replace(/^\s*update\b[^;]*?\bset\b/i, "").replaceAll(/\bdo (update\s+set|nothing)\b/gi, ""),
    );
    if (touching.size >= 1_000) touching.clear();
    touching.set(text, known);
  }
  return known;
}

/**
 * Sets the request's context on a session if it has another one. Behind a pooler it does nothing: the session belongs
 * to another client soon, so a context needs a transaction. Returns undefined if there is nothing to wait for.
 */
export function applyContext({ client, context }: Checkout, settings: PoolSettings): Promise<void> | undefined {
  if (settings.pooled) return undefined;
  const key = contextKey(context);
  if (client.contextKey === key) return undefined;
  return client.query(contextStatement(context, "session", settings)).then(() => {
    client.contextKey = key;
    client.lastText = undefined;
  });
}

/** Sends one statement to the server: {@link send}, or in a transaction of its own; see `sendOf`. */
export type Send = typeof send;

/**
 * Runs one statement on a client, with its signal, and as a prepared statement if it asks for that.
 *
 * @param through sends the statement
 */
export function runStatement<Row extends QueryResultRow>(
  client: ServerClient,
  statement: Statement,
  maxPrepared: number,
  through: Send = send,
): Promise<StatementResult<Row>> {
  const run = statement.prepare
    ? () => runPrepared(client, statement.text, maxPrepared, (name) => through<Row>(client, { ...statement, name }))
    : () => through<Row>(client, statement);
  const result = statement.signal === undefined ? run() : cancellable(client, statement.signal, run);
  return result.catch(async (error: unknown) => {
    await client.ready();
    throw error;
  });
}

/** Sends one statement as it is. */
export function send<Row extends QueryResultRow>(
  client: ServerClient,
  statement: Statement,
): Promise<StatementResult<Row>> {
  const { text, values, name, rowMode, types } = statement;
  if (name === undefined && rowMode === undefined && types === undefined)
    return client.query<Row>(text, values as unknown[]);
  const config = { text, values, name, rowMode, types } as unknown as { text: string; rowMode: "array" };
  return client.query(config) as unknown as Promise<QueryArrayResult & QueryResult<Row>>;
}
