import type Docker from "dockerode";
import { type BackedUpCluster, type Backup, readDetails } from "../info.ts";
import type { StackBackups } from "../stack-backups.ts";
import { formatLsn, formatSegment, parseLsn, parseSegment, segmentNumberAt } from "../wal.ts";
import { displayTime, formatTime } from "../window/microseconds.ts";
import type { Transaction } from "../window/transactions.ts";
import type { WalReader } from "../window/wal-reader.ts";
import { lastScan, readWindowFacts, type WindowFacts, walOf } from "../window/window.ts";
import { findIncompleteness } from "./completeness.ts";
import { findDroppedFiles, findLastCommitOrPrepare, positionIn, type RecordSearch } from "./record-search.ts";
import type { Recovery } from "./recovery.ts";
import type { RequestedPoint } from "./request.ts";
import type { RecoveryGoal } from "./scratch-server.ts";
import { type ChosenPoint, choosePoint, OutsideWindow, type Target } from "./target.ts";
import { readTargetTime } from "./target-time.ts";

/** Commit in the WAL, as a restore reports it. */
export interface ReportedCommit {
  xid: number;
  /** UTC with microseconds. */
  at: string;
  /** Position of its record. */
  lsn: string;
}

/** A restored point in time. */
export interface RestoredPoint {
  timeline: number;
  /** Last commit that the restored cluster has. null if there is none since the backup began. */
  lastIncluded: ReportedCommit | null;
  /** Next commit on the timeline, which the restored cluster does not have. null if the archive has none. */
  firstNotIncluded: ReportedCommit | null;
  /** Both were read from the archive, before and after the position at which recovery ended. */
  source: "pg_waldump";
}

/** Source of a restore to a point in time. */
export interface PointSource {
  backup: Backup;
  tablespaces: number[];
  cluster: BackedUpCluster;
  chosen: ChosenPoint;
  facts: WindowFacts;
}

/**
 * Finds how to restore a point in time. If WAL that is not archived yet may have it, the rest is archived first.
 *
 * @throws OperationError if it cannot be restored
 */
export async function findPointSource(
  docker: Docker,
  stack: StackBackups,
  reader: WalReader,
  point: RequestedPoint,
  archiveRest: () => Promise<string | undefined>,
): Promise<PointSource> {
  const { container } = reader;
  const target: Target =
    point.target.kind === "time"
      ? { kind: "time", at: await readTargetTime(docker, { server: stack.server, container }, point.target.text) }
      : point.target;
  // The last scan is one of the current generation.
  const scan = stack.formerGeneration === undefined ? await lastScan(docker, container) : undefined;
  const attempt = async () => {
    const facts = await readWindowFacts(docker, stack, reader, scan);
    return { facts, chosen: await choosePoint(facts, { ...point, target }) };
  };
  const { facts, chosen } = await attempt().catch(async (error: unknown) => {
    if (!(error instanceof OutsideWindow) || !error.mayBeLater) throw error;
    if ((await archiveRest()) !== undefined) throw error;
    return attempt();
  });
  const { tablespaces, cluster } = await readDetails(docker, container, chosen.backup.label);
  return { backup: chosen.backup, tablespaces, cluster, chosen, facts };
}

/** Returns the goal of the recovery that stops at a point. */
export function goalOf(source: PointSource, reader: WalReader): RecoveryGoal {
  const { stop, inclusive } = source.chosen;
  const goal = (target: Record<string, string>, isIncluded: boolean): RecoveryGoal => ({
    settings: { ...target, recovery_target_inclusive: isIncluded ? "on" : "off" },
    ...wayTo(source),
  });
  const target: Record<string, string> =
    stop.kind === "time"
      ? // This setting refuses ISO 8601 with T and Z.
        { recovery_target_time: displayTime(stop.at).replace(" UTC", "+00") }
      : { recovery_target_lsn: formatLsn(stop.lsn) };
  return {
    ...goal(target, inclusive),
    beforeDrop: async ({ timelines }) => {
      const reached = timelines.at(-1)?.end ?? 0n;
      const begin = parseLsn(source.backup.lsn.to);
      const search = async (from: bigint, { options, filter }: RecordSearch) => {
        const wal = walOf(source.facts, source.chosen.timeline);
        const [line] = await reader.search(wal, from, reached, options, filter);
        return line === undefined ? undefined : positionIn(line);
      };
      const last = await search(begin, findLastCommitOrPrepare);
      // An earlier drop that failed also leaves such a database.
      if ((await search(last ?? begin, findDroppedFiles)) === undefined) return undefined;
      return goal({ recovery_target_lsn: formatLsn(last ?? begin) }, last !== undefined);
    },
  };
}

/** Returns the timeline to follow, and the last segment of the part that has the point. */
function wayTo({ chosen: { timeline, part }, facts }: PointSource): Pick<RecoveryGoal, "lastSegment" | "timeline"> {
  const { segmentBytes } = facts.state;
  const last = segmentNumberAt(part.to - 1n, segmentBytes);
  return {
    lastSegment: formatSegment({ timeline: timeline.timeline, number: last }, segmentBytes).slice(8),
    timeline: timeline.timeline,
  };
}

/** Explains why a recovery that did not find its target did not read all WAL either. */
export function findUnreadPart(
  backup: Backup,
  { timeline, part }: ChosenPoint,
  { state: { archive, segmentBytes } }: WindowFacts,
  recovery: Recovery,
): string | undefined {
  const last = segmentNumberAt(part.to - 1n, segmentBytes);
  // A part can end before the timeline leaves its parent.
  const followed = timeline.path.filter((_, index) => (timeline.path[index - 1]?.end ?? 0n) <= part.to);
  const known = followed.map((each) => each.timeline);
  const isUsed = (name: string) => {
    const segment = parseSegment(name, segmentBytes);
    return known.includes(segment.timeline) && segment.number <= last;
  };
  return findIncompleteness({
    archive: {
      segments: new Set([...archive.segments].filter(isUsed)),
      histories: archive.histories.filter((each) => known.includes(each)),
    },
    firstSegment: backup.wal.from,
    archivedByServer: undefined,
    recovery,
  });
}

/** Reads the commits around the position at which recovery ended. */
export async function describePoint(
  { backup, part, timeline }: ChosenPoint,
  facts: WindowFacts,
  end: bigint,
  reader: WalReader,
): Promise<RestoredPoint> {
  const wal = walOf(facts, timeline);
  const { lastCommit } = await reader.lastCommit(wal, parseLsn(backup.lsn.from), end);
  const next = end < part.to ? await reader.firstCommit(wal, end, part.to) : undefined;
  return {
    timeline: timeline.timeline,
    lastIncluded: reported(lastCommit),
    firstNotIncluded: reported(next),
    source: "pg_waldump",
  };
}

function reported(found: Transaction | undefined): ReportedCommit | null {
  if (found === undefined) return null;
  return { xid: found.xid, at: formatTime(found.at), lsn: formatLsn(found.lsn) };
}
