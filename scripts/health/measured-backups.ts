import { ago, duration, isInFuture } from "../core/age.ts";
import { lateFactor, maxLagAgeSeconds, maxLagSeconds, maxScanAgeSeconds } from "../model/backup-limits.ts";
import type { ExpectedBackups } from "../model/health-server.ts";
import type {
  DrillValue,
  MeasuredBackup,
  MeasuredBackups,
  MeasuredRepository,
  OperationValues,
  SubjectFinding,
} from "./collector.ts";
import type { MetricFiles } from "./metric-files.ts";
import type { Sample } from "./prometheus-samples.ts";

/*
 * Reads the state of backups and restore drills from the metrics that their containers write for Prometheus, as in
 * infra/images/postgres. A metric that is missing, old or in the future makes the state unknown.
 */

/** Finds values among samples, and compares their times with now. */
class Metrics {
  readonly #samples: readonly Sample[];
  readonly #now: number;

  constructor(samples: readonly Sample[], now: Date) {
    this.#samples = samples;
    this.#now = now.getTime() / 1_000;
  }

  /** Returns the samples of a metric whose labels contain the given ones. */
  all(name: string, labels: Readonly<Record<string, string>> = {}): Sample[] {
    return this.#samples.filter(
      (sample) =>
        sample.name === `pgroundwork_${name}` &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
  }

  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined {
    return this.all(name, labels)[0]?.value;
  }

  /** Returns the samples of a repository. Those of the first one have no label for it. */
  ofRepository(name: string, repository: number): Sample[] {
    return this.all(name).filter(({ labels }) => (labels.repository ?? "1") === String(repository));
  }

  age(seconds: number): number {
    return this.#now - seconds;
  }

  /** Returns true if a time is neither too old nor in the future. */
  isCurrent(seconds: number, maxAge: number): boolean {
    const age = this.age(seconds);
    return age <= maxAge && !isInFuture(age);
  }
}

/**
 * Returns the state of the backups.
 *
 * @param databases names of the databases, each of which has a dump if dumps are scheduled
 */
export function measureBackups(
  { samples, faults }: MetricFiles,
  expected: ExpectedBackups,
  databases: readonly string[],
  now: Date,
): MeasuredBackups {
  const metrics = new Metrics(samples, now);
  const numbers = Array.from({ length: expected.repositories }, (_, index) => index + 1);
  const found = numbers.map((number) => readRepository(metrics, number, expected));
  const backups = found.flatMap((each) => each.backups);
  const runs = found.flatMap((each) => each.failedRuns ?? []);
  return {
    source: "metrics",
    last: newest(backups),
    lastFull: newest(backups.filter(({ type }) => type === "full")),
    failedRuns: found.some((each) => each.failedRuns === null) ? null : runs,
    repositories: found.map(({ repository }) => repository),
    findings: [
      ...faults.map((fault) => unknown(`Metrics of the backups cannot be read: ${fault}.`)),
      ...found.flatMap(({ findings }) => findings),
      ...findInDumps(metrics, expected, databases),
      ...findInDrills(metrics, expected),
    ],
  };
}

/** Returns the last drills. The metrics have no deploys. */
export function measureOperations({ samples }: MetricFiles, now: Date): OperationValues {
  const metrics = new Metrics(samples, now);
  const of = (name: string) => metrics.value(`backup_drill_${name}`);
  const started = of("last_timestamp_seconds");
  if (started === undefined) return { deploys: null, lastDrill: null, lastPassedDrill: null };
  const [passedAt, couldNotRun, passed] = [of("last_passed_timestamp_seconds"), of("could_not_run"), of("passed")];
  const [evidence] = metrics.all("backup_drill_evidence_number");
  // These metrics describe the last drill that gave a result.
  const times = { rtoSeconds: of("rto_seconds") ?? null, rpoSeconds: of("rpo_seconds") ?? null };
  const noTimes = { rtoSeconds: null, rpoSeconds: null };
  const last: DrillValue = {
    startedAt: isoTime(started),
    outcome: couldNotRun === 1 ? "could not run" : passed === 1 ? "passed" : "failed",
    reasons: couldNotRun === 0 && passed === 1 ? [] : null,
    ...(couldNotRun === 1 ? noTimes : times),
    evidence: evidence === undefined ? null : { number: evidence.value, hash: evidence.labels.hash ?? "" },
  };
  const lastPassed = (at: number): DrillValue =>
    at === started && last.outcome === "passed"
      ? last
      : { startedAt: isoTime(at), outcome: "passed", reasons: [], ...(passed === 1 ? times : noTimes) };
  return { deploys: null, lastDrill: last, lastPassedDrill: passedAt === undefined ? null : lastPassed(passedAt) };
}

interface ReadRepository {
  repository: MeasuredRepository;
  backups: MeasuredBackup[];
  failedRuns: MeasuredBackups["failedRuns"];
  findings: SubjectFinding[];
}

function readRepository(metrics: Metrics, number: number, expected: ExpectedBackups): ReadRepository {
  const of = expected.repositories === 1 ? "" : ` ${number}`;
  const scannedAt = metrics.ofRepository("backup_scan_timestamp_seconds", number)[0]?.value;
  const backups = metrics.ofRepository("backup_last_completion_timestamp_seconds", number).map(
    ({ labels, value }): MeasuredBackup => ({
      ...{ repository: number, type: labels.type ?? "unknown" },
      ...{ finishedAt: isoTime(value), ageSeconds: Math.round(metrics.age(value)) },
    }),
  );
  const runs = metrics.ofRepository("backup_failed_runs", number);
  const failed = runs.filter(({ value }) => value !== 0).map(({ labels }) => labels.type ?? "unknown");
  const lag = readLag(metrics, number, of);
  return {
    repository: { number, scannedAt: scannedAt === undefined ? null : isoTime(scannedAt), archivedUntil: lag.until },
    backups,
    failedRuns: runs.length === 0 ? null : failed.map((type) => ({ repository: number, type })),
    findings: [
      ...findInScan(metrics, scannedAt, number, of),
      ...(scannedAt === undefined ? [] : findInBackups(backups, expected, isAnswered(metrics, scannedAt, number), of)),
      ...failed.map((type) =>
        wrong(`The last backup run of type ${type}${of && ` in repository${of}`} failed, or was killed.`),
      ),
      ...lag.findings,
    ],
  };
}

/** Returns true if a current scan could tell the state of the repository. */
function isAnswered(metrics: Metrics, scannedAt: number, number: number): boolean {
  return metrics.isCurrent(scannedAt, maxScanAgeSeconds) && scanFindings(metrics, number, "unknown") === 0;
}

function scanFindings(metrics: Metrics, number: number, level: string): number | undefined {
  return metrics.ofRepository("backup_scan_findings", number).find(({ labels }) => labels.level === level)?.value;
}

function findInScan(metrics: Metrics, scannedAt: number | undefined, number: number, of: string): SubjectFinding[] {
  if (scannedAt === undefined) return [unknown(`The backup repository${of} has not been scanned yet.`)];
  const when = `(scanned ${ago(metrics.age(scannedAt))})`;
  const [wrongs, unknowns] = ["wrong", "unknown"].map((level) => scanFindings(metrics, number, level));
  const isCurrent = metrics.isCurrent(scannedAt, maxScanAgeSeconds);
  const counted = (count: number) => (count === 1 ? "1 problem" : `${count} problems`);
  return [
    ...(wrongs === undefined || wrongs === 0
      ? []
      : [wrong(`The scan of the backup repository${of} found ${counted(wrongs)} ${when}. See pgw backup list.`)]),
    ...(wrongs === undefined || unknowns === undefined || unknowns > 0
      ? [unknown(`The scan of the backup repository${of} could not tell its state ${when}. See pgw backup list.`)]
      : []),
    ...(isCurrent
      ? []
      : [
          unknown(
            `The backup repository${of} was last scanned ${ago(metrics.age(scannedAt))}, so the state of the backups is not known.`,
          ),
        ]),
  ];
}

/** @param answered true if a current scan could tell the state of the repository */
function findInBackups(
  backups: readonly MeasuredBackup[],
  { intervals }: ExpectedBackups,
  answered: boolean,
  of: string,
): SubjectFinding[] {
  const where = of === "" ? "" : ` in repository${of}`;
  const past = backups.filter(({ ageSeconds }) => !isInFuture(ageSeconds));
  const future = backups.filter(({ ageSeconds }) => isInFuture(ageSeconds));
  const full = past.filter(({ type }) => type === "full");
  const missing = (what: string) => (answered ? [wrong(`There is no ${what} that can be restored${where}.`)] : []);
  return [
    ...future.map(({ type, finishedAt }) =>
      wrong(`The time of the last ${type} backup${where}, ${finishedAt}, is in the future, so its age is not known.`),
    ),
    ...(backups.length === 0 ? missing("backup") : full.length + future.length === 0 ? missing("full backup") : []),
    ...(intervals === null && backups.length > 0 ? [unknown(`The interval between backups is not known.`)] : []),
    ...tooOld(`backup${where}`, newest(past), intervals?.incr),
    ...tooOld(`full backup${where}`, newest(full), intervals?.full),
  ];
}

function tooOld(what: string, backup: MeasuredBackup | null, interval: number | undefined): SubjectFinding[] {
  if (backup === null || interval === undefined || backup.ageSeconds <= lateFactor * interval) return [];
  const age = duration(backup.ageSeconds);
  return [wrong(`The last ${what}, ${backup.finishedAt}, is ${age} old, but one is due every ${duration(interval)}.`)];
}

function readLag(metrics: Metrics, number: number, of: string): { until: string | null; findings: SubjectFinding[] } {
  const read = (name: string) => metrics.ofRepository(`backup_archive_${name}`, number)[0]?.value;
  const [measuredAt, lag, waiting] = [
    read("measured_timestamp_seconds"),
    read("lag_seconds"),
    read("waiting_segments"),
  ];
  const archive = of === "" ? "WAL archive" : `WAL archive in repository${of}`;
  const notKnown = (reason: string) => unknown(`How far the ${archive} is behind the server is not known: ${reason}.`);
  if (measuredAt === undefined || lag === undefined)
    return { until: null, findings: [notKnown("it has not been measured yet")] };
  const until = measuredAt - lag;
  const measured = ago(metrics.age(measuredAt));
  const outdated = metrics.isCurrent(measuredAt, maxLagAgeSeconds)
    ? []
    : [notKnown(`it was last measured ${measured}`)];
  const waits = waiting === undefined ? "" : `, and ${waiting} of its segments ${waiting === 1 ? "waits" : "wait"}`;
  const behind =
    lag > maxLagSeconds ? [wrong(`The ${archive} was ${duration(lag)} behind the server ${measured}${waits}.`)] : [];
  return { until: isoTime(until), findings: [...behind, ...outdated] };
}

function findInDumps(
  metrics: Metrics,
  { dumpMaxAge }: ExpectedBackups,
  databases: readonly string[],
): SubjectFinding[] {
  if (dumpMaxAge === null) return [];
  const damaged = metrics.value("dump_damaged");
  if (damaged === undefined) return [unknown("No scheduled dump has been made yet.")];
  return [
    ...databases.flatMap((database) => findInDump(metrics, database, dumpMaxAge)),
    ...(damaged === 0 ? [] : [wrong(`Damaged scheduled dumps: ${damaged}. See pgw dumps list --scheduled.`)]),
  ];
}

function findInDump(metrics: Metrics, database: string, maxAge: number): SubjectFinding[] {
  const failed =
    metrics.value("dump_failed", { database }) === 1 ? [wrong(`The last scheduled dump of ${database} failed.`)] : [];
  const made = metrics.value("dump_last_completion_timestamp_seconds", { database });
  if (made === undefined) return [...failed, wrong(`There is no intact scheduled dump of ${database}.`)];
  const age = metrics.age(made);
  const newestDump = `The newest intact scheduled dump of ${database}, ${isoTime(made)},`;
  if (isInFuture(age)) return [...failed, wrong(`${newestDump} is in the future, so its age is not known.`)];
  if (age <= maxAge) return failed;
  return [...failed, wrong(`${newestDump} was made ${ago(age)}; at most ${duration(maxAge)} are expected.`)];
}

function findInDrills(metrics: Metrics, { drillMaxAge }: ExpectedBackups): SubjectFinding[] {
  if (drillMaxAge === null) return [];
  const of = (name: string) => metrics.value(`backup_drill_${name}`);
  if (of("last_timestamp_seconds") === undefined) return [unknown("No restore drill has been made.")];
  const passed = of("passed");
  if (passed === undefined) return [unknown("No restore drill has given a result yet.")];
  const missed = metrics.all("backup_drill_objective_missed").filter(({ value }) => value === 1);
  const objectives = missed.map(({ labels }) => labels.objective ?? "an objective").join(" and ");
  const because = objectives === "" ? "" : `: it missed ${objectives}`;
  if (passed === 0) return [wrong(`The last restore drill that gave a result has failed${because}.`)];
  const started = of("last_passed_timestamp_seconds");
  if (started === undefined) return [unknown("When the last restore drill passed is not known.")];
  const age = metrics.age(started);
  const text = `The last restore drill that passed started at ${isoTime(started)}`;
  if (isInFuture(age)) return [unknown(`${text}, which is in the future, so its age is not known.`)];
  return age <= drillMaxAge ? [] : [wrong(`${text}, ${ago(age)}; at most ${duration(drillMaxAge)} are allowed.`)];
}

function newest<Backup extends { ageSeconds: number }>(backups: readonly Backup[]): Backup | null {
  return backups.reduce<Backup | null>(
    (best, each) => (best === null || each.ageSeconds < best.ageSeconds ? each : best),
    null,
  );
}

function wrong(text: string): SubjectFinding {
  return { level: "wrong", text };
}

function unknown(text: string): SubjectFinding {
  return { level: "unknown", text };
}

/** Last second of the year 9999. A damaged file can have a time that is no date. */
const lastSecond = 253_402_300_799;

function isoTime(seconds: number): string {
  return new Date(Math.min(Math.max(Math.round(seconds), 0), lastSecond) * 1_000).toISOString();
}
