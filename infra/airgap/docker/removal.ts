import { setTimeout as sleep } from "node:timers/promises";
import { isMissing } from "../../../scripts/docker/docker-error.ts";
import type { Engine } from "./engine.ts";

/** How long something may stay in use after what used it went away, in ms. */
const patience = 10_000;
const interval = 250;

export interface Removal {
  remove(): Promise<unknown>;
  /** The error for something that stays in use, from what Docker said. */
  refusal(said: string): Promise<Error>;
}

/** Removes something that may be in use for a moment still. What is gone already is no fault. */
export async function untilRemoved(engine: Engine, inUse: RegExp, { remove, refusal }: Removal): Promise<void> {
  const deadline = Date.now() + patience;
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

/** Docker's own words, without the client's. */
export function saidBy(error: unknown): string {
  const { json, message } = (error ?? {}) as { json?: { message?: string } | null; message?: string };
  return (json?.message ?? message ?? String(error)).trim().replace(/\.$/, "");
}
