import type { ServerClient } from "./server-client.ts";

/**
 * Sends several statements before the first answer. The first error is thrown, after all answers have arrived.
 *
 * @param send starts the statements, in order
 */
export async function pipelined<Result>(client: ServerClient, send: () => Promise<Result>[]): Promise<Result[]> {
  const switchable = client as unknown as { pipeline: boolean };
  switchable.pipeline = true;
  try {
    const results = await Promise.allSettled(send());
    // An error arrives before the session is ready, and the driver may still wait for the answer to a cancel request.
    await client.ready();
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  } finally {
    switchable.pipeline = false;
  }
}
