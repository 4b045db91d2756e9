import type Docker from "dockerode";
import type { Known } from "../../../core/known.ts";
import { BackupError } from "../../diagnosis.ts";
import type { StackBackups } from "../../stack-backups.ts";
import { parseLsn, segmentNumberAt, segmentStart } from "../../wal.ts";
import { archivedOn } from "../../window/timelines.ts";
import { withWalReader } from "../../window/wal-reader.ts";
import { currentTimeline, readWindowFacts, walOf } from "../../window/window.ts";
import type { Position } from "../restore.ts";
import { forkOf } from "../target.ts";

/** Commits of a stack's present that a restored cluster lacks. */
export interface LostCommits {
  count: number;
  /** True if there is more WAL than is counted, so that there may be more commits. */
  isLeast: boolean;
}

/** Number of segments that are counted: 8 GB, which takes minutes. */
const mostSegments = 512;

/**
 * Counts the commits after a restored position, on the timeline that the server writes. It reads the archived WAL, and
 * what the server has not archived yet.
 */
export async function countLostCommits(
  docker: Docker,
  stack: StackBackups,
  reached: Position,
): Promise<Known<LostCommits>> {
  // Its archive does not have the present.
  if (stack.formerGeneration !== undefined) return { known: false, reason: "the backup is of a former generation" };
  try {
    return await withWalReader(docker, stack, async (reader) => {
      const facts = await readWindowFacts(docker, stack, reader, undefined);
      const { server, state } = facts;
      if ("unknown" in server) return { known: false, reason: server.unknown };
      const find = (number: number) => state.timelines.find(({ timeline }) => timeline === number);
      const [restored, present] = [find(reached.timeline), find(currentTimeline(facts))];
      if (restored === undefined || present === undefined)
        return { known: false, reason: "the archive does not have the history of the timeline" };
      const end = { timeline: reached.timeline, end: parseLsn(reached.lsn) };
      const fork = forkOf([...restored.path.slice(0, -1), end], present.path);
      const { segmentBytes, archive } = state;
      let number = segmentNumberAt(fork, segmentBytes);
      const last = number + mostSegments;
      while (number < last && archivedOn(archive, present.path, number, segmentBytes) !== undefined) number += 1;
      const archived = segmentStart(number, segmentBytes);
      const to = archived < server.lsn ? archived : server.lsn;
      const count = await reader.countCommits(walOf(facts, present), fork, to);
      if (number === last && to < server.lsn) return { known: true, count, isLeast: true };
      const start = to > fork ? to : fork;
      const rest = await reader.countOwnCommits(present.timeline, start, server.lsn);
      return { known: true, count: count + rest, isLeast: false };
    });
  } catch (error) {
    if (error instanceof BackupError) return { known: false, reason: error.message };
    throw error;
  }
}
