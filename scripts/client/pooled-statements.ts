import type { QueryResultRow } from "pg";
import { contextStatement, requestContext } from "./context.ts";
import { codeOf } from "./errors.ts";
import { pipelined } from "./pipeline.ts";
import type { ServerClient } from "./server-client.ts";
import { openingStatements } from "./session.ts";
import type { PoolSettings } from "./settings.ts";
import { type Send, type Statement, type StatementResult, send } from "./statements.ts";

/** Errors of statements that need to be outside of a transaction, such as VACUUM, or a CALL that commits. */
const outsideCodes = ["25001", "2D000"];

/**
 * Returns the function that sends single statements of a pool. Behind a pooler, limits and the request's context last
 * only in a transaction: each statement gets one of its own, and everything is sent at once.
 */
export function sendOf(settings: PoolSettings): Send {
  if (!settings.pooled) return send;
  const openings = new Map<number, string>();
  const opening = (version: number) => {
    const text = openings.get(version) ?? openingStatements("begin", settings, version);
    openings.set(version, text);
    return text;
  };
  return (client, statement) => sendInTransaction(client, statement, settings, opening(client.serverVersion));
}

async function sendInTransaction<Row extends QueryResultRow>(
  client: ServerClient,
  statement: Statement,
  settings: PoolSettings,
  opening: string,
): Promise<StatementResult<Row>> {
  const context = requestContext();
  const before = context === undefined ? [opening] : [opening, contextStatement(context, "local", settings)];
  try {
    const results = await pipelined(client, () => {
      const sent = [
        ...before.map((each) => client.query<Row>(each)),
        send<Row>(client, statement),
        client.query<Row>("commit"),
      ];
      client.lastText = statement.text;
      return sent;
    });
    return results.at(-2) as StatementResult<Row>;
  } catch (error) {
    // It was rolled back. Without a context, only the limits are missing.
    if (context === undefined && client.lost === undefined && outsideCodes.includes(codeOf(error)))
      return send<Row>(client, statement);
    throw error;
  }
}

/**
 * Begins a transaction with the pool's limits and the request's context if the pool is behind a pooler. Otherwise the
 * session has them: this does nothing, and returns false.
 */
export async function openIfPooled(client: ServerClient, settings: PoolSettings, begin = "begin"): Promise<boolean> {
  if (!settings.pooled) return false;
  await client.query(openingStatements(begin, settings, client.serverVersion));
  const context = requestContext();
  if (context !== undefined) await client.query(contextStatement(context, "local", settings));
  return true;
}

/**
 * Begins a transaction whose statements have no time limit at the server. That of a COPY or a cursor would include the
 * time that the other end of the stream takes.
 */
export async function openUnlimited(client: ServerClient, settings: PoolSettings): Promise<void> {
  if (await openIfPooled(client, { ...settings, queryTimeoutMs: 0 })) return;
  await client.query("begin; set local statement_timeout to 0");
}
