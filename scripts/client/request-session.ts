import { AsyncLocalStorage } from "node:async_hooks";

/** Writes of one request through one pool. */
export interface RequestWrites {
  /** Writes that have begun and not ended. */
  running: number;
  /** End of the last write, on the clock of `performance.now()`. */
  endedAt: number;
}

/** Writes of one request, by the pool. The record lives as long as its `withRequestContext()`. */
type RequestSession = WeakMap<object, RequestWrites>;

const sessions = new AsyncLocalStorage<RequestSession>();

/** Runs a function outside of every request: work for the whole pool belongs to none of those that need it. */
export const outsideRequests: <T>(run: () => T) => T = AsyncLocalStorage.snapshot();

/** Runs a function as one session, or as a part of the current one. */
export function inRequestSession<T>(run: () => T): T {
  return sessions.getStore() === undefined ? sessions.run(new WeakMap(), run) : run();
}

/** Returns the writes of the current request through a pool, or undefined outside of a request. */
export function requestWrites(pool: object): RequestWrites | undefined {
  return sessions.getStore()?.get(pool);
}

/** Records that a write begins. Returns undefined outside of a request. */
export function beginWrite(pool: object): RequestWrites | undefined {
  const session = sessions.getStore();
  if (session === undefined) return undefined;
  let writes = session.get(pool);
  if (writes === undefined) {
    writes = { running: 0, endedAt: Number.NEGATIVE_INFINITY };
    session.set(pool, writes);
  }
  writes.running += 1;
  return writes;
}

/**
 * Records that a use of a client ended.
 *
 * @param changed false if it was marked as one that changes nothing
 */
export function endWrite(writes: RequestWrites, changed: boolean): void {
  writes.running -= 1;
  if (changed) writes.endedAt = performance.now();
}
