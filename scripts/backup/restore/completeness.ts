import type { ArchiveNames } from "../archive-names.ts";
import {
  formatLsn,
  formatSegment,
  historyName,
  isOn,
  parseSegment,
  type Segment,
  segmentNumberAt,
  segmentStart,
  type TimelineEnd,
} from "../wal.ts";
import type { ArchiveRequest, Recovery } from "./recovery.ts";

/** Facts that show if recovery was complete. */
export interface CompletenessFacts {
  /** Content of the archive before recovery began. */
  archive: ArchiveNames;
  /** First segment that the backup needs. */
  firstSegment: string;
  /** Newest segment that the server counts as archived. undefined if unknown. */
  archivedByServer: string | undefined;
  recovery: Recovery;
}

/** Position at which a complete archive ends. */
export interface ArchiveEnd {
  timeline: number;
  lsn: bigint;
}

/**
 * Finds the position at which a complete archive ends. It is the end of the newest segment on the newest timeline.
 * Segments count if the archive has them, or if the server says that it archived them.
 */
export function findArchiveEnd({ archive, archivedByServer, recovery }: CompletenessFacts): ArchiveEnd {
  const { segmentBytes, timelines } = recovery;
  const segments = [...archive.segments, ...(archivedByServer === undefined ? [] : [archivedByServer])].map((name) =>
    parseSegment(name, segmentBytes),
  );
  const timeline = Math.max(...segments.map((segment) => segment.timeline), ...archive.histories);
  const isUsable = (segment: Segment) =>
    timeline === lastOf(timelines).timeline ? isOn(segment, timelines, segmentBytes) : segment.timeline === timeline;
  const last = Math.max(0, ...segments.filter(isUsable).map(({ number }) => number));
  return { timeline, lsn: segmentStart(last + 1, segmentBytes) };
}

/**
 * Explains why rows may be missing that the archive should hold. It compares the end of recovery with the archive's
 * files and with what the server says it archived. It also looks for failed requests.
 *
 * @returns undefined if recovery read the archive to its end
 */
export function findIncompleteness(facts: CompletenessFacts): string | undefined {
  const { recovery } = facts;
  const cause = failedRequest(recovery.requests) ?? missingPart(facts);
  if (cause === undefined) return undefined;
  const { timeline, end } = lastOf(recovery.timelines);
  const expected = findArchiveEnd(facts);
  return `recovery ended at ${formatLsn(end)} of timeline ${timeline}, but the archive should reach ${formatLsn(expected.lsn)} of timeline ${expected.timeline}: ${cause}`;
}

function failedRequest(requests: readonly ArchiveRequest[]): string | undefined {
  const failed = requests.find(({ code }) => code > 1);
  if (failed === undefined) return undefined;
  return `pgBackRest could not read ${failed.name} (exit code ${failed.code}): ${failed.cause ?? "no reason given"}`;
}

function missingPart(facts: CompletenessFacts): string | undefined {
  const { archive, firstSegment, archivedByServer, recovery } = facts;
  const { segmentBytes, timelines, requests } = recovery;
  const reached = lastOf(timelines);
  const expected = findArchiveEnd(facts);
  if (expected.timeline !== reached.timeline) {
    const history = historyName(expected.timeline);
    const hasHistory = archive.histories.includes(expected.timeline);
    return hasHistory
      ? `the server did not follow ${history} from the archive`
      : `the archive has segments of timeline ${expected.timeline}, but not ${history}`;
  }
  const last = segmentNumberAt(expected.lsn, segmentBytes) - 1;
  const gap = firstMissing(facts, parseSegment(firstSegment, segmentBytes).number, last);
  if (gap !== undefined) {
    const isTail = archivedByServer !== undefined && gap === archivedByServer;
    return isTail
      ? `the server archived ${gap}, but the archive no longer has it`
      : `the segment ${gap} is missing from the archive`;
  }
  // PostgreSQL requests the next segment only after it has read the last one to its end.
  const next = formatSegment({ timeline: reached.timeline, number: last + 1 }, segmentBytes);
  const readAll = reached.end >= expected.lsn || requests.some(({ name }) => name === next);
  return readAll ? undefined : `PostgreSQL could not read the segment with ${formatLsn(reached.end)} to its end`;
}

/**
 * Finds the first missing segment in a range that the archive should hold. If a timeline left another one in a segment,
 * its own copy counts: PostgreSQL would replay the other's to its end, with what was abandoned.
 */
function firstMissing({ archive, recovery }: CompletenessFacts, first: number, last: number): string | undefined {
  const { segmentBytes, timelines } = recovery;
  for (let number = first; number <= last; number += 1) {
    const newest = timelines.findLast(({ timeline }) => isOn({ timeline, number }, timelines, segmentBytes));
    if (newest === undefined) continue;
    const name = formatSegment({ timeline: newest.timeline, number }, segmentBytes);
    if (!archive.segments.has(name)) return name;
  }
  return undefined;
}

function lastOf(timelines: readonly TimelineEnd[]): TimelineEnd {
  const last = timelines.at(-1);
  if (last === undefined) throw new Error("A recovery without a timeline.");
  return last;
}
