import { setTimeout as sleep } from "node:timers/promises";
import { isMissing } from "../../../scripts/docker/docker-error.ts";
import type { Engine } from "./engine.ts";

/** Time for which an object may stay in use after its user is gone, in ms. */
const removalTimeoutMs = 10_000;
const interval = 250;

export interface Removal {
  remove(): Promise<unknown>;
  /** Returns the error for an object that stays in use, from Docker's message. */
  refusal(said: string): Promise<Error>;
}

/** Removes an object that may still be in use for a moment. An object that is already gone is not an error. */
export async function untilRemoved(engine: Engine, inUse: RegExp, { remove, refusal }: Removal): Promise<void> {
  const deadline = Date.now() + removalTimeoutMs;
  for (;;) {
    try {
      await remove();
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const said = saidBy(error);
      if (!inUse.test(said)) throw error;
      if (Date.now() > deadline) throw await refusal(said);
    }
    await sleep(interval, undefined, { signal: engine.signal });
  }
}

/** Returns Docker's own message, without the client's prefix. */
export function saidBy(error: unknown): string {
  const { json, message } = (error ?? {}) as { json?: { message?: string } | null; message?: string };
  return (json?.message ?? message ?? String(error)).trim().replace(/\.$/, "");
}
