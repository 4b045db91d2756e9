import type Docker from "dockerode";
import { isRunning } from "../../docker/server/running.ts";
import { BackupError } from "../diagnosis.ts";
import type { BackupFinding } from "../findings.ts";
import { findInScan, type RepositoryScan, readScan, scanRepository } from "../scan.ts";
import { type StackBackups, withRepository } from "../stack-backups.ts";
import { endOfSegment, formatSegment, parseLsn, segmentNumberAt } from "../wal.ts";
import { parseTime } from "./microseconds.ts";
import { type RepositoryState, readRepositoryState } from "./repository-state.ts";
import { findServerEnd, type ServerEnd } from "./server-end.ts";
import { ownParts, type Part, type Timeline, timelinesWithoutHistory } from "./timelines.ts";
import { type ArchivedWal, type WalReader, withWalReader } from "./wal-reader.ts";

/** Moment in a cluster's history: a position, and the time up to which no other commit follows it. */
export interface Moment {
  /** Microseconds since 1970. */
  at: bigint;
  lsn: bigint;
}

/** Range of moments that can be restored. */
export interface RestorableRange {
  from: Moment;
  to: Moment;
  /** Labels of the backups from which a recovery can start, oldest first. */
  backups: string[];
}

/** Range that cannot be restored. */
export interface Gap {
  from: Moment;
  /** undefined if nothing after the gap can be restored. */
  to: Moment | undefined;
  /** First segment that is missing or damaged. */
  segment: string;
}

/** Restorable ranges and gaps of one timeline. */
export interface TimelineWindow {
  timeline: number;
  /** Timeline that it left, and where. undefined for the first one. */
  parent: { timeline: number; lsn: bigint } | undefined;
  ranges: RestorableRange[];
  gaps: Gap[];
}

/** Moments that a stack's backups can restore. */
export interface BackupWindow {
  /** Oldest first. */
  timelines: TimelineWindow[];
  /** Timeline that the server writes, or the newest in the archive. */
  current: number;
  findings: BackupFinding[];
}

/** A stack's repository and server, as far as restorable moments depend on them. */
export interface WindowFacts {
  state: RepositoryState;
  server: ServerEnd | { unknown: string };
  /** Newest segment that the server counts as archived. undefined if unknown. */
  archivedByServer: string | undefined;
  reader: WalReader;
}

/** Reads what the moments of a window follow from. */
export async function readWindowFacts(
  docker: Docker,
  stack: StackBackups,
  reader: WalReader,
  scan: Pick<RepositoryScan, "damaged"> | undefined,
): Promise<WindowFacts> {
  // Asked before the archive is listed, so that the list has everything that was archived by then.
  const { end: server, archived } =
    stack.formerGeneration === undefined
      ? await findServerEnd(docker, stack.server, reader.container)
      : { end: { unknown: "its WAL goes into a newer generation" }, archived: undefined };
  const state = await readRepositoryState(docker, reader.container, scan?.damaged);
  return { state, server, archivedByServer: archived, reader };
}

/**
 * Finds what can be restored. It scans the repository, so it reads every file.
 *
 * @throws OperationError if the repository cannot be used or has no backup
 */
export async function findWindow(docker: Docker, stack: StackBackups): Promise<BackupWindow> {
  const isSidecarRunning = await isRunning(docker, stack.container);
  const scan = await withRepository(docker, stack, isSidecarRunning, (container) => scanRepository(docker, container));
  return withWalReader(docker, stack, async (reader) => {
    const facts = await readWindowFacts(docker, stack, reader, scan);
    const { state, server } = facts;
    const findings = [...scan.findings];
    if (scan.damaged === undefined) {
      const text = "Damaged segments and backups are not known, so a part of this window may not be restorable.";
      findings.push({ level: "unknown", text, hint: "Run `up`, which brings up the current image." });
    }
    if ("unknown" in server && stack.formerGeneration === undefined) {
      const text = `The window ends at the last archived commit, because it is not known what else was written: ${server.unknown}.`;
      findings.push({ level: "unknown", text });
    }
    for (const timeline of timelinesWithoutHistory(state)) {
      const text = `The history of timeline ${timeline} is missing or damaged, so what of it can be restored is not known.`;
      findings.push({ level: "unknown", text });
    }
    const timelines: TimelineWindow[] = [];
    for (const timeline of state.timelines) {
      try {
        timelines.push(await describeTimeline(facts, timeline));
      } catch (error) {
        if (!(error instanceof BackupError)) throw error;
        const text = `What can be restored of timeline ${timeline.timeline} is not known: ${error.message}`;
        findings.push({ level: "unknown", text });
      }
    }
    const current = currentTimeline(facts);
    return { timelines: timelines.filter(({ ranges }) => ranges.length > 0), current, findings };
  });
}

/** Returns the timeline that the server writes. If it is not known, it is the newest in the archive. */
export function currentTimeline({ state, server }: WindowFacts): number {
  if (!("unknown" in server)) return server.timeline;
  return state.timelines.at(-1)?.timeline ?? 1;
}

async function describeTimeline(facts: WindowFacts, timeline: Timeline): Promise<TimelineWindow> {
  const { archivedByServer, state } = facts;
  const { segmentBytes } = state;
  const ranges: RestorableRange[] = [];
  const gaps: Gap[] = [];
  const missingAt = (lsn: bigint) =>
    formatSegment({ timeline: timeline.timeline, number: segmentNumberAt(lsn, segmentBytes) }, segmentBytes);
  for (const part of ownParts(timeline)) {
    const range = {
      from: { at: await earliestOf(facts, timeline, part), lsn: part.from },
      to: { at: await latestOf(facts, timeline, part), lsn: part.to },
      backups: part.backups.map(({ label }) => label),
    };
    const before = ranges.at(-1);
    if (before !== undefined) gaps.push({ from: before.to, to: range.from, segment: missingAt(before.to.lsn) });
    ranges.push(range);
  }
  const last = ranges.at(-1);
  const claimed = archivedByServer === undefined ? undefined : endOfSegment(archivedByServer, segmentBytes);
  if (last !== undefined && claimed?.timeline === timeline.timeline && claimed.lsn > last.to.lsn)
    gaps.push({ from: last.to, to: undefined, segment: missingAt(last.to.lsn) });
  const { parent } = timeline;
  return {
    timeline: timeline.timeline,
    parent: parent === undefined ? undefined : { timeline: parent.timeline, lsn: parent.at },
    ranges,
    gaps,
  };
}

/** Returns what the archive has of a timeline. */
export function walOf({ state: { archive, segmentBytes } }: WindowFacts, { path }: Timeline): ArchivedWal {
  return { archive, path, segmentBytes };
}

/**
 * Returns the earliest time of a part. It is the end of its oldest backup, or a commit that the backup's own WAL has
 * with a later time: PostgreSQL cannot stop before the end of the backup. If the part begins where the timeline left
 * its parent, it is the last commit before that position.
 */
export async function earliestOf(facts: WindowFacts, timeline: Timeline, part: Part): Promise<bigint> {
  const [backup] = part.backups;
  if (backup === undefined) throw new Error("A part without a backup.");
  const { latest } = await facts.reader.lastCommit(walOf(facts, timeline), parseLsn(backup.lsn.from), part.from);
  const finished = parseTime(backup.finishedAt);
  const isFork = part.from !== parseLsn(backup.lsn.to);
  return latest !== undefined && (isFork || latest > finished) ? latest : finished;
}

/**
 * Returns the latest time of a part: up to it, all WAL is proven to be in the archive. That is the last archived
 * commit. If the server writes on after it, it is the moment before its first commit that is not archived. If it has
 * none, it is the time at which the server was asked.
 */
export async function latestOf(facts: WindowFacts, timeline: Timeline, part: Part): Promise<bigint> {
  const { server, reader } = facts;
  const [backup] = part.backups;
  if (backup === undefined) throw new Error("A part without a backup.");
  const { latest } = await reader.lastCommit(walOf(facts, timeline), parseLsn(backup.lsn.from), part.to);
  const proven = latest ?? parseTime(backup.finishedAt);
  if ("unknown" in server || server.timeline !== timeline.timeline) return proven;
  if (server.lsn < part.to) return proven;
  try {
    const { firstCommit } = await reader.ownTransactions(timeline.timeline, part.to, server.lsn);
    const end = firstCommit !== undefined && firstCommit.at - 1n < server.at ? firstCommit.at - 1n : server.at;
    return end > proven ? end : proven;
  } catch (error) {
    // The server no longer has the WAL after the end of this part.
    if (error instanceof BackupError) return proven;
    throw error;
  }
}

/** Reads the last scan of the repository without making one. */
export async function lastScan(docker: Docker, container: string): Promise<RepositoryScan | undefined> {
  const scan = await readScan(docker, container);
  const isCurrent = findInScan(scan, new Date()).every(({ level }) => level !== "unknown");
  return isCurrent ? scan : undefined;
}
