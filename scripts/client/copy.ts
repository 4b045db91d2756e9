import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from, to } from "pg-copy-streams";
import { captureCallSite } from "./call-site.ts";
import type { PoolCore } from "./pool-core.ts";
import { openIfPooled } from "./pooled-statements.ts";
import { applyContext } from "./statements.ts";

/** Options of a COPY. */
export interface CopyOptions {
  signal?: AbortSignal;
}

/** Sends a stream to `COPY … FROM STDIN`. If the stream fails, the server gets nothing of it. */
export async function copyIn(
  core: PoolCore,
  text: string,
  source: AsyncIterable<Uint8Array | string>,
  { signal }: CopyOptions = {},
): Promise<number> {
  return withCopy(core, signal, async (client, abort) => {
    const copy = client.query(from(text));
    await pipeline(Readable.from(source, { objectMode: false }), copy, abort);
    return copy.rowCount;
  });
}

/** Writes the rows of `COPY … TO STDOUT` to a stream, at the stream's speed. */
export async function copyOut(
  core: PoolCore,
  text: string,
  target: NodeJS.WritableStream,
  { signal }: CopyOptions = {},
): Promise<number> {
  return withCopy(core, signal, async (client, abort) => {
    const copy = client.query(to(text));
    await pipeline(copy, target, abort);
    return (copy as unknown as { rowCount: number }).rowCount;
  });
}

async function withCopy(
  core: PoolCore,
  signal: AbortSignal | undefined,
  run: (client: Awaited<ReturnType<PoolCore["acquire"]>>["client"], abort: { signal?: AbortSignal }) => Promise<number>,
): Promise<number> {
  const checkout = await core.acquire("client", signal, captureCallSite());
  const { client } = checkout;
  try {
    await applyContext(client, core.settings);
    const opened = await openIfPooled(client, core.settings);
    const rows = await run(client, signal === undefined ? {} : { signal });
    // The stream ends with the last row, and the session is ready a moment later.
    await client.query(opened ? "commit" : "");
    return rows;
  } catch (error) {
    // The state of the protocol is unknown after an interrupted COPY, and a new connection is certain.
    client.destroy(error instanceof Error ? error : undefined);
    throw error;
  } finally {
    core.giveBack(checkout);
  }
}
