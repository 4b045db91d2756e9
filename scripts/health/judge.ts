import type { Limits } from "../model/health-settings.ts";
import type { BackupValues, HealthSettings, MeasuredBackups, RepositoryBackups } from "./collector.ts";
import type { MigrationValues } from "./collectors/migrations.ts";
import type { ServerValues } from "./collectors/server.ts";
import type { WalValues } from "./collectors/wal.ts";
import { judgeJobs } from "./jobs.ts";
import { judgeErrors } from "./logged-errors.ts";
import { judgePooler } from "./pooler.ts";
import type { ProbeResult } from "./probe.ts";
import type { Rates } from "./rates.ts";
import type { Part, PartName, Snapshot } from "./snapshot.ts";

export type HealthLevel = "ok" | "warning" | "critical" | "unknown";

/** `not-applicable`: the server does not have what the subject is about. */
export type SubjectLevel = HealthLevel | "not-applicable";

/** State of one subject. */
export interface Subject {
  name: string;
  /** Database that the subject is about. Absent if it is about the whole server. */
  database?: string;
  level: SubjectLevel;
  /** Says what was found, with its values, or why it is not known. */
  detail: string;
}

/** Returns true if a subject needs attention. */
export function isTroubled({ level }: Pick<Subject, "level">): boolean {
  return level === "warning" || level === "critical";
}

/** Returns the subjects that are current. Of a server that does not answer, only its backups are read elsewhere. */
export function currentSubjects(subjects: readonly Subject[], probe: ProbeResult): Subject[] {
  if (probe.answers) return [...subjects];
  const down: Subject = { name: "server", level: "critical", detail: probe.reason };
  return [down, ...subjects.filter(({ name }) => name === "backups")];
}

/** Returns the name of a subject, with its database if it has one. */
export function subjectLabel({ name, database }: { name: string; database?: string | undefined }): string {
  return database === undefined ? name : `${name} (${database})`;
}

/** State of a server. */
export interface HealthStatus {
  /** `unknown` only if a required subject is unknown and nothing is critical. */
  level: HealthLevel;
  subjects: Subject[];
}

/** Subjects without which a server's state is not known. */
export const requiredSubjects: readonly string[] = ["server", "connections"];

/** Judges a snapshot. */
export function judge(
  { parts, pooler, databases, unreachable, takenAt }: Snapshot,
  rates: Rates,
  settings: HealthSettings,
  required: readonly string[] = requiredSubjects,
): HealthStatus {
  const down: Subject = { name: "server", level: "critical", detail: unreachable ?? "" };
  const subjects: Subject[] = [
    unreachable !== undefined ? down : subject("server", parts.server, (values) => serverState(values, takenAt)),
    subject("connections", parts.connections, ({ total, maximum, percent }) => [
      above(percent, settings.connectionPercent),
      `${total} of ${maximum} used (${Math.round(percent)} %)`,
    ]),
    subject("queries", parts.statements, ({ calls, totalMs, slow, hidden }) => {
      const mean = rates.meanStatementMs ?? (calls > 0 ? totalMs / calls : 0);
      const since = rates.meanStatementMs === null ? "since statistics were reset" : "since the last snapshot";
      const unseen = hidden === 0 ? "" : `; ${hidden} statements of other roles are hidden`;
      const text = `${mean.toFixed(1)} ms on average ${since}, ${slow} statements slower than ${settings.slowQueryMs} ms${unseen}`;
      return [hidden > 0 ? "unknown" : above(mean, settings.queryMs), text];
    }),
    subject("locks", parts.locks, ({ waiting, longestWaitSeconds, blockers }) => {
      if (waiting === 0) return ["ok", "no session waits"];
      const holders = blockers.map(({ pid, application }) => `session ${pid}${application && ` (${application})`}`);
      const text = `${waiting} sessions wait, the longest for ${Math.round(longestWaitSeconds ?? 0)} s, for ${holders.join(", ") || "an unknown session"}`;
      return [above(longestWaitSeconds ?? 0, { warning: 30, critical: 300 }), text];
    }),
    subject("storage", parts.host, ({ diskPercent, diskFreeBytes }) => [
      above(diskPercent, settings.storagePercent),
      `${Math.round(diskPercent)} % used, ${(diskFreeBytes / 1024 ** 3).toFixed(1)} GB free`,
    ]),
    subject("archive", parts.wal, archiveState),
    subject("replication", parts.replication, ({ standbys, slots, isReceiving, replayedSecondsAgo }) => {
      if (isReceiving === false) return ["critical", "this replica receives no WAL"];
      const lost = slots.filter(({ state }) => state === "lost" || state === "unreserved");
      if (lost.length > 0) return ["critical", `slots without their WAL: ${lost.map(({ name }) => name).join(", ")}`];
      const idle = slots.filter(({ isActive, retainedBytes }) => !isActive && (retainedBytes ?? 0) > 1024 ** 3);
      if (idle.length > 0)
        return ["warning", `slots that retain WAL without a client: ${idle.map(({ name }) => name).join(", ")}`];
      if (isReceiving) return ["ok", `replica, last replayed commit ${Math.round(replayedSecondsAgo ?? 0)} s ago`];
      return ["ok", `${standbys.length} standbys, ${slots.length} slots`];
    }),
    subject("freeze", parts.freeze, ({ database, age, autovacuumAge }) => [
      above(age, { warning: 1.25 * autovacuumAge, critical: 1_500_000_000 }),
      `oldest transaction id: ${Math.round(age).toLocaleString("en-US")} transactions, in database ${database}`,
    ]),
    ...Object.entries(databases).map(([database, { migrations }]) => ({
      ...subject("migrations", migrations, migrationState),
      database,
    })),
    subject("backups", parts.backups, backupState),
    subject("jobs", parts.jobs, judgeJobs),
    subject("errors", parts.errors, (counts) => judgeErrors(counts, takenAt)),
    ...(pooler === undefined ? [] : poolerSubject(pooler)),
  ];
  return { level: overall(subjects, required), subjects };
}

/** Days before the end of the server's certificate, as in the alerts. `up` renews it 60 days before. */
const certificateDays = { warning: 14, critical: 2 };

function serverState(values: ServerValues, at: Date): [HealthLevel, string] {
  const { version, role, isWritable, startedAt, database, certificateExpiresAt: end } = values;
  const what = `PostgreSQL ${version}, ${role}, read in database ${database}, up since ${startedAt.toISOString()}`;
  if (role === "primary" && !isWritable)
    return ["critical", `${what}; transactions are read-only (default_transaction_read_only)`];
  const days = end === null ? Number.POSITIVE_INFINITY : (end.getTime() - at.getTime()) / 86_400_000;
  if (days >= certificateDays.warning) return ["ok", what];
  const level = days < certificateDays.critical ? "critical" : "warning";
  return [level, `${what}; its certificate ends at ${end?.toISOString()}`];
}

/** Time in s without progress after which an archive command counts as hanging, as in the alert. */
const longestWaitSeconds = 300;

function archiveState(values: WalValues): [HealthLevel, string] {
  const { archive, lastArchivedAt, lastArchiveFailureAt, waitingSegments, waitingSeconds } = values;
  const last = lastArchivedAt === null ? "nothing was ever archived" : `last success ${lastArchivedAt.toISOString()}`;
  if (archive === "failing")
    return ["critical", `failing since or before ${lastArchiveFailureAt?.toISOString()}; ${last}`];
  if (archive === "off") return ["ok", archive];
  if (waitingSegments === null)
    return ["unknown", `${archive}, but the role may not see which segments wait (pg_monitor)`];
  const wait = `${waitingSegments} ${waitingSegments === 1 ? "segment waits" : "segments wait"}`;
  if ((waitingSeconds ?? 0) > longestWaitSeconds)
    return ["critical", `no progress for ${Math.round(waitingSeconds ?? 0)} s; ${wait}; ${last}`];
  return ["ok", `${archive}; ${wait}; ${last}`];
}

/** Returns the subject of a stack with a pooler. */
function poolerSubject(pooler: NonNullable<Snapshot["pooler"]>): Subject[] {
  const name = "pooler";
  if (!pooler.known) return [{ name, level: "unknown", detail: pooler.reason }];
  if (pooler.value === null) return [];
  const [level, detail] = judgePooler(pooler.value);
  return [{ name, level, detail }];
}

function backupState(values: BackupValues | null): [SubjectLevel, string] {
  if (values === null) return ["not-applicable", "the stack makes no backups"];
  return values.source === "metrics" ? measuredState(values) : repositoryState(values);
}

/** Judges what metrics say. Findings say if there is no backup, because a missing metric does not. */
function measuredState({ last, lastFull, repositories, findings }: MeasuredBackups): [HealthLevel, string] {
  const archived = repositories.map(({ archivedUntil }) => archivedUntil ?? "unknown");
  const said = [
    last === null ? "no backup is known" : `last ${last.type} ${last.finishedAt}`,
    ...(lastFull === null || lastFull === last ? [] : [`last full ${lastFull.finishedAt}`]),
    `WAL archived until ${archived.join(" and ")}`,
    ...findings.map(({ text }) => text),
  ].join("; ");
  if (findings.some(({ level }) => level === "wrong")) return ["critical", said];
  return [findings.length > 0 || last === null ? "unknown" : "ok", said];
}

function repositoryState(values: RepositoryBackups): [HealthLevel, string] {
  const { last, lastFull, restorableFrom, lastArchivedAt, underWay, findings } = values;
  const said = [
    last === null ? "no backup" : `last ${last.type} ${last.finishedAt}`,
    ...(lastFull === null || lastFull.label === last?.label ? [] : [`last full ${lastFull.finishedAt}`]),
    ...(restorableFrom === null
      ? []
      : [`restores from ${restorableFrom}, WAL archived until ${lastArchivedAt ?? "unknown"}`]),
    ...(underWay ? ["one is being made now"] : []),
    ...findings.map(({ text }) => text),
  ].join("; ");
  if (last === null || findings.some(({ level }) => level === "wrong")) return ["critical", said];
  return [findings.length > 0 || lastArchivedAt === null ? "unknown" : "ok", said];
}

function migrationState(values: MigrationValues): [SubjectLevel, string] {
  const { hasLedger, applied, begun, lastFile, pending, problems } = values;
  const said = hasLedger ? `${applied} applied, last ${lastFile ?? "none"}` : "none of the kit's";
  const found = [
    ...(begun === 0 ? [] : [`${begun} running or interrupted`]),
    ...(pending === null || pending.length === 0 ? [] : [`${pending.length} pending: ${few(pending)}`]),
    ...(problems === null || problems.length === 0 ? [] : [`differs from the files: ${few(problems)}`]),
  ];
  if (found.length > 0) return ["warning", `${[said, ...found].join("; ")}: see migrate status`];
  if (pending !== null) return ["ok", `${said}, none pending`];
  return hasLedger ? ["unknown", `${said}; not compared with files, which are not here`] : ["not-applicable", said];
}

/** Names listed in one line. */
const namedAtMost = 3;

function few(names: readonly string[]): string {
  const more = names.length - namedAtMost;
  return [...names.slice(0, namedAtMost), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

function subject<Name extends PartName>(
  name: string,
  part: Part<Name>,
  state: (values: Extract<Part<Name>, { known: true }>["value"]) => [SubjectLevel, string],
): Subject {
  if (!part.known) return { name, level: "unknown", detail: part.reason };
  const [level, detail] = state(part.value);
  return { name, level, detail };
}

function above(value: number, { warning, critical }: Limits): HealthLevel {
  if (value >= critical) return "critical";
  return value >= warning ? "warning" : "ok";
}

function overall(subjects: readonly Subject[], required: readonly string[]): HealthLevel {
  const has = (wanted: HealthLevel) => subjects.some(({ level }) => level === wanted);
  if (has("critical")) return "critical";
  if (subjects.some(({ name, level }) => level === "unknown" && required.includes(name))) return "unknown";
  return has("warning") ? "warning" : "ok";
}
