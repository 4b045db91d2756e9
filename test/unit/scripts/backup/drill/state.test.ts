import { describe, expect, it } from "vitest";
import type { Drill } from "../../../../../scripts/backup/drill/drill.ts";
import { type DrillRecord, type DrillRun, summarizeDrill, withRun } from "../../../../../scripts/backup/drill/run.ts";
import { isDrillDue, judgeDrills } from "../../../../../scripts/backup/drill/state.ts";

const run = (startedAt: string, outcome: DrillRun["outcome"] = "passed", reasons: string[] = []): DrillRun => ({
  ...{ startedAt, outcome, reasons, seconds: 9, rtoSeconds: 5, rpoSeconds: 60, missed: [], evidence: null },
});
const recorded = (...runs: DrillRun[]): DrillRecord | undefined =>
  runs.reduce<DrillRecord | undefined>((record, each) => withRun(record, each), undefined);
const plan = { maxAgeSeconds: 40 * 86_400, schedule: "0 3 1 * *" };
const now = new Date("2026-03-10T12:00:00Z");
const march = "2026-03-01T03:00:01.000Z";

describe("the record of drills", () => {
  it("keeps the last passed and the last conclusive run in the order of recording, whatever the clock said", () => {
    const [first, second] = [run("2026-03-05T00:00:00.000Z"), run(march, "failed", ["a gap"])];
    const third = run("2026-03-02T00:00:00.000Z", "could not run", ["disk full"]);
    expect(recorded(first, second, third)).toEqual({ last: third, lastConclusive: second, lastPassed: first });
    expect(recorded(third)).toEqual({ last: third, lastConclusive: null, lastPassed: null });
    expect(recorded(second, first)).toEqual({ last: first, lastConclusive: first, lastPassed: first });
  });

  it("names the missed objectives, and at most 20 reasons", () => {
    const objective = { allowedSeconds: 1, measuredSeconds: 2 };
    const drill = {
      ...{ startedAt: march, seconds: 9, outcome: "failed", rtoSeconds: 2, rpoSeconds: 2, databases: [] },
      reasons: Array.from({ length: 30 }, (_, index) => `reason ${index}`),
      objectives: [
        { ...objective, name: "RTO", missed: true },
        { ...objective, name: "RPO", missed: false },
      ],
    } as unknown as Drill;
    const summary = summarizeDrill(drill, { number: 3, hash: "ab" });
    expect(summary).toMatchObject({ missed: ["RTO"], evidence: { number: 3, hash: "ab" }, rtoSeconds: 2 });
    expect(summary.reasons).toHaveLength(20);
    expect(summary).not.toHaveProperty("databases");
  });
});

describe("the state of drills", () => {
  const state = (record: DrillRecord | undefined, at = now) => judgeDrills({ record }, plan, at);

  it("is current until the last passed drill is older than allowed", () => {
    expect(state(recorded(run(march)))).toEqual({
      state: "current",
      text: `The last restore drill that passed started at ${march}, 9 days ago.`,
    });
    const limit = Date.parse(march) + plan.maxAgeSeconds * 1_000;
    expect(state(recorded(run(march)), new Date(limit)).state).toBe("current");
    expect(state(recorded(run(march)), new Date(limit + 1_000))).toEqual({
      state: "overdue",
      text: `The last restore drill that passed started at ${march}, 40 days ago; at most 40 days are allowed.`,
    });
  });

  it("is failed after a failed drill, until one passes", () => {
    const failed = run(march, "failed", ["a gap."]);
    expect(state(recorded(run("2026-02-01T03:00:00Z"), failed))).toEqual({
      state: "failed",
      text: `The last restore drill, started at ${march}, has failed: a gap.`,
    });
    expect(state(recorded(failed, run("2026-03-02T03:00:00Z"))).state).toBe("current");
  });

  it("does not change if a drill could not run, which is said", () => {
    const blocked = run("2026-03-09T03:00:00Z", "could not run", ["No space left on device."]);
    const said = "The last one, started at 2026-03-09T03:00:00Z, could not run: No space left on device.";
    const old = run("2026-01-01T03:00:00Z");
    expect(state(recorded(old, blocked))).toEqual({ state: "overdue", text: expect.stringContaining(said) });
    expect(state(recorded(run(march), blocked))).toEqual({ state: "current", text: expect.stringContaining(said) });
    expect(state(recorded(run(march, "failed"), blocked)).state).toBe("failed");
    expect(state(recorded(blocked))).toEqual({
      state: "none",
      text: `No restore drill has given a result yet. ${said}`,
    });
  });

  it("tells no drill, an unreadable record and a clock that was set back apart", () => {
    expect(state(undefined)).toEqual({ state: "none", text: "No restore drill has been made." });
    expect(judgeDrills({ unreadable: "The container x does not exist." }, plan, now)).toEqual({
      state: "unknown",
      text: "The state of restore drills is not known: The container x does not exist.",
    });
    const before = new Date("2026-02-27T03:00:00Z");
    expect(state(recorded(run(march)), before)).toEqual({
      state: "clock",
      text: `The last restore drill that passed started at ${march}, which is in the future (by 2 days), so its age is not known.`,
    });
    // Two machines' clocks differ a little.
    expect(state(recorded(run(march)), new Date("2026-03-01T02:59:00Z")).state).toBe("current");
  });
});

describe("a drill", () => {
  const due = (record: DrillRecord | undefined, at = now) => isDrillDue(record, plan, at);

  it("is due at the first moment of the schedule after the last one that gave a result", () => {
    const record = recorded(run(march));
    expect(due(record)).toEqual({ due: false, next: "2026-04-01T03:00:00.000Z" });
    expect(due(record, new Date("2026-04-01T02:59:59Z")).due).toBe(false);
    expect(due(record, new Date("2026-04-01T03:00:00Z")).due).toBe(true);
    expect(due(recorded(run(march, "failed"))).due).toBe(false);
  });

  it("is due if none has given a result, or if its time is in the future", () => {
    expect(due(undefined)).toEqual({ due: true });
    expect(due(recorded(run(march, "could not run")))).toEqual({ due: true });
    expect(due(recorded(run("2026-02-01T03:00:01Z"), run(march, "could not run")))).toEqual({ due: true });
    expect(due(recorded(run(march)), new Date("2026-02-20T00:00:00Z"))).toEqual({ due: true });
  });
});
