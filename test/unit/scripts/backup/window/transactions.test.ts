import { describe, expect, it } from "vitest";
import { formatTime } from "../../../../../scripts/backup/window/microseconds.ts";
import { parseRange, parseTransaction } from "../../../../../scripts/backup/window/transactions.ts";

const line = (xid: number, end: string) =>
  `rmgr: Transaction len (rec/tot):     34/    34, tx:        ${xid}, lsn: 0/040DA8B8, prev 0/040DA878, desc: ${end}`;

describe("a record of pg_waldump", () => {
  it("says which transaction ended, when and where", () => {
    const commit = parseTransaction(line(776, "COMMIT 2026-11-29 05:17:57.841335 UTC; inval msgs: catcache 55"));
    expect(commit).toEqual({ xid: 776, committed: true, at: 1_795_929_477_841_335n, lsn: 0x40da8b8n });
    expect(formatTime(commit.at)).toBe("2026-11-29T05:17:57.841335Z");
    expect(parseTransaction(line(9, "ABORT 2026-11-29 05:17:57.841335 UTC")).committed).toBe(false);
  });

  it("has the number of a prepared transaction, not that of the session that ended it", () => {
    const prepared = parseTransaction(line(0, "COMMIT_PREPARED 812: 2026-11-29 05:17:57.841335 UTC"));
    expect([prepared.xid, prepared.committed]).toEqual([812, true]);
  });

  it("is an error if it has another format, not a range without commits", () => {
    expect(() => parseTransaction(line(1, "COMMIT yesterday"))).toThrow("unexpected record");
    expect(() => parseRange(`unreadable ${line(1, "COMMIT yesterday")}`)).toThrow("unexpected record");
    expect(parseRange("")).toEqual({ firstCommit: undefined, lastCommit: undefined, latest: undefined });
  });
});
