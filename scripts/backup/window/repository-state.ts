import type Docker from "dockerode";
import { runInContainer } from "../../docker/run-in-container.ts";
import { readArchiveNames } from "../archive-names.ts";
import { diagnose } from "../diagnosis.ts";
import { readRepository } from "../info.ts";
import { pgBackRest } from "../pgbackrest.ts";
import type { DamagedContent } from "../scan.ts";
import { paths, stanza } from "../stack-backups.ts";
import { defaultSegmentBytes, historyName, parseHistory, type TimelineEnd } from "../wal.ts";
import { findTimelines, type RepositoryFacts, type Timeline } from "./timelines.ts";

/** Backups and WAL of the stack's current cluster in a repository. */
export interface RepositoryState extends RepositoryFacts {
  timelines: Timeline[];
}

/**
 * Reads what a repository holds.
 *
 * @param container has the repository and the cluster
 * @param damaged content to avoid
 * @throws OperationError if the repository cannot be used or has no backup
 */
export async function readRepositoryState(
  docker: Docker,
  container: string,
  damaged: DamagedContent | undefined,
): Promise<RepositoryState> {
  const { backups: all, fault } = await readRepository(docker, container);
  if (fault !== undefined) throw fault;
  const newest = all.at(-1);
  if (newest === undefined) throw diagnose(75, "");
  const archive = await readArchiveNames(docker, container, newest.archiveId);
  const backups = all.filter(({ archiveId }) => archiveId === newest.archiveId);
  const histories = new Map<number, TimelineEnd[]>();
  for (const timeline of archive.histories) {
    const history = await readHistory(docker, container, newest.archiveId, timeline);
    if (history !== undefined) histories.set(timeline, history);
  }
  const facts = {
    archive,
    histories,
    backups,
    unusable: damaged?.backups ?? new Set<string>(),
    damaged: damaged?.segments ?? new Set<string>(),
    segmentBytes: await readSegmentBytes(docker, container),
  };
  return { ...facts, timelines: findTimelines(facts) };
}

/**
 * Reads the history of a timeline from the archive: the timelines before it, oldest first. Returns undefined if it is
 * damaged.
 */
export async function readHistory(
  docker: Docker,
  container: string,
  archiveId: string,
  timeline: number,
): Promise<TimelineEnd[] | undefined> {
  const text = await pgBackRest(docker, container, [
    "repo-get",
    `archive/${stanza}/${archiveId}/${historyName(timeline)}`,
  ]);
  const history = parseHistory(text);
  return history.length > 0 && /^[\t\n\x20-\x7e]*$/.test(text) ? history : undefined;
}

async function readSegmentBytes(docker: Docker, container: string): Promise<number> {
  const command = ["sh", "-c", `LC_ALL=C pg_controldata ${paths.data}`];
  const { stdout } = await runInContainer(docker, container, { command, user: "postgres" });
  const [, size] = /^Bytes per WAL segment: +(\d+)$/m.exec(stdout) ?? [];
  return size === undefined ? defaultSegmentBytes : Number(size);
}
