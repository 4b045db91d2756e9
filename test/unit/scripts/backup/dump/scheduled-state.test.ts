import { describe, expect, it } from "vitest";
import { judgeScheduledDumps, type ScheduledDumpStatus } from "../../../../../scripts/backup/dump/scheduled-state.ts";

const now = new Date("2026-11-30T12:00:00.000Z");
const plan = { schedule: "0 6 * * *" };

function statusOf(
  shop: Partial<ScheduledDumpStatus["databases"][string]>,
  damaged: ScheduledDumpStatus["damaged"] = [],
) {
  const sound = {
    newest: { id: "prod-shop-1", finishedAt: "2026-11-30T06:00:10.000Z" },
    lastRun: { startedAt: "2026-11-30T06:00:00.000Z", error: null },
  };
  return { databases: { shop: { ...sound, ...shop } }, damaged };
}

function findings(status: ScheduledDumpStatus | undefined): string[] {
  return judgeScheduledDumps(status, plan, now).map(({ level, text }) => `${level}: ${text}`);
}

describe("the state of scheduled dumps", () => {
  it("has no finding until the newest dump is older than two intervals", () => {
    expect(findings(statusOf({}))).toEqual([]);
    const newest = (finishedAt: string) => statusOf({ newest: { id: "d", finishedAt } });
    expect(findings(newest("2026-11-28T12:00:01.000Z"))).toEqual([]);
    expect(findings(newest("2026-11-28T11:59:59.000Z"))).toEqual([
      "wrong: The newest intact scheduled dump of shop, d, was made 2 days ago; at most 2 days are expected.",
    ]);
  });

  it("is not known before the first run, and if the time of a dump is in the future", () => {
    expect(findings(undefined)).toEqual(["unknown: No scheduled dump has been made yet."]);
    expect(findings(statusOf({ newest: { id: "d", finishedAt: "2026-12-30T06:00:00.000Z" } }))).toEqual([
      expect.stringMatching(/^wrong: .*is in the future, so its age is not known/),
    ]);
  });

  it("has the error of the last run, although an earlier dump is intact", () => {
    const lastRun = { startedAt: "2026-11-30T06:00:00.000Z", error: "disk full" };
    const failed = "wrong: The last scheduled dump of shop, started at 2026-11-30T06:00:00.000Z, failed: disk full.";
    expect(findings(statusOf({ lastRun }))).toEqual([failed]);
    expect(findings(statusOf({ lastRun, newest: null }))).toEqual([failed]);
    expect(findings(statusOf({ newest: null }))).toEqual(["wrong: There is no intact scheduled dump of shop."]);
  });

  it("is judged for dumps without rows by their own schedule, and not instead of the full ones", () => {
    const newest = { id: "prod-shop-1-schema", finishedAt: "2026-11-20T06:00:10.000Z" };
    const schemaOnly = { newest, lastRun: { startedAt: "2026-11-20T06:00:00.000Z", error: "disk full" } };
    const judged = (schedule: string) =>
      judgeScheduledDumps(statusOf({ schemaOnly }), { ...plan, schemaOnly: { schedule, retentionDays: 30 } }, now).map(
        ({ text }) => text,
      );
    const failed = expect.stringContaining("dump of shop (schema only), started at 2026-11-20T06:00:00.000Z, failed");
    expect(judged("0 6 * * 0")).toEqual([failed]);
    expect(judged("0 6 * * *")).toEqual([failed, expect.stringContaining("prod-shop-1-schema, was made 10 days ago")]);
    const full = statusOf({ newest: null, lastRun: null, schemaOnly: { newest: null, lastRun: null } });
    expect(findings(full)).toEqual(["wrong: There is no intact scheduled dump of shop."]);
    expect(findings(statusOf({ schemaOnly }))).toEqual([]);
  });

  it("names damaged dumps", () => {
    expect(findings(statusOf({}, [{ id: "d", reasons: ["dump.pgdump is missing"] }]))).toEqual([
      "wrong: The scheduled dump d is damaged: dump.pgdump is missing.",
    ]);
  });
});
