import { describe, expect, it } from "vitest";
import { parseLsn } from "../../../../../scripts/backup/wal.ts";
import { failedAfter } from "../../../../../scripts/backup/window/wal-reader.ts";

describe("a failure of pg_waldump", () => {
  const failure = (at: string) => `pg_waldump: error: error in WAL record at 0/A000090: ${at}\n`;
  const failsAfter = (to: string, error: string) => failedAfter(parseLsn(to), error);

  it("is after the range if the range ends in the header of the record at which it failed", () => {
    const [stale, empty] = [
      failure("record with incorrect prev-link 0/90000F8 at 0/B000028"),
      failure("invalid record length at 0/B000028: expected at least 24, got 0"),
    ];
    const found = [stale, empty].map((error) =>
      ["0/B000028", "0/B00003F", "0/B000040"].map((to) => failsAfter(to, error)),
    );
    expect(found).toEqual([
      [true, true, false],
      [true, true, false],
    ]);
  });

  it("is in the range if the range has the record at which it failed, or if pg_waldump failed at something else", () => {
    expect(failsAfter("0/B000028", failure("invalid resource manager ID 120 at 0/A0000F8"))).toBe(false);
    expect(failsAfter("0/B000028", 'pg_waldump: error: could not read file "00000001000000000000000B"\n')).toBe(false);
  });
});
