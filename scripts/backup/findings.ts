import { ageInSeconds, duration, isInFuture } from "../core/age.ts";
import { lateFactor } from "../model/backup-limits.ts";
import type { Backup, BackupType } from "./info.ts";

/** Last run of `backup-job` for a backup type, from its notes. Times are in seconds since 1970. */
export interface LastRun {
  type: BackupType;
  started: number;
  /** null if the run is not finished or was killed. */
  finished: number | null;
  exitCode: number | null;
}

/** A problem with backups, or a check that gave no answer. */
export interface BackupFinding {
  level: "wrong" | "unknown";
  text: string;
  hint?: string;
}

/** Facts about a stack's backups in which problems are looked for. */
export interface BackupFacts {
  backups: readonly Backup[];
  underWay: boolean;
  /**
   * Longest scheduled intervals in seconds: between any two backups, and between two full ones. undefined if unknown.
   */
  gaps: { any: number; full: number } | undefined;
  lastRuns: readonly LastRun[];
  now: Date;
}

/**
 * Finds problems in the list of backups, their schedule and the notes of the last runs. A backup whose time is in the
 * future has no age. It must not hide that the others are too old, or that later runs failed.
 */
export function findInBackups({ backups, underWay, gaps, lastRuns, now }: BackupFacts): BackupFinding[] {
  const newest = backups.at(-1);
  if (newest === undefined) {
    if (underWay) return [];
    const hint = "Make one: `npm run pgw -- backup create`.";
    return [
      { level: "wrong", text: "There is no backup, so nothing can be restored.", hint },
      ...failures(lastRuns, [], now),
    ];
  }
  const isFuture = ({ finishedAt }: Backup) => isInFuture(ageInSeconds(finishedAt, now));
  const past = backups.filter((backup) => !isFuture(backup));
  return [
    ...inFuture(backups.filter(isFuture), now),
    ...tooOld("backup", past.at(-1), gaps?.any, now),
    ...tooOld(
      "full backup",
      past.findLast(({ type }) => type === "full"),
      gaps?.full,
      now,
    ),
    ...backups.filter((backup) => backup.damaged).map(damaged),
    ...(underWay ? [] : failures(lastRuns, backups, now)),
  ];
}

function inFuture(backups: readonly Backup[], now: Date): BackupFinding[] {
  const newest = backups.at(-1);
  if (newest === undefined) return [];
  const by = `in the future (by ${duration(-ageInSeconds(newest.finishedAt, now))})`;
  const refusal = "Until then, pgBackRest may refuse to make backups of";
  const text =
    backups.length === 1
      ? `The time of the backup ${newest.label}, ${newest.finishedAt}, is ${by}, so its age is not known. ${refusal} its type.`
      : `The times of ${backups.length} backups, the last one ${newest.label} at ${newest.finishedAt}, are ${by}, so their ages are not known. ${refusal} their types.`;
  const hint =
    "Compare this machine's clock and that of the Docker engine's machine with the real time. If one was ahead when a " +
    'backup was made, see "A clock that was wrong" in infra/images/postgres/README.md.';
  return [{ level: "wrong", text, hint }];
}

function tooOld(what: string, backup: Backup | undefined, gap: number | undefined, now: Date): BackupFinding[] {
  if (backup === undefined) return [];
  if (gap === undefined) return [{ level: "unknown", text: `The interval between backups is not known (${what}).` }];
  const age = ageInSeconds(backup.finishedAt, now);
  if (age <= lateFactor * gap) return [];
  const text = `The last ${what}, ${backup.label}, is ${duration(age)} old, but one is due every ${duration(gap)}.`;
  return [{ level: "wrong", text, hint: "Check `docker logs` of the backup container for the reason." }];
}

function damaged({ label }: Backup): BackupFinding {
  const text = `The backup ${label} has pages with a wrong checksum: the cluster was damaged when it was copied.`;
  return { level: "wrong", text, hint: "Restore an earlier backup, and check the disk." };
}

/** Rank of backup types. A full backup makes up for a failed incremental one, but not the other way round. */
const worth: Readonly<Record<BackupType, number>> = { incr: 0, diff: 1, full: 2 };

/**
 * Lists the failed runs that no later backup has made up for. A backup whose time is in the future is no later one: a
 * clock was ahead when it was made.
 */
export function failedRuns(lastRuns: readonly LastRun[], backups: readonly Backup[], now: Date): LastRun[] {
  const seconds = now.getTime() / 1_000;
  const isMadeGood = ({ type, started }: LastRun) =>
    backups.some(({ type: made, finishedAt }) => {
      const finished = Date.parse(finishedAt) / 1_000;
      const isComparable = isInFuture(seconds - finished) === isInFuture(seconds - started);
      return worth[made] >= worth[type] && finished >= started && isComparable;
    });
  return lastRuns.filter((run) => run.exitCode !== 0 && !isMadeGood(run));
}

function failures(lastRuns: readonly LastRun[], backups: readonly Backup[], now: Date): BackupFinding[] {
  return failedRuns(lastRuns, backups, now).map(({ type, started, exitCode }) => {
    const how = exitCode === null ? "was killed before it was complete" : `ended with ${exitCode}`;
    const text = `The last backup of type ${type}, started at ${new Date(started * 1_000).toISOString()}, ${how}.`;
    const hint = `To make one now or see the error: \`npm run pgw -- backup create --type ${type}\``;
    return { level: "wrong", text, hint };
  });
}

/**
 * Keeps the newest run of each type. A run can have two notes in two locations; the one with the end of the run wins.
 */
export function newestOfEachType(runs: readonly LastRun[]): LastRun[] {
  const newest = new Map<BackupType, LastRun>();
  for (const run of runs) {
    const known = newest.get(run.type);
    const isNewer = known === undefined || run.started > known.started;
    if (isNewer || (run.started === known.started && run.finished !== null)) newest.set(run.type, run);
  }
  return [...newest.values()];
}
