import { describe, expect, it } from "vitest";
import { RetryBudget } from "../../../../scripts/client/retry-budget.ts";

describe("a budget of repetitions", () => {
  it("allows a burst of two seconds' worth, and refuses what would wait beyond the deadline", async () => {
    const budget = new RetryBudget(10);
    const burst = await Promise.all(Array.from({ length: 20 }, () => budget.take(performance.now() + 60)));
    expect(burst).toEqual(Array.from({ length: 20 }, () => true));
    // The next token takes 100 ms.
    expect(await budget.take(performance.now() + 50)).toBe(false);
  });

  it("lets those who can wait have a token each, in turn", async () => {
    const budget = new RetryBudget(100);
    const began = performance.now();
    const taken = await Promise.all(Array.from({ length: 210 }, () => budget.take(began + 60_000)));
    expect(taken).not.toContain(false);
    // 200 at once, and the other ten take 10 ms each.
    expect(performance.now() - began).toBeGreaterThan(80);
  });

  it("of none refuses at once", async () => {
    expect(await new RetryBudget(0).take(performance.now() + 60_000)).toBe(false);
  });
});
