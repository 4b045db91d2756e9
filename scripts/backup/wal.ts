/*
 * Positions in the write-ahead log (WAL) and names of its segments, as PostgreSQL writes them. Positions are 64-bit
 * integers.
 */

/** WAL segment: its timeline, and its number counted from the beginning of the log. */
export interface Segment {
  timeline: number;
  number: number;
}

/** Default size of a segment in bytes. initdb can set another one. */
export const defaultSegmentBytes = 2 ** 24;

const segmentName = /^[0-9A-F]{24}$/;

/** Reads an LSN such as `0/30A0B28`. */
export function parseLsn(text: string): bigint {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  if (high === undefined || low === undefined) throw new Error(`'${text}' is not an LSN.`);
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** Formats an LSN as PostgreSQL does. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}

/** Returns true if the name is that of a complete segment. History files and partial segments are not. */
export function isSegmentName(name: string): boolean {
  return segmentName.test(name);
}

/** Parses the name of a segment. */
export function parseSegment(name: string, segmentBytes = defaultSegmentBytes): Segment {
  if (!isSegmentName(name)) throw new Error(`'${name}' is not the name of a WAL segment.`);
  const part = (at: number) => Number.parseInt(name.slice(at, at + 8), 16);
  return { timeline: part(0), number: part(8) * (2 ** 32 / segmentBytes) + part(16) };
}

/** Formats the name of a segment. */
export function formatSegment({ timeline, number }: Segment, segmentBytes = defaultSegmentBytes): string {
  const perFile = 2 ** 32 / segmentBytes;
  return [timeline, Math.floor(number / perFile), number % perFile].map(hexadecimal).join("");
}

/** Returns the name of a timeline's history file, which lists the timelines that it comes from. */
export function historyName(timeline: number): string {
  return `${hexadecimal(timeline)}.history`;
}

/** Counts the segments that end before the one that holds a position. */
export function segmentNumberAt(lsn: bigint, segmentBytes = defaultSegmentBytes): number {
  return Number(lsn / BigInt(segmentBytes));
}

/** Returns the position at which a segment begins. */
export function segmentStart(number: number, segmentBytes = defaultSegmentBytes): bigint {
  return BigInt(number) * BigInt(segmentBytes);
}

/** A timeline, and the position at which the next one branched off. */
export interface TimelineEnd {
  timeline: number;
  end: bigint;
}

/**
 * Parses a history file: the timelines before its own, oldest first. As PostgreSQL does, it reads only the beginning of
 * each line, because the rest is text for people.
 *
 * After a recovery that stopped before its target timeline had begun, PostgreSQL writes the whole history of that
 * timeline, and then the position at which it stopped. So a later line ends the earlier ones, and timelines that begin
 * behind it are not on the way.
 */
export function parseHistory(text: string): TimelineEnd[] {
  const listed = [...text.matchAll(/^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gim)].map(([, timeline, end = ""]) => ({
    timeline: Number(timeline),
    end: parseLsn(end),
  }));
  const followed: TimelineEnd[] = [];
  for (const each of listed) {
    // The last one that had begun at this position was left there.
    const left = followed.findIndex(({ end }) => end >= each.end);
    if (left < 0) followed.push(each);
    else followed.splice(left, Number.POSITIVE_INFINITY, { timeline: followed[left]?.timeline ?? 0, end: each.end });
  }
  return followed;
}

/** Returns true if a segment is in the range of the WAL where its timeline was in use. */
export function isOn(segment: Segment, timelines: readonly TimelineEnd[], segmentBytes: number): boolean {
  const index = timelines.findIndex(({ timeline }) => timeline === segment.timeline);
  if (index < 0) return false;
  const begin = timelines[index - 1]?.end;
  const isLast = index === timelines.length - 1;
  const end = timelines[index]?.end ?? 0n;
  return (
    (begin === undefined || segment.number >= segmentNumberAt(begin, segmentBytes)) &&
    (isLast || segment.number <= segmentNumberAt(end, segmentBytes))
  );
}

function hexadecimal(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, "0");
}

/** Returns the position at which a segment ends. */
export function endOfSegment(name: string, segmentBytes = defaultSegmentBytes): { timeline: number; lsn: bigint } {
  const { timeline, number } = parseSegment(name, segmentBytes);
  return { timeline, lsn: segmentStart(number + 1, segmentBytes) };
}
