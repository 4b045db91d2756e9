import { poll } from "../../../scripts/core/poll.ts";
import { isMissing } from "../../../scripts/docker/docker-error.ts";
import type { Engine } from "./engine.ts";

/** Time for which an object may stay in use after its user is gone, in ms. */
const inUseTimeoutMs = 10_000;
const pollIntervalMs = 250;

export interface Removal {
  remove(): Promise<unknown>;
  /** Returns the error for an object that stays in use, from Docker's message. */
  refusal(said: string): Promise<Error>;
}

/** Removes an object that may still be in use for a moment. An object that is already gone is not an error. */
export async function untilRemoved(engine: Engine, inUse: RegExp, { remove, refusal }: Removal): Promise<void> {
  let said = "";
  const attempt = async () => {
    try {
      await remove();
      return true;
    } catch (error) {
      if (isMissing(error)) return true;
      said = saidBy(error);
      if (!inUse.test(said)) throw error;
      return undefined;
    }
  };
  await poll(attempt, {
    intervalMs: pollIntervalMs,
    timeoutMs: inUseTimeoutMs,
    signal: engine.signal,
    timedOut: () => refusal(said),
  });
}

/** Returns Docker's own message, without the client's prefix. */
export function saidBy(error: unknown): string {
  const { json, message } = (error ?? {}) as { json?: { message?: string } | null; message?: string };
  return (json?.message ?? message ?? String(error)).trim().replace(/\.$/, "");
}
