import { expect, it } from "vitest";
import { poll } from "../../../../scripts/core/poll.ts";

/** Returns an attempt that has a result at the given call. */
function resultAt(call: number) {
  const attempt = async () => (++attempt.calls === call ? "done" : undefined);
  attempt.calls = 0;
  return attempt;
}

it("poll repeats an attempt until it has a result", async () => {
  const attempt = resultAt(3);
  expect(await poll(attempt, { intervalMs: 1 })).toBe("done");
  expect(attempt.calls).toBe(3);
});

it("poll tries once if its time limit is already over, and throws the given error", async () => {
  const attempt = resultAt(2);
  const options = { intervalMs: 1, timeoutMs: -1, timedOut: async () => new Error("too late") };
  await expect(poll(attempt, options)).rejects.toThrow("too late");
  expect(attempt.calls).toBe(1);
});

it("poll ends a pause with the signal's own reason", async () => {
  const controller = new AbortController();
  const polling = poll(resultAt(2), { intervalMs: 60_000, signal: controller.signal });
  controller.abort(new Error("stopped by the user"));
  await expect(polling).rejects.toThrow("stopped by the user");
});

it("poll passes on the error of an attempt", async () => {
  const attempt = async () => {
    throw new Error("broken");
  };
  await expect(poll(attempt, { intervalMs: 1 })).rejects.toThrow("broken");
});
