import type { QueryResultRow } from "pg";
import Cursor from "pg-cursor";
import { captureCallSite } from "./call-site.ts";
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
      yield* readRows(core, checkout.client, limits, {
        cursor: new Cursor<Row>(text, [...values], { types: exactTypes }),
        batchSize,
        answerLimitMs: options.timeoutMs === undefined ? core.settings.queryTimeoutMs : 0,
      });
    } catch (error) {
      throw limits.errorOf(error);
    } finally {
      await limits.end();
      core.giveBack(checkout);
    }
  } finally {
    await limits.end();
  }
}

async function* readRows<Row extends QueryResultRow>(
  { settings }: PoolCore,
  client: ServerClient,
  limits: WorkLimits,
  { cursor, batchSize, answerLimitMs }: { cursor: Cursor<Row>; batchSize: number; answerLimitMs: number },
): AsyncIterableIterator<Row> {
  limits.watch(client);
  let opened = false;
  let sent = false;
  try {
    await applyContext(client, settings);
    await openUnlimited(client, settings);
    opened = true;
    client.query(cursor);
    sent = true;
    const next = () => limits.answer(answerLimitMs, client.whileConnected(cursor.read(batchSize)));
    for (let rows = await next(); rows.length > 0; rows = await next()) yield* rows;
  } finally {
    await limits.end();
    // A cursor that is still open would keep the session busy.
    if (sent && client.lost === undefined) await closeCursor(cursor, client);
    if (opened && client.lost === undefined) await client.query("commit");
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
