import type { z } from "zod";
import type { HealthSettings } from "../collector.ts";
import type { History } from "../history.ts";
import { currentSubjects, isTroubled } from "../judge.ts";
import type { Observation } from "../monitor.ts";
import type { ProbeResult } from "../probe.ts";
import type { PartName, Snapshot } from "../snapshot.ts";
import type * as answers from "./answers.ts";

type Answer<Name extends keyof typeof answers> = z.infer<(typeof answers)[Name]>;

/** Returns the answer to the question whether the database serves, and its HTTP status. */
export function databaseView(
  probe: ProbeResult,
  settings: HealthSettings,
  role: string | null,
): { status: number; body: Answer<"database"> } {
  const common = { responseTimeMs: round(probe.responseMs), checkedAt: probe.at.toISOString() };
  if (!probe.answers) {
    const nothing = { role: null, writable: null, connections: null };
    return { status: 503, body: { status: "critical", reasons: [probe.reason], ...nothing, ...common } };
  }
  const percent = (100 * probe.connections) / probe.maximum;
  const { warning, critical } = settings.connectionPercent;
  const used = `${probe.connections} of ${probe.maximum} connections are used (${Math.round(percent)} %)`;
  const failures = [
    ...(percent >= critical ? [used] : []),
    ...(probe.role === "primary" && !probe.isWritable ? ["transactions are read-only"] : []),
    ...(role !== null && role !== probe.role ? [`the server is a ${probe.role}, not a ${role}`] : []),
  ];
  const warnings = percent >= warning && percent < critical ? [used] : [];
  const status = failures.length > 0 ? "critical" : warnings.length > 0 ? "warning" : "healthy";
  return {
    status: failures.length > 0 ? 503 : 200,
    body: {
      status,
      reasons: [...failures, ...warnings],
      role: probe.role,
      writable: probe.isWritable,
      connections: { total: probe.connections, maximum: probe.maximum, percent: round(percent) },
      ...common,
    },
  };
}

/** Returns the metrics of an observation. A server that does not answer has no current values. */
export function metricsView(
  { snapshot, rates, status }: Observation,
  probe: ProbeResult,
  history: History,
  isDetailed: boolean,
): Answer<"metrics"> {
  const { connections, sessions, statements, sizes, host, replication } = current(snapshot, probe);
  const lags = replication?.standbys.flatMap(({ lagBytes }) => (lagBytes === null ? [] : [lagBytes])) ?? [];
  const { oldestTransactionSeconds: _, ...counts } = sessions ?? { oldestTransactionSeconds: null };
  return {
    status: probe.answers ? status.level : "critical",
    up: probe.answers,
    takenAt: snapshot.takenAt.toISOString(),
    subjects: currentSubjects(status.subjects, probe).map((subject) => ({
      ...subject,
      since: isTroubled(subject) ? (history.troubledSince(subject) ?? snapshot.takenAt.toISOString()) : null,
    })),
    connections: connections ?? null,
    sessions: sessions === undefined ? null : (counts as NonNullable<Answer<"metrics">["sessions"]>),
    queries: {
      avgQueryTime: statements === undefined ? null : mean(statements, rates.meanStatementMs),
      slowQueries: statements?.slow ?? null,
      cacheHitRatio: probe.answers ? rates.cacheHitRatio : null,
      transactionsPerSecond: probe.answers ? rates.transactionsPerSecond : null,
    },
    storage: {
      databaseBytes: sizes?.total ?? null,
      diskFreeBytes: host?.diskFreeBytes ?? null,
      diskPercent: host?.diskPercent ?? null,
    },
    replication: {
      standbys: replication?.standbys.length ?? null,
      maximumLagBytes: lags.length === 0 ? null : Math.max(...lags),
      receiving: replication?.isReceiving ?? null,
    },
    uptime: history.uptime(new Date()),
    ...(isDetailed
      ? { detailed: { parts: { ...snapshot.parts }, databases: { ...snapshot.databases }, trend: trend(history) } }
      : {}),
  };
}

/** Returns the summary for an admin page, in the shape that its users know. */
export function adminHealthView(
  { snapshot, rates }: Observation,
  probe: ProbeResult,
  history: History,
): Answer<"adminHealth"> {
  const { sessions, statements } = current(snapshot, probe);
  const { backups } = snapshot.parts;
  const uptime = history.uptime(new Date());
  return {
    status: probe.answers ? "connected" : "disconnected",
    connections: {
      active: sessions?.active ?? null,
      idle: sessions?.idle ?? null,
      total: probe.answers ? probe.connections : null,
    },
    performance: {
      avgQueryTime: statements === undefined ? null : mean(statements, rates.meanStatementMs),
      slowQueries: statements?.slow ?? null,
    },
    uptime: uptime === null ? null : `${(Math.floor(uptime * 1_000) / 10).toFixed(1)}%`,
    lastBackup: backups.known ? (backups.value?.last?.finishedAt ?? null) : null,
  };
}

export function adminActivityView({ snapshot }: Observation, probe: ProbeResult): Answer<"adminActivity"> {
  const { sessions, locks } = current(snapshot, probe);
  const { oldestTransactionSeconds: _, ...counts } = sessions ?? { oldestTransactionSeconds: null };
  return {
    sessions: sessions === undefined ? null : (counts as NonNullable<Answer<"adminActivity">["sessions"]>),
    blockers: locks?.blockers ?? null,
    unknown: reasons(snapshot, probe, ["sessions", "locks"]),
  };
}

export function adminPerformanceView({ snapshot, rates }: Observation, probe: ProbeResult): Answer<"adminPerformance"> {
  const { statements } = current(snapshot, probe);
  return {
    avgQueryTime: statements === undefined ? null : mean(statements, rates.meanStatementMs),
    slowQueries: statements?.slow ?? null,
    cacheHitRatio: probe.answers ? rates.cacheHitRatio : null,
    transactionsPerSecond: probe.answers ? rates.transactionsPerSecond : null,
    topStatements: statements?.top ?? null,
    otherStatements: statements?.others ?? null,
    unknown: reasons(snapshot, probe, ["statements", "activity"]),
  };
}

type Values = { [Name in PartName]?: Extract<Snapshot["parts"][Name], { known: true }>["value"] };

/** Returns the values of the known parts; none if the server does not answer any more. */
function current({ parts }: Snapshot, probe: ProbeResult): Values {
  if (!probe.answers) return {};
  const known = Object.entries(parts).flatMap(([name, part]) => (part.known ? [[name, part.value] as const] : []));
  return Object.fromEntries(known) as Values;
}

function reasons({ parts }: Snapshot, probe: ProbeResult, names: readonly PartName[]): string[] {
  if (!probe.answers) return [probe.reason];
  return names.flatMap((name) => {
    const part = parts[name];
    return part.known ? [] : [`${name}: ${part.reason}`];
  });
}

/** Returns the mean time since the last snapshot, else since the statistics were reset; null without statements. */
function mean({ calls, totalMs }: { calls: number; totalMs: number }, recent: number | null): number | null {
  if (recent !== null) return round(recent);
  return calls === 0 ? null : round(totalMs / calls);
}

function trend(history: History): NonNullable<Answer<"metrics">["detailed"]>["trend"] {
  return history.entries.map(({ systemIdentifier: _, role: __, troubled: ___, ...entry }) => entry);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
