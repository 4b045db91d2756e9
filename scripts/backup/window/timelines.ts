import type { ArchiveNames } from "../archive-names.ts";
import type { Backup } from "../info.ts";
import {
  formatSegment,
  isOn,
  parseLsn,
  parseSegment,
  segmentNumberAt,
  segmentStart,
  type TimelineEnd,
} from "../wal.ts";

/** Part of a timeline without a gap: every position in it can be restored. */
export interface Part {
  /** Timeline that a recovery follows to reach the positions of this part. */
  timeline: number;
  /** First position: the end of the oldest backup, or the one at which the timeline begins. */
  from: bigint;
  /** Position after the last one. Everything before it is in the archive. */
  to: bigint;
  /** Backups from which a recovery can start, oldest first. */
  backups: Backup[];
}

/** A timeline that the archive has, with the parts of it that can be restored. */
export interface Timeline {
  timeline: number;
  /** Timelines to follow, oldest first, up to this one. */
  path: TimelineEnd[];
  /** Timeline that it left, and the position. undefined for the first one. */
  parent: { timeline: number; at: bigint } | undefined;
  /** Parts of all that can be reached on this timeline, including what it has in common with its parent. */
  parts: Part[];
}

/** Facts about a repository from which the parts follow. */
export interface RepositoryFacts {
  archive: ArchiveNames;
  /** History of each timeline: the ones before it, oldest first. */
  histories: ReadonlyMap<number, readonly TimelineEnd[]>;
  /** Backups of the archive's cluster, oldest first. */
  backups: readonly Backup[];
  /** Labels of backups that cannot be restored. */
  unusable: ReadonlySet<string>;
  /** Segments whose content is damaged. */
  damaged: ReadonlySet<string>;
  segmentBytes: number;
}

/** End of a timeline that nothing has left yet. */
export const open = 2n ** 64n;

/** Finds the name under which the archive has a segment on the way to a timeline. The newest timeline's copy counts. */
export function archivedOn(
  archive: ArchiveNames,
  path: readonly TimelineEnd[],
  number: number,
  segmentBytes: number,
): string | undefined {
  return path
    .filter(({ timeline }) => isOn({ timeline, number }, path, segmentBytes))
    .map(({ timeline }) => formatSegment({ timeline, number }, segmentBytes))
    .findLast((name) => archive.segments.has(name));
}

/**
 * Finds what can be restored on each timeline, from names and positions alone.
 *
 * @returns timelines, oldest first; one whose history is missing is left out, because its path is not known
 */
export function findTimelines(facts: RepositoryFacts): Timeline[] {
  const { archive, histories, segmentBytes } = facts;
  const numbers = new Set([
    ...[...archive.segments].map((name) => parseSegment(name, segmentBytes).timeline),
    ...archive.histories,
  ]);
  return [...numbers]
    .sort((one, other) => one - other)
    .flatMap((timeline) => {
      const before = timeline === 1 ? [] : histories.get(timeline);
      if (before === undefined) return [];
      const path = [...before, { timeline, end: open }];
      const parent = before.at(-1);
      return {
        timeline,
        path,
        parent: parent === undefined ? undefined : { timeline: parent.timeline, at: parent.end },
        parts: findParts(facts, path),
      };
    });
}

/** Lists the timelines whose segments are in the archive without the history that says where they belong. */
export function timelinesWithoutHistory({ archive, histories, segmentBytes }: RepositoryFacts): number[] {
  const numbers = new Set([...archive.segments].map((name) => parseSegment(name, segmentBytes).timeline));
  return [...numbers].filter((timeline) => timeline !== 1 && !histories.has(timeline)).sort((a, b) => a - b);
}

function findParts(facts: RepositoryFacts, path: readonly TimelineEnd[]): Part[] {
  const { archive, backups, unusable, damaged, segmentBytes } = facts;
  const timeline = path.at(-1)?.timeline ?? 0;
  /** Returns the position up to which a segment has the WAL of this timeline. undefined: it has none of it. */
  const endIn = (number: number): bigint | undefined => {
    const name = archivedOn(archive, path, number, segmentBytes);
    if (name === undefined || damaged.has(name)) return undefined;
    const own = path.find((each) => each.timeline === parseSegment(name, segmentBytes).timeline);
    const end = segmentStart(number + 1, segmentBytes);
    // Behind the position at which the next timeline left it, a segment has what was abandoned.
    return own === undefined || own.end > end ? end : own.end;
  };
  const parts: Part[] = [];
  for (const backup of backups.filter(({ label }) => !unusable.has(label))) {
    if (!leadsTo(path, backup)) continue;
    const [start, end] = [parseLsn(backup.lsn.from), parseLsn(backup.lsn.to)];
    const known = parts.at(-1);
    if (known !== undefined && start < known.to) {
      if (end <= known.to) known.backups.push(backup);
      continue;
    }
    let to = segmentStart(segmentNumberAt(start, segmentBytes), segmentBytes);
    for (let number = segmentNumberAt(start, segmentBytes); to === segmentStart(number, segmentBytes); number += 1)
      to = endIn(number) ?? to;
    if (to >= end) parts.push({ timeline, from: end, to, backups: [backup] });
  }
  return parts;
}

/**
 * Returns true if a recovery that begins with a backup can follow the timelines. A backup that ended after the next
 * timeline had begun belongs to the abandoned branch.
 */
export function leadsTo(path: readonly TimelineEnd[], { wal, lsn }: Pick<Backup, "wal" | "lsn">): boolean {
  const own = path.find(({ timeline }) => timeline === parseSegment(wal.from).timeline);
  return own !== undefined && parseLsn(lsn.to) <= own.end;
}

/**
 * Returns the parts that only this timeline has. What is before the position at which it began belongs to its parent.
 */
export function ownParts({ parts, parent }: Timeline): Part[] {
  if (parent === undefined) return parts;
  return parts
    .filter(({ to }) => to > parent.at)
    .map((part) => (part.from >= parent.at ? part : { ...part, from: parent.at }));
}

/** Returns the backups of a part from which a recovery can reach a position, newest first. */
export function backupsBefore({ backups }: Part, position: bigint): Backup[] {
  return backups.filter(({ lsn }) => parseLsn(lsn.to) <= position).reverse();
}
