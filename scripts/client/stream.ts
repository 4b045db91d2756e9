import type { QueryResultRow } from "pg";
import Cursor from "pg-cursor";
import { captureCallSite } from "./call-site.ts";
import type { PoolCore } from "./pool-core.ts";
import { openIfPooled } from "./pooled-statements.ts";
import type { ServerClient } from "./server-client.ts";
import { applyContext } from "./statements.ts";
import { exactTypes } from "./types-as-text.ts";

/** Options of a stream of rows. */
export interface StreamOptions {
  /** Rows in one batch. Default: 100. */
  batchSize?: number;
  signal?: AbortSignal;
}

/** Reads a query's rows through a cursor. The client is returned when the loop ends, for any reason. */
export async function* streamRows<Row extends QueryResultRow>(
  core: PoolCore,
  text: string,
  values: readonly unknown[] = [],
  { batchSize = 100, signal }: StreamOptions = {},
): AsyncIterableIterator<Row> {
  const checkout = await core.acquire("client", signal, captureCallSite());
  const { client } = checkout;
  const stop = () => client.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
  signal?.addEventListener("abort", stop, { once: true });
  let cursor: Cursor<Row> | undefined;
  let opened = false;
  try {
    await applyContext(client, core.settings);
    opened = await openIfPooled(client, core.settings);
    cursor = client.query(new Cursor<Row>(text, [...values], { types: exactTypes }));
    const open = cursor;
    const next = () => client.whileConnected(open.read(batchSize));
    for (let rows = await next(); rows.length > 0; rows = await next()) yield* rows;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    try {
      // A cursor that is still open would keep the session busy.
      if (cursor !== undefined && client.lost === undefined) await closeCursor(cursor, client);
      if (opened && client.lost === undefined) await client.query("commit");
    } finally {
      core.giveBack(checkout);
    }
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
