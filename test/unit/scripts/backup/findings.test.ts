import { describe, expect, it } from "vitest";
import { type BackupFacts, findInBackups } from "../../../../scripts/backup/findings.ts";
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
    references: [],
    damaged: false,
    ...sizes,
    ...changed,
  };
}

/** Texts of what is found, by level. */
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

describe("backups", () => {
  it("are well where the newest is younger than twice the time between two", () => {
    expect(find({ backups: [backup("full", 47), backup("incr", 11.9)] })).toEqual([]);
  });

  it("are too old after twice that time, full ones by their own schedule", () => {
    expect(find({ backups: [backup("full", 49), backup("incr", 12.1)] })).toEqual([
      "wrong: The last backup, incr-12.1, is 12 h old, and one is due every 6 h.",
      "wrong: The last full backup, full-49, is 2 days old, and one is due every 24 h.",
    ]);
  });

  it("that are not there are wrong, unless the first is being made", () => {
    expect(find({})).toEqual(["wrong: There is no backup: nothing can be restored."]);
    expect(find({ underWay: true })).toEqual([]);
  });

  it("are not called young where it is not known when they are due", () => {
    expect(find({ backups: [backup("full", 1)], gaps: undefined })).toEqual([
      "unknown: How often a backup is due could not be told.",
      "unknown: How often a full backup is due could not be told.",
    ]);
  });

  it("with damaged pages are wrong", () => {
    expect(find({ backups: [backup("full", 1, { damaged: true })] })).toEqual([
      "wrong: The backup full-1 has pages whose checksum was wrong when they were copied: the cluster is damaged.",
    ]);
  });

  const started = now.getTime() / 1_000 - 600;
  const failed = { type: "incr" as const, started, finished: started + 5, exitCode: 82 };

  it("that failed or were killed are told of until one is made", () => {
    expect(find({ backups: [backup("full", 1)], lastRuns: [failed] })).toEqual([
      "wrong: The last run of a backup of type incr, at 2026-11-21T11:50:00.000Z, ended with 82.",
    ]);
    const killed = { ...failed, finished: null, exitCode: null };
    expect(find({ backups: [backup("full", 1)], lastRuns: [killed] })).toEqual([
      "wrong: The last run of a backup of type incr, at 2026-11-21T11:50:00.000Z, was killed before it was done.",
    ]);
    expect(find({ backups: [backup("full", 1)], lastRuns: [killed], underWay: true })).toEqual([]);
    expect(find({ backups: [backup("full", 0.1)], lastRuns: [failed] })).toEqual([]);
  });
});
