import { describe, expect, it } from "vitest";
import type { Backup } from "../../../../../scripts/backup/info.ts";
import { forkOf } from "../../../../../scripts/backup/restore/target.ts";
import { formatLsn, parseHistory, parseLsn } from "../../../../../scripts/backup/wal.ts";
import {
  backupsBefore,
  findTimelines,
  ownParts,
  type RepositoryFacts,
  type Timeline,
  timelinesWithoutHistory,
} from "../../../../../scripts/backup/window/timelines.ts";

const segmentBytes = 2 ** 24;
const segment = (number: number, timeline = 1) =>
  `0000000${timeline}00000000000000${number.toString(16).toUpperCase().padStart(2, "0")}`;
const segments = (from: number, to: number, timeline = 1) =>
  Array.from({ length: to - from + 1 }, (_, index) => segment(from + index, timeline));

function backup(label: string, from: string, to: string, timeline = 1): Backup {
  const name = (lsn: string) => segment(Number(parseLsn(lsn) / BigInt(segmentBytes)), timeline);
  const [startedAt, finishedAt] = ["2026-11-29T05:00:00.000Z", "2026-11-29T05:00:10.000Z"];
  const sizes = { size: 1, repositoryDelta: 1 };
  const wal = { from: name(from), to: name(to) };
  const lists = { references: [], damaged: false, archiveId: "17-1" };
  const origin = { image: null, postgres: null, commit: null, isModified: false, user: null };
  return { label, type: "full", startedAt, finishedAt, ...sizes, wal, lsn: { from, to }, ...lists, origin };
}

function facts(given: Partial<RepositoryFacts> & { names: string[] }): RepositoryFacts {
  const { names, ...rest } = given;
  return {
    archive: { segments: new Set(names), histories: [...(given.histories?.keys() ?? [])] },
    histories: new Map(),
    backups: [],
    unusable: new Set(),
    damaged: new Set(),
    segmentBytes,
    ...rest,
  };
}

const shown = (given: RepositoryFacts) =>
  findTimelines(given).map((timeline) => [
    timeline.timeline,
    ...ownParts(timeline).map(({ from, to, backups }) => [
      formatLsn(from),
      formatLsn(to),
      backups.map(({ label }) => label).join(),
    ]),
  ]);

describe("the restorable parts of an archive", () => {
  const one = backup("one", "0/2000028", "0/2000120");
  const two = backup("two", "0/6000028", "0/6000120");

  it("begin at the end of a backup and end at the end of the archive", () => {
    expect(shown(facts({ names: segments(1, 8), backups: [one, two] }))).toEqual([
      [1, ["0/2000120", "0/9000000", "one,two"]],
    ]);
  });

  it("end before a segment that is missing or damaged, and begin again with the next backup", () => {
    const names = segments(1, 8).filter((name) => name !== segment(4));
    const both = [1, ["0/2000120", "0/4000000", "one"], ["0/6000120", "0/9000000", "two"]];
    expect(shown(facts({ names, backups: [one, two] }))).toEqual([both]);
    const damaged = new Set([segment(4)]);
    expect(shown(facts({ names: segments(1, 8), damaged, backups: [one, two] }))).toEqual([both]);
  });

  it("do not begin with a backup that cannot be restored or whose own WAL is missing", () => {
    const unusable = new Set(["one"]);
    expect(shown(facts({ names: segments(1, 8), unusable, backups: [one, two] }))).toEqual([
      [1, ["0/6000120", "0/9000000", "two"]],
    ]);
    const long = backup("long", "0/2000028", "0/4000120");
    const names = segments(1, 8).filter((name) => name !== segment(4));
    expect(shown(facts({ names, backups: [long] }))).toEqual([[1]]);
  });

  it("belong to the timeline that wrote them; a backup of an abandoned branch serves only that branch", () => {
    const histories = new Map([[2, [{ timeline: 1, end: parseLsn("0/5000800") }]]]);
    const names = [...segments(1, 8), ...segments(5, 7, 2)];
    expect(shown(facts({ names, histories, backups: [one, two] }))).toEqual([
      [1, ["0/2000120", "0/9000000", "one,two"]],
      [2, ["0/5000800", "0/8000000", "one"]],
    ]);
  });

  it("end where a timeline left its parent, until the segment in which it did is archived on it", () => {
    const at = (lsn: string) => new Map([[2, [{ timeline: 1, end: parseLsn(lsn) }]]]);
    const parent = [1, ["0/2000120", "0/9000000", "one,two"]];
    const found = (lsn: string) =>
      findTimelines(facts({ names: segments(1, 8), histories: at(lsn), backups: [one, two] }));
    // The parent's own segments 5 to 8 have what was abandoned.
    for (const lsn of ["0/5000800", "0/5000000"]) {
      const timelines = found(lsn);
      expect(timelines[1]?.parts).toMatchObject([{ from: parseLsn("0/2000120"), to: parseLsn(lsn), backups: [one] }]);
      expect(ownParts(timelines[1] as Timeline)).toEqual([]);
    }
    expect(shown(facts({ names: segments(1, 8), histories: at("0/5000800"), backups: [one, two] }))).toEqual([
      parent,
      [2],
    ]);
  });

  it("end in the last segment of a timeline whose parent had not begun where it left", () => {
    // Timeline 3 left the first one in segment 6. Then a point in segment 4 was restored on the way to timeline 3.
    const history = parseHistory("1 0/6000148\n3 0/4010CA0");
    const given = facts({
      names: [...segments(2, 6), ...segments(6, 7, 3), ...segments(4, 4, 4)],
      histories: new Map([
        [3, parseHistory("1 0/6000148")],
        [4, history],
      ]),
      backups: [backup("first", "0/2000028", "0/2000100")],
    });
    expect(shown(given)).toEqual([
      [1, ["0/2000100", "0/7000000", "first"]],
      [3, ["0/6000148", "0/8000000", "first"]],
      [4, ["0/4010CA0", "0/5000000", "first"]],
    ]);
  });

  it("leave out a timeline whose history is missing", () => {
    const given = facts({ names: [...segments(1, 5), segment(5, 2)], backups: [one] });
    expect(findTimelines(given).map(({ timeline }) => timeline)).toEqual([1]);
    expect(timelinesWithoutHistory(given)).toEqual([2]);
  });

  it("offer the newest backup that ended before a position", () => {
    const [timeline] = findTimelines(facts({ names: segments(1, 8), backups: [one, two] }));
    const part = timeline?.parts[0];
    if (part === undefined) throw new Error("no part");
    const labels = (lsn: string) => backupsBefore(part, parseLsn(lsn)).map(({ label }) => label);
    expect([labels("0/6000119"), labels("0/6000120")]).toEqual([["one"], ["two", "one"]]);
  });
});

describe("two timelines", () => {
  const end = 2n ** 64n;
  it("are the same up to the position at which one left the other, or both left a third one", () => {
    const parent = [{ timeline: 1, end }];
    const second = [
      { timeline: 1, end: 500n },
      { timeline: 2, end },
    ];
    const third = [
      { timeline: 1, end: 300n },
      { timeline: 3, end },
    ];
    expect([forkOf(second, parent), forkOf(parent, second), forkOf(second, third)]).toEqual([500n, 500n, 300n]);
  });
});
