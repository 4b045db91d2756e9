import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../../../scripts/model/duration.ts";

describe("a duration", () => {
  it.each([
    ["90s", 90],
    ["30m", 1_800],
    ["24h", 86_400],
    ["45d", 3_888_000],
  ])("reads %s as %i seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(["", "0h", "1", "h", "1.5h", "1 h", "-1h", "1w", "9999999999s"])("refuses %j", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it.each([
    [59, "59s"],
    [60, "1m"],
    [90, "90s"],
    [5_400, "90m"],
    [86_400, "1d"],
    [90_000, "25h"],
  ])("formats %i seconds as %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(seconds);
  });
});
