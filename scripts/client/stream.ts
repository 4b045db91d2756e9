import type { QueryResultRow } from "pg";
import Cursor from "pg-cursor";
import { captureCallSite } from "./call-site.ts";
import type { Checkout } from "./checkouts.ts";
import type { PoolCore } from "./pool-core.ts";
import { openUnlimited } from "./pooled-statements.ts";
import type { ServerClient } from "./server-client.ts";
import { applyContext } from "./statements.ts";
import { exactTypes } from "./types-as-text.ts";
import { WorkLimits, type WorkOptions } from "./work-limits.ts";

/** Options of a stream of rows. */
export interface StreamOptions extends WorkOptions {
  /** Rows in one batch. Default: 100. */
  batchSize?: number;
  /** See {@link WorkOptions}. Default: the server has `queryTimeoutMs` for each batch, and the consumer any time. */
  timeoutMs?: number | null;
}

/** Reads a query's rows through a cursor. The client is returned when the loop ends, for any reason. */
export async function* streamRows<Row extends QueryResultRow>(
  core: PoolCore,
  text: string,
  values: readonly unknown[] = [],
  { batchSize = 100, ...options }: StreamOptions = {},
): AsyncIterableIterator<Row> {
  const limits = new WorkLimits("The stream", options);
  try {
    const checkout = await core.acquire("client", limits.signal, captureCallSite());
    try {
      const cursor = new Cursor<Row>(text, [...values], { types: exactTypes });
      const answerLimitMs = options.timeoutMs === undefined ? core.settings.queryTimeoutMs : 0;
      for await (const rows of readBatches(core, checkout, limits, { cursor, batchSize, answerLimitMs })) yield* rows;
    } finally {
      await limits.end();
      core.giveBack(checkout);
    }
  } finally {
    await limits.end();
  }
}

/**
 * Reads a cursor's rows in a transaction of its own.
 *
 * @param limits end the work, and are ended with it
 */
export async function* readBatches<Row extends QueryResultRow>(
  { settings }: PoolCore,
  checkout: Checkout,
  limits: WorkLimits,
  { cursor, batchSize, answerLimitMs }: { cursor: Cursor<Row>; batchSize: number; answerLimitMs: number },
): AsyncIterableIterator<Row[]> {
  const { client } = checkout;
  const { statementLimitMs } = checkout;
  // For the client, the statement runs until the cursor is closed.
  checkout.statementLimitMs = 0;
  let opened = false;
  let sent = false;
  try {
    limits.watch(client);
    await applyContext(checkout, settings);
    await openUnlimited(client, settings);
    opened = true;
    client.query(cursor);
    sent = true;
    const next = () => limits.answer(answerLimitMs, client.whileConnected(cursor.read(batchSize)));
    for (let rows = await next(); rows.length > 0; rows = await next()) yield rows;
  } catch (error) {
    throw limits.errorOf(error);
  } finally {
    await limits.end();
    // A cursor that is still open would keep the session busy.
    if (sent && client.lost === undefined) await closeCursor(cursor, client);
    if (opened && client.lost === undefined) await client.query("commit");
    checkout.statementLimitMs = statementLimitMs;
  }
}

/** Closes a cursor, or the connection if the server does not answer. */
export async function closeCursor(cursor: Pick<Cursor, "close">, client: ServerClient): Promise<void> {
  const timer = setTimeout(() => client.destroy(), 5_000);
  try {
    await client.whileConnected(cursor.close());
  } catch {
    client.destroy();
  } finally {
    clearTimeout(timer);
  }
}
