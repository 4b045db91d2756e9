import { describe, expect, it } from "vitest";
import { goDuration, isSameDuration, nanoseconds } from "../../../../../infra/fallback-providers/docker/duration.ts";

describe("a duration", () => {
  it.each([
    ["0s", 0],
    ["500ms", 5e8],
    ["1.5s", 15e8],
    ["30s", 30e9],
    ["1m0s", 60e9],
    ["1m30s", 90e9],
    ["1h0m0s", 3_600e9],
  ])("%s is %d ns, and is written in this form", (text, nanos) => {
    expect(nanoseconds(text)).toBe(nanos);
    expect(goDuration(nanos)).toBe(text);
  });

  it("is accepted in other notations", () => {
    expect(nanoseconds("0")).toBe(0);
    expect(isSameDuration("60s", "1m0s")).toBe(true);
    expect(isSameDuration("60s", "61s")).toBe(false);
  });

  it.each(["", "30", "30 s", "-1s", "1d", "s"])("cannot be %o", (text) => {
    expect(nanoseconds(text)).toBeUndefined();
    expect(isSameDuration(text, text)).toBe(false);
  });
});
