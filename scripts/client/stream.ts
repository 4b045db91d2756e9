import type { QueryResultRow } from "pg";
import Cursor from "pg-cursor";
import { captureCallSite } from "./call-site.ts";
import type { PoolCore } from "./pool-core.ts";
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
  try {
    await applyContext(client);
    cursor = client.query(new Cursor<Row>(text, [...values], { types: exactTypes }));
    for (let rows = await cursor.read(batchSize); rows.length > 0; rows = await cursor.read(batchSize)) yield* rows;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    // A cursor that is still open would keep the session busy.
    if (client.lost === undefined) await closed(cursor, client);
    core.giveBack(checkout);
  }
}

async function closed(cursor: Cursor | undefined, client: { destroy(): void }): Promise<void> {
  const timer = setTimeout(() => client.destroy(), 5_000);
  try {
    await cursor?.close();
  } catch {
    client.destroy();
  } finally {
    clearTimeout(timer);
  }
}
