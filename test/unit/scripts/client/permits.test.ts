import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadlineError } from "../../../../scripts/client/deadline.ts";
import { Permits } from "../../../../scripts/client/permits.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Permits that are all taken, and the results of waits in the order in which they ended. */
function takenPermits() {
  const permits = new Permits<string>(1);
  expect(permits.tryTake()).toBe(true);
  const ended: string[] = [];
  const wait = (name: string, ms: number, signal?: AbortSignal) =>
    permits.take({ at: performance.now() + ms, signal }).then(
      (handed) => ended.push(`${name}: ${handed}`),
      (error) => ended.push(`${name}: ${error instanceof DeadlineError ? "too late" : error}`),
    );
  return { permits, ended, wait };
}

describe("permits", () => {
  it("go to the longest wait, before any later request", async () => {
    const { permits, ended, wait } = takenPermits();
    const waits = [wait("first", 1_000), wait("second", 1_000)];
    expect([permits.taken, permits.waiting]).toEqual([1, 2]);
    permits.give("one");
    expect(permits.tryTake()).toBe(false);
    permits.give("two");
    await Promise.all(waits);
    expect(ended).toEqual(["first: one", "second: two"]);
    permits.give();
    expect([permits.taken, permits.tryTake(), permits.tryTake()]).toEqual([0, true, false]);
  });

  it("are waited for until each wait's own deadline, also after the queue was empty", async () => {
    const { permits, ended, wait } = takenPermits();
    void wait("long", 1_000);
    void wait("short", 200);
    void wait("last", 1_000);
    await vi.advanceTimersByTimeAsync(199);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(["short: too late"]);
    permits.give("one");
    await vi.advanceTimersByTimeAsync(800);
    expect(ended.splice(0)).toEqual(["short: too late", "long: one", "last: too late"]);
    void wait("later", 2_000);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect([ended, permits.waiting]).toEqual([["later: too late"], 0]);
  });

  it("are not given to a wait that its signal ended, and all waits end when the pool is closed", async () => {
    const { permits, ended, wait } = takenPermits();
    const leaving = new AbortController();
    const waits = [wait("left", 1_000, leaving.signal), wait("next", 1_000), wait("closed", 1_000)];
    leaving.abort("aborted");
    permits.give("one");
    permits.refuseAll("the pool is closed");
    await Promise.all(waits);
    expect(ended).toEqual(["left: aborted", "next: one", "closed: the pool is closed"]);
    expect([permits.taken, permits.waiting]).toEqual([1, 0]);
  });
});
