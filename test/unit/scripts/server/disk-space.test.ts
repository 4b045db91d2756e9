import { describe, expect, it } from "vitest";
import { describeSpace, diskSpaceAt, diskWarning } from "../../../../scripts/server/disk-space.ts";

const [mebi, gibi] = [2 ** 20, 2 ** 30];
const warning = (usedBytes: number, freeBytes: number) =>
  diskWarning("The disk of /data", { usedBytes, freeBytes }, "Free space on it.");

describe("the warning of a full disk", () => {
  it("has the used and free bytes and what to do", () => {
    expect(warning(99.9 * gibi, 0)).toBe(
      "The disk of /data is full: 99.9 GiB used, 0 bytes free. A server that cannot write its WAL stops. Free space on it. Delete nothing in the data directory.",
    );
  });

  it.each([
    ["full, with less than one WAL segment free", 300 * mebi, 15 * mebi, "is full"],
    ["nearly full", 96 * gibi, 4 * gibi, "is nearly full"],
    ["nearly full, if it is small", 970 * mebi, 30 * mebi, "is nearly full"],
    ["not worth a warning at 94 %", 94 * gibi, 6 * gibi, undefined],
    ["not worth a warning, if much is free on a large disk", 990 * gibi, 11 * gibi, undefined],
  ])("says that it is %s", (_what, used, free, expected) => {
    if (expected === undefined) expect(warning(used, free)).toBeUndefined();
    else expect(warning(used, free)).toContain(expected);
  });
});

describe("the space of a disk", () => {
  it("is what the file system of a path has", async () => {
    const { usedBytes, freeBytes } = (await diskSpaceAt(import.meta.dirname)) ?? { usedBytes: -1, freeBytes: -1 };
    expect(usedBytes).toBeGreaterThan(0);
    expect(freeBytes).toBeGreaterThan(0);
  });

  it("is unknown if the path does not exist", async () => {
    expect(await diskSpaceAt("/no/such/path")).toBeUndefined();
  });

  it.each([
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1.0 KiB"],
    [1.5 * mebi, "1.5 MiB"],
    [2_048 * gibi, "2.0 TiB"],
    [4_096 * 1_024 * gibi, "4096.0 TiB"],
  ])("of %d bytes is written as %s", (bytes, text) => {
    expect(describeSpace({ usedBytes: bytes, freeBytes: 0 })).toBe(`${text} used, 0 bytes free`);
  });
});
