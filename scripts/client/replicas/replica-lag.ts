import { outsideRequests } from "../request-session.ts";
import type { ServerClient } from "../server-client.ts";
import { parseLsn, replayedPosition } from "./wal-position.ts";

/** A position of the primary. Everything that was committed before the time is before the position. */
interface Sample {
  at: number;
  lsn: bigint;
}

/** Interval of the samples, in ms, while standbys are used. */
const sampleIntervalMs = 250;
/** Samples end this long after the last use of a standby. */
const idleAfterMs = 60_000;
/** Samples that are kept: those of ten minutes. */
const maxSamples = 2_400;

/**
 * Knows how old the data of a standby is at most, by positions of the primary that the standby has replayed. No clock
 * of a server counts, and a standby that lost its primary does not look new.
 */
export class ReplicaLag {
  readonly #ask: () => Promise<string>;
  readonly #samples: Sample[] = [];
  readonly #replayed = new WeakMap<ServerClient, bigint>();
  #timer: NodeJS.Timeout | undefined;
  #usedAt = 0;

  /** @param ask asks the primary for its position */
  constructor(ask: () => Promise<string>) {
    this.#ask = ask;
  }

  /** Takes samples from now on, as long as standbys are used. */
  use(): void {
    this.#usedAt = performance.now();
    this.#timer ??= outsideRequests(() => setTimeout(() => void this.#sample(), 0).unref());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#usedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Returns the time up to which every commit is visible on a client's standby, on the clock of `performance.now()`.
   * Minus infinity if it is not known.
   */
  freshUntil(client: ServerClient): number {
    const replayed = this.#replayed.get(client);
    if (replayed === undefined) return Number.NEGATIVE_INFINITY;
    return this.#samples.findLast(({ lsn }) => lsn <= replayed)?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns true if a client's standby is known to have replayed this position. */
  hasReplayed(client: ServerClient, lsn: bigint): boolean {
    return (this.#replayed.get(client) ?? -1n) >= lsn;
  }

  /** Asks a client's standby for the position that it has replayed. Returns false if it is no standby. */
  async askStandby(client: ServerClient): Promise<boolean> {
    const { rows } = await client.query<{ lsn: string | null }>(replayedPosition);
    const lsn = rows[0]?.lsn;
    if (!lsn) return false;
    this.#replayed.set(client, parseLsn(lsn));
    return true;
  }

  async #sample(): Promise<void> {
    const at = performance.now();
    try {
      const lsn = parseLsn(await this.#ask());
      // After a failover to a standby that had less, the positions of the lost part say nothing.
      if ((this.#samples.at(-1)?.lsn ?? -1n) > lsn) this.#samples.length = 0;
      this.#samples.push({ at, lsn });
      if (this.#samples.length > maxSamples) this.#samples.shift();
    } catch {
      // Without the primary nothing is known, and reads go to the primary, whose error the caller gets.
    }
    const used = performance.now() - this.#usedAt < idleAfterMs;
    this.#timer = used ? setTimeout(() => void this.#sample(), sampleIntervalMs).unref() : undefined;
  }
}
