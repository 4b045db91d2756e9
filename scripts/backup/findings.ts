import type { Backup, BackupType } from "./info.ts";

/** What `backup-job` noted of its last run of a type. Seconds since 1970. */
export interface LastRun {
  type: BackupType;
  started: number;
  /** null: it has not ended, or was killed. */
  finished: number | null;
  exitCode: number | null;
}

/** Something about backups that is not as it should be, or that nobody could tell. */
export interface Finding {
  level: "wrong" | "unknown";
  text: string;
  remedy?: string;
}

export interface BackupFacts {
  backups: readonly Backup[];
  underWay: boolean;
  /** The longest time between two backups, and between two full ones, by schedule; in seconds; undefined: not known. */
  gaps: { any: number; full: number } | undefined;
  lastRuns: readonly LastRun[];
  now: Date;
}

/** How many times the time between two backups may pass before the newest is too old. */
const patience = 2;

/** What a list of backups and its schedule say by themselves. */
export function findInBackups({ backups, underWay, gaps, lastRuns, now }: BackupFacts): Finding[] {
  const newest = backups.at(-1);
  if (newest === undefined) {
    if (underWay) return [];
    const remedy = "Make one: `npm run pgw -- backup create`.";
    return [{ level: "wrong", text: "There is no backup: nothing can be restored.", remedy }, ...failures(lastRuns, 0)];
  }
  const newestFull = backups.findLast(({ type }) => type === "full");
  return [
    ...tooOld("backup", newest, gaps?.any, now),
    ...(newestFull === undefined ? [] : tooOld("full backup", newestFull, gaps?.full, now)),
    ...(newest.damaged ? [damaged(newest)] : []),
    ...(underWay ? [] : failures(lastRuns, Date.parse(newest.finishedAt) / 1_000)),
  ];
}

function tooOld(what: string, { label, finishedAt }: Backup, gap: number | undefined, now: Date): Finding[] {
  if (gap === undefined) return [{ level: "unknown", text: `How often a ${what} is due could not be told.` }];
  const age = (now.getTime() - Date.parse(finishedAt)) / 1_000;
  if (age <= patience * gap) return [];
  const text = `The last ${what}, ${label}, is ${duration(age)} old, and one is due every ${duration(gap)}.`;
  return [{ level: "wrong", text, remedy: "`docker logs` of the container that makes backups says why none came." }];
}

function damaged({ label }: Backup): Finding {
  const text = `The backup ${label} has pages whose checksum was wrong when they were copied: the cluster is damaged.`;
  return { level: "wrong", text, remedy: "Restore an earlier one, and check the disk." };
}

/** Runs that ended badly and that no backup has made good since. */
function failures(lastRuns: readonly LastRun[], goodSince: number): Finding[] {
  return lastRuns
    .filter(({ started, exitCode }) => exitCode !== 0 && started > goodSince)
    .map(({ type, started, exitCode }) => {
      const how = exitCode === null ? "was killed before it was done" : `ended with ${exitCode}`;
      const text = `The last run of a backup of type ${type}, at ${new Date(started * 1_000).toISOString()}, ${how}.`;
      return { level: "wrong", text, remedy: "`npm run pgw -- backup create` makes one now, or says what is wrong." };
    });
}

/** Seconds as people say them: `40 s`, `12 min`, `6 h`, `3 days`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
