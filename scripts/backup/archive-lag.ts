import type Docker from "dockerode";
import { z } from "zod";
import { ageInSeconds, ago, duration, isInFuture } from "../core/age.ts";
import type { Known } from "../core/known.ts";
import { isRunning } from "../docker/server/running.ts";
import { maxLagAgeSeconds, maxLagSeconds } from "../model/backup-limits.ts";
import type { BackupFinding } from "./findings.ts";
import { readResults, runProgram } from "./image-program.ts";

/** Distance between the server and the WAL archive in one repository. */
export interface ArchiveLag {
  /** ISO 8601. */
  measuredAt: string;
  /** Time up to which all complete WAL is proven to be in the archive. ISO 8601. */
  archivedUntil: string;
  /** Age of the oldest complete segment that is not proven to be in the archive, in seconds. 0 if there is none. */
  lagSeconds: number;
  /** Newest segment in the archive. null if it is not known. */
  newestSegment: string | null;
  /** Segments that the server keeps for this repository, and their size. */
  waitingSegments: number;
  waitingBytes: number;
  /** Segments at the end that the server counts as archived and that are not in the archive: at least this many. */
  lostSegments: number;
  /** Reason why the repository gave no answer. Then all that waits for any repository counts. null if it answered. */
  unanswered: string | null;
}

const lagSchema = z.object({
  /** Seconds since 1970. */
  measuredAt: z.number(),
  archivedUntil: z.number().optional(),
  newest: z.string().nullish(),
  waiting: z.object({ segments: z.number(), bytes: z.number() }).nullable(),
  lost: z.number().optional(),
  problem: z.string().nullable(),
});

/**
 * Measures now how far a repository is behind its server.
 *
 * @param container has the repository and the cluster
 */
export async function measureLag(docker: Docker, container: string): Promise<Known<ArchiveLag>> {
  const absent = "the container's image has no archive-lag; use a current image and run `up`";
  const made = await runProgram(docker, container, "archive-lag", absent);
  return made.known ? parseLag(made.output) : made;
}

/** Measures the lag of a repository whose backup container may not run. */
export async function measureLagIfUp(docker: Docker, container: string): Promise<Known<ArchiveLag>> {
  if (!(await isRunning(docker, container))) return unknown(`the backup container ${container} is not running`);
  return measureLag(docker, container);
}

/** Reads the last measurement of a backup container, which measures every minute. */
export async function readLastLag(docker: Docker, container: string, now: Date): Promise<Known<ArchiveLag>> {
  if (!(await isRunning(docker, container))) return unknown(`the backup container ${container} is not running`);
  const [newest] = (await readResults(docker, container, "archive-lag.json"))
    .map((line) => ({ line, at: lagSchema.parse(JSON.parse(line)).measuredAt }))
    .sort((one, other) => other.at - one.at);
  if (newest === undefined) return unknown("it has not been measured yet");
  const age = now.getTime() / 1_000 - newest.at;
  if (age > maxLagAgeSeconds || isInFuture(age)) return unknown(`it was last measured ${ago(age)}`);
  return parseLag(newest.line);
}

/** Parses the JSON of `archive-lag`. */
export function parseLag(json: string): Known<ArchiveLag> {
  const { measuredAt, archivedUntil, newest, waiting, lost, problem } = lagSchema.parse(JSON.parse(json));
  if (waiting === null || archivedUntil === undefined) return unknown(problem ?? "archive-lag gave no figures");
  return {
    known: true,
    measuredAt: isoTime(measuredAt),
    archivedUntil: isoTime(archivedUntil),
    lagSeconds: Math.max(0, measuredAt - archivedUntil),
    newestSegment: newest ?? null,
    waitingSegments: waiting.segments,
    waitingBytes: waiting.bytes,
    lostSegments: lost ?? 0,
    unanswered: problem,
  };
}

/**
 * Returns a finding if a repository is too far behind the server, or if that is not known.
 *
 * @param repository number of the repository, if there are two
 */
export function findInLag(lag: Known<ArchiveLag>, now: Date, repository?: number): BackupFinding[] {
  const archive = repository === undefined ? "WAL archive" : `WAL archive in repository ${repository}`;
  if (!lag.known)
    return [{ level: "unknown", text: `How far the ${archive} is behind the server is not known: ${lag.reason}.` }];
  if (lag.lagSeconds <= maxLagSeconds) return [];
  const behind = `The ${archive} is ${duration(ageInSeconds(lag.archivedUntil, now))} behind the server`;
  const hint =
    lag.lostSegments > 0
      ? "Make a full backup: `npm run pgw -- backup create --type full`. The backup container makes one by itself within " +
        "an hour, if the repository answers."
      : "The server keeps this WAL, and archives it when the repository accepts it. Look for the reason in the server's " +
        "log: `npm run pgw -- logs`.";
  return [{ level: "wrong", text: `${behind}: ${describeWaiting(lag)}.`, hint }];
}

/** Describes what is not in the archive: `7 segments wait`. */
function describeWaiting({ waitingSegments, lostSegments, unanswered }: ArchiveLag): string {
  const atMost = unanswered === null ? "" : "at most ";
  return [
    waitingSegments === 1 ? `${atMost}1 segment waits` : `${atMost}${waitingSegments} segments wait`,
    ...(lostSegments === 0 ? [] : [`at least ${lostSegments} at its end ${lostSegments === 1 ? "is" : "are"} lost`]),
    ...(unanswered === null ? [] : [`the repository does not answer (${unanswered})`]),
  ].join("; ");
}

function unknown(reason: string): { known: false; reason: string } {
  return { known: false, reason };
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
