import { describe, expect, it } from "vitest";
import { type BackupFacts, findInBackups, newestOfEachType } from "../../../../scripts/backup/findings.ts";
import type { Backup, BackupType } from "../../../../scripts/backup/info.ts";

const now = new Date("2026-11-21T12:00:00Z");
const hour = 3_600;

function backup(type: BackupType, hoursAgo: number, changed: Partial<Backup> = {}): Backup {
  const done = new Date(now.getTime() - hoursAgo * hour * 1_000).toISOString();
  const wal = { from: "0", to: "0" };
  const sizes = { size: 1, repositoryDelta: 1 };
  return {
    label: `${type}-${hoursAgo}`,
    type,
    startedAt: done,
    finishedAt: done,
    wal,
    lsn: { from: "0/0", to: "0/0" },
    archiveId: "17-1",
    references: [],
    damaged: false,
    origin: { image: null, postgres: null, commit: null, isModified: false, user: null },
    ...sizes,
    ...changed,
  };
}

/** Returns the texts of the findings with their levels. */
function find(facts: Partial<BackupFacts>): string[] {
  const usual: BackupFacts = {
    backups: [],
    underWay: false,
    gaps: { any: 6 * hour, full: 24 * hour },
    lastRuns: [],
    now,
  };
  return findInBackups({ ...usual, ...facts }).map(({ level, text }) => `${level}: ${text}`);
}

describe("the findings about backups", () => {
  it("are none if the newest backup is younger than twice its interval", () => {
    expect(find({ backups: [backup("full", 47), backup("incr", 11.9)] })).toEqual([]);
  });

  it("report backups older than twice their interval, full ones by their own schedule", () => {
    expect(find({ backups: [backup("full", 49), backup("incr", 12.1)] })).toEqual([
      "wrong: The last backup, incr-12.1, is 12 h old, but one is due every 6 h.",
      "wrong: The last full backup, full-49, is 2 days old, but one is due every 24 h.",
    ]);
  });

  it("report missing backups, unless the first one is running", () => {
    expect(find({})).toEqual(["wrong: There is no backup, so nothing can be restored."]);
    expect(find({ underWay: true })).toEqual([]);
  });

  it("report an unknown age if the intervals are unknown", () => {
    expect(find({ backups: [backup("full", 1)], gaps: undefined })).toEqual([
      "unknown: The interval between backups is not known (backup).",
      "unknown: The interval between backups is not known (full backup).",
    ]);
  });

  it("report a backup with damaged pages", () => {
    expect(find({ backups: [backup("full", 1, { damaged: true })] })).toEqual([
      "wrong: The backup full-1 has pages with a wrong checksum: the cluster was damaged when it was copied.",
    ]);
  });

  const started = now.getTime() / 1_000 - 600;
  const failed = { type: "incr" as const, started, finished: started + 5, exitCode: 82 };

  it("report a failed or killed run until a backup succeeds", () => {
    expect(find({ backups: [backup("full", 1)], lastRuns: [failed] })).toEqual([
      "wrong: The last backup of type incr, started at 2026-11-21T11:50:00.000Z, ended with 82.",
    ]);
    const killed = { ...failed, finished: null, exitCode: null };
    expect(find({ backups: [backup("full", 1)], lastRuns: [killed] })).toEqual([
      "wrong: The last backup of type incr, started at 2026-11-21T11:50:00.000Z, was killed before it was complete.",
    ]);
    expect(find({ backups: [backup("full", 1)], lastRuns: [killed], underWay: true })).toEqual([]);
    expect(find({ backups: [backup("full", 0.1)], lastRuns: [failed] })).toEqual([]);
  });

  it("still report a failed full backup after an incremental one succeeded", () => {
    const full = { ...failed, type: "full" as const };
    const done = { type: "incr" as const, started: started + 60, finished: started + 90, exitCode: 0 };
    const backups = [backup("full", 20), backup("incr", 0.1)];
    expect(find({ backups, lastRuns: [full, done] })).toEqual([
      "wrong: The last backup of type full, started at 2026-11-21T11:50:00.000Z, ended with 82.",
    ]);
    expect(find({ backups: [...backups, backup("full", 0.05)], lastRuns: [full, done] })).toEqual([]);
  });

  it("report a backup with damaged pages even if there are newer ones", () => {
    expect(find({ backups: [backup("full", 2, { damaged: true }), backup("incr", 1)] })).toEqual([
      "wrong: The backup full-2 has pages with a wrong checksum: the cluster was damaged when it was copied.",
    ]);
  });

  it("report a backup whose time is in the future, which hides neither old backups nor failed runs", () => {
    const ahead = backup("full", -960, { label: "20261231-120000F" });
    const clock =
      "wrong: The time of the backup 20261231-120000F, 2026-12-31T12:00:00.000Z, is in the future (by 40 days), so its age is not known. Until then, pgBackRest may refuse to make backups of its type.";
    expect(find({ backups: [ahead] })).toEqual([clock]);
    expect(find({ backups: [backup("full", 49), ahead], lastRuns: [failed] })).toEqual([
      clock,
      "wrong: The last backup, full-49, is 2 days old, but one is due every 6 h.",
      "wrong: The last full backup, full-49, is 2 days old, but one is due every 24 h.",
      "wrong: The last backup of type incr, started at 2026-11-21T11:50:00.000Z, ended with 82.",
    ]);
    expect(find({ backups: [ahead, backup("incr", -961, { label: "next" })] })[0]).toMatch(
      /^wrong: The times of 2 backups, the last one next at .*, are in the future \(by 40 days\), so their ages are not known\./,
    );
    // A run that was made by the same wrong clock.
    const future = { ...failed, started: started + 960 * hour, finished: null };
    expect(find({ backups: [backup("incr", -961), ahead], lastRuns: [future] })).toHaveLength(1);
  });

  it("accept a time that is in the future by less than clocks may differ", () => {
    expect(find({ backups: [backup("full", -0.08)] })).toEqual([]);
  });

  it("use one record for each type, the completed one if there are two of a run", () => {
    const begun = { ...failed, finished: null, exitCode: null };
    expect(newestOfEachType([begun, failed])).toEqual([failed]);
    expect(newestOfEachType([failed, begun])).toEqual([failed]);
    const later = { ...begun, started: started + 60 };
    expect(newestOfEachType([later, failed])).toEqual([later]);
  });
});
