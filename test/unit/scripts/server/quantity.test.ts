import { describe, expect, it } from "vitest";
import { formatQuantity, parseQuantity, unitsOf } from "../../../../scripts/server/quantity.ts";

describe("a number in postgresql.conf", () => {
  it.each<[string, string, boolean, number | undefined]>([
    ["7MB", "kB", true, 7168],
    [" 7 MB ", "kB", true, 7168],
    ["4096", "kB", true, 4096],
    ["16MB", "8kB", true, 2048],
    ["100", "8kB", true, 100],
    ["1.5GB", "kB", true, 1_572_864],
    ["0.1GB", "kB", true, 104_448],
    ["1min", "ms", true, 60_000],
    ["1.5s", "ms", true, 1_500],
    ["250us", "ms", false, 0.25],
    ["2.5", "", true, 2],
    ["3.5", "", true, 4],
    ["-1", "kB", true, -1],
    ["0x10", "", true, 16],
    ["0600", "", true, 384],
    ["0600", "", false, 600],
    ["1e3", "", true, 1_000],
    [".9", "", false, 0.9],
    ["lots", "kB", true, undefined],
    ["8XB", "kB", true, undefined],
    ["8mb", "kB", true, undefined],
    ["8MB", "ms", true, undefined],
    ["8MB", "", true, undefined],
    ["", "kB", true, undefined],
    ["2 weeks", "ms", true, undefined],
  ])("%j of a setting in %j is read as by PostgreSQL", (text, unit, whole, value) => {
    expect(parseQuantity(text, unit, whole)).toBe(value);
  });

  it.each<[number, string, string]>([
    [4096, "kB", "4MB"],
    [4097, "kB", "4097kB"],
    [2048, "8kB", "16MB"],
    [60_000, "ms", "1min"],
    [1_500, "ms", "1500ms"],
    [0, "kB", "0"],
    [-1, "kB", "-1"],
    [100, "", "100"],
  ])("%d of a setting in %j is written as by SHOW", (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it("can have the units of its setting's kind, and no others", () => {
    expect(unitsOf("8kB")).toEqual(["B", "kB", "MB", "GB", "TB"]);
    expect(unitsOf("ms")).toEqual(["us", "ms", "s", "min", "h", "d"]);
    expect(unitsOf("")).toEqual([]);
  });
});
