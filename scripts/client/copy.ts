import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from, to } from "pg-copy-streams";
import { captureCallSite } from "./call-site.ts";
import { closeBusy } from "./cancel.ts";
import { commit } from "./commit.ts";
import { requireCopy } from "./copy-text.ts";
import { OutcomeUnknownError } from "./errors.ts";
import type { PoolCore } from "./pool-core.ts";
import { openUnlimited } from "./pooled-statements.ts";
import type { ServerClient } from "./server-client.ts";
import { applyContext } from "./statements.ts";
import { WorkLimits, type WorkOptions } from "./work-limits.ts";

/** Options of a COPY. */
export interface CopyOptions extends WorkOptions {}

/** Sends a stream to `COPY … FROM STDIN`. If the stream fails, the server gets nothing of it. */
export async function copyIn(
  core: PoolCore,
  text: string,
  source: AsyncIterable<Uint8Array | string>,
  options: CopyOptions = {},
): Promise<number> {
  requireCopy(text, "copyFrom");
  return withCopy(core, options, async (client) => {
    const copy = client.query(from(text));
    try {
      await Promise.race([pipeline(Readable.from(source, { objectMode: false }), copy), errorOf(copy)]);
    } catch (error) {
      // A source that waits for data would wait on.
      if (source instanceof Readable) source.destroy();
      throw error;
    }
    return copy.rowCount;
  });
}

/** Writes the rows of `COPY … TO STDOUT` to a stream, at the stream's speed. */
export async function copyOut(
  core: PoolCore,
  text: string,
  target: NodeJS.WritableStream,
  options: CopyOptions = {},
): Promise<number> {
  requireCopy(text, "copyTo");
  return withCopy(core, options, async (client) => {
    const copy = client.query(to(text));
    await Promise.race([pipeline(copy, target), errorOf(copy)]);
    return (copy as unknown as { rowCount: number }).rowCount;
  });
}

/** Waits for the first error of a stream. A pipeline reports it only when its other streams are closed, too. */
function errorOf(stream: NodeJS.EventEmitter): Promise<never> {
  return new Promise((_, reject) => stream.on("error", reject));
}

/** Runs a COPY in a transaction of its own, so that nothing of it remains unless the COMMIT was sent. */
async function withCopy(
  core: PoolCore,
  options: CopyOptions,
  run: (client: ServerClient) => Promise<number>,
): Promise<number> {
  const site = captureCallSite();
  const limits = new WorkLimits("The COPY", options);
  try {
    const checkout = await core.acquire("client", limits.signal, site);
    const { client } = checkout;
    try {
      limits.watch(client);
      await applyContext(checkout, core.settings);
      await openUnlimited(client, core.settings);
      const rows = await client.whileConnected(run(client));
      await commit(core, checkout, false);
      return rows;
    } catch (error) {
      // The state of the protocol is unknown after an interrupted COPY, and a new connection is certain.
      await closeBusy(client, error instanceof Error ? error : undefined);
      throw error instanceof OutcomeUnknownError ? error : limits.errorOf(error);
    } finally {
      await limits.end();
      core.giveBack(checkout);
    }
  } finally {
    await limits.end();
  }
}
