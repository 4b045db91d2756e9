import { describe, expect, it } from "vitest";
import {
  type CompletenessFacts,
  findArchiveEnd,
  findIncompleteness,
} from "../../../../../scripts/backup/restore/completeness.ts";
import type { ArchiveRequest } from "../../../../../scripts/backup/restore/recovery.ts";
import { formatLsn, parseLsn } from "../../../../../scripts/backup/wal.ts";

const segment = (number: number, timeline = 1) =>
  `0000000${timeline}00000000000000${number.toString(16).toUpperCase().padStart(2, "0")}`;
const found = (...names: string[]): ArchiveRequest[] => names.map((name) => ({ name, code: 0 }));
const absent = (...names: string[]): ArchiveRequest[] => names.map((name) => ({ name, code: 1 }));

interface Given {
  segments: string[];
  histories?: number[];
  archivedByServer?: string;
  timelines: [number, string][];
  requests: ArchiveRequest[];
}

function facts(given: Given): CompletenessFacts {
  return {
    archive: { segments: new Set(given.segments), histories: given.histories ?? [] },
    firstSegment: segment(2),
    archivedByServer: given.archivedByServer,
    recovery: {
      timelines: given.timelines.map(([timeline, end]) => ({ timeline, end: parseLsn(end) })),
      lastCommitAt: null,
      requests: given.requests,
      segmentBytes: 2 ** 24,
    },
  };
}

const upToFive = [segment(2), segment(3), segment(4), segment(5)];

describe("a recovery", () => {
  it("is complete if it read the newest segment to its end and asked for the next one", () => {
    const complete: Given = {
      segments: upToFive,
      archivedByServer: segment(5),
      timelines: [[1, "0/5FFFF00"]],
      requests: [...found(...upToFive), ...absent(segment(6))],
    };
    expect(findIncompleteness(facts(complete))).toBeUndefined();
    expect(formatLsn(findArchiveEnd(facts(complete)).lsn)).toBe("0/6000000");
    // More WAL was archived meanwhile, and the segments before the backup's are gone.
    expect(
      findIncompleteness(
        facts({
          ...complete,
          timelines: [[1, "0/7000000"]],
          requests: absent(segment(7)),
          segments: upToFive.slice(0),
        }),
      ),
    ).toBeUndefined();
  });

  it.each<[string, Given, RegExp]>([
    [
      "a segment is missing in the middle",
      {
        segments: [segment(2), segment(3), segment(5)],
        timelines: [[1, "0/4000000"]],
        requests: [...found(segment(2), segment(3)), ...absent(segment(4))],
      },
      /^recovery ended at 0\/4000000 of timeline 1, but the archive should reach 0\/6000000 of timeline 1: the segment 000000010000000000000004 is missing/,
    ],
    [
      "pgBackRest could not read a segment",
      {
        segments: upToFive,
        timelines: [[1, "0/5000000"]],
        requests: [{ name: segment(5), code: 29, cause: "checksum" }],
      },
      /pgBackRest could not read 000000010000000000000005 \(exit code 29\): checksum/,
    ],
    [
      "the newest segments that the server archived are missing",
      {
        segments: upToFive,
        archivedByServer: segment(7),
        timelines: [[1, "0/6000000"]],
        requests: absent(segment(6)),
      },
      /should reach 0\/8000000 of timeline 1: the segment 000000010000000000000006 is missing/,
    ],
    [
      "PostgreSQL stopped within the newest segment",
      { segments: upToFive, timelines: [[1, "0/5000100"]], requests: found(...upToFive) },
      /PostgreSQL could not read the segment with 0\/5000100 to its end/,
    ],
    [
      "the history of the newest timeline is missing",
      {
        segments: [...upToFive, segment(5, 2), segment(6, 2)],
        timelines: [[1, "0/6000000"]],
        requests: absent("00000002.history", segment(6)),
      },
      /should reach 0\/7000000 of timeline 2: the archive has segments of timeline 2, but not 00000002\.history/,
    ],
    [
      "only the server knows of the newest timeline",
      {
        segments: upToFive,
        archivedByServer: segment(6, 2),
        timelines: [[1, "0/6000000"]],
        requests: absent("00000002.history", segment(6)),
      },
      /of timeline 2/,
    ],
  ])("is incomplete if %s", (_what, given, reason) => {
    expect(findIncompleteness(facts(given))).toMatch(reason);
  });

  it("follows the newest timeline, which can have the only copy of the segment at the switch", () => {
    const switched: Given = {
      // The old timeline's last segment was archived as a partial one. An abandoned timeline continues further.
      segments: [segment(2), segment(3), segment(4, 3), segment(5, 3), segment(8, 2)],
      histories: [2, 3],
      timelines: [
        [1, "0/4000800"],
        [3, "0/6000000"],
      ],
      requests: absent(segment(6, 3)),
    };
    expect(findIncompleteness(facts(switched))).toBeUndefined();
    expect(findIncompleteness(facts({ ...switched, segments: [segment(2), segment(4, 3), segment(5, 3)] }))).toMatch(
      /000000010000000000000003 is missing/,
    );
  });

  it("is incomplete if a new timeline's copy of the segment at the switch is missing, but not the abandoned one", () => {
    for (const end of ["0/5000800", "0/5000000"]) {
      const timelines: Given["timelines"] = [
        [1, end],
        [2, "0/6000000"],
      ];
      const given = { segments: upToFive, histories: [2], timelines, requests: absent(segment(6, 2)) };
      expect(findIncompleteness(facts(given))).toMatch(/the segment 000000020000000000000005 is missing/);
      expect(findIncompleteness(facts({ ...given, segments: [...upToFive, segment(5, 2)] }))).toBeUndefined();
    }
  });
});
