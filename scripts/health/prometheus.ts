import { Gauge, Registry } from "prom-client";
import type { TablesValues } from "./collectors/tables.ts";
import { currentSubjects } from "./judge.ts";
import type { Observation } from "./monitor.ts";
import type { ProbeResult } from "./probe.ts";
import { partNames } from "./snapshot.ts";

/** Content type of {@link prometheusText}. */
export const prometheusType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Formats an observation for Prometheus. A value that is not known has no sample: an alert for absence detects it. A
 * snapshot of a server that does not answer any more is not shown as if it were current.
 */
export async function prometheusText(observation: Observation, probe: ProbeResult): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, samples: readonly Sample[]) => {
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const made = new Gauge({ name: `pgroundwork_${name}`, help, registers: [registry], labelNames });
    // prom-client shows 0 for a gauge without labels that was never set.
    const known = samples.filter(({ value }) => value !== null);
    if (known.length === 0) registry.removeSingleMetric(`pgroundwork_${name}`);
    for (const { labels = {}, value } of known) made.set(labels, value ?? 0);
  };
  const one = (name: string, help: string, value: number | null) => gauge(name, help, [{ value }]);

  one("up", "1 if the server answers a query, else 0.", probe.answers ? 1 : 0);
  one(
    "probe_seconds",
    "Time that the server took to answer the probe.",
    probe.answers ? probe.responseMs / 1_000 : null,
  );
  const { snapshot, rates, status } = observation;
  const { parts } = snapshot;
  one("snapshot_timestamp_seconds", "Time of the snapshot.", snapshot.takenAt.getTime() / 1_000);
  one("snapshot_duration_seconds", "Time that the snapshot took.", snapshot.durationMs / 1_000);
  gauge(
    "collector_success",
    "1 if the collector could read its values, else 0.",
    partNames.map((collector) => ({ labels: { collector }, value: parts[collector].known ? 1 : 0 })),
  );
  const { backups } = parts;
  const finishedAt = (backup: { finishedAt: string } | null | undefined) =>
    backup === null || backup === undefined ? null : Date.parse(backup.finishedAt) / 1_000;
  const made = backups.known ? backups.value : null;
  one("last_backup_timestamp_seconds", "End of the last complete backup.", finishedAt(made?.last));
  one("last_full_backup_timestamp_seconds", "End of the last full backup.", finishedAt(made?.lastFull));
  one("failed_backup_runs", "Failed backup runs that no later backup made up for.", made?.failedRuns?.length ?? null);
  gauge(
    "subject_level",
    "State of a subject: 0 ok, 1 warning, 2 critical. No sample: not known.",
    currentSubjects(status.subjects, probe).map(({ name, database = "", level }) => ({
      labels: { subject: name, database },
      value: levels[level] ?? null,
    })),
  );
  if (!probe.answers) return registry.metrics();

  const { connections, sessions, locks, activity, statements, sizes, host, freeze, wal, replication } = parts;
  one("primary", "1 on a primary, 0 on a replica.", probe.role === "primary" ? 1 : 0);
  one("writable", "1 if transactions can write, else 0.", probe.isWritable ? 1 : 0);
  one("connections", "Connections of the server.", probe.connections);
  one(
    "connections_maximum",
    "Connections that ordinary roles can open.",
    connections.known ? connections.value.maximum : null,
  );
  const states = ["active", "idle", "idleInTransaction"] as const;
  gauge(
    "sessions",
    "Sessions of clients by state.",
    states.map((state) => ({ labels: { state }, value: sessions.known ? sessions.value[state] : null })),
  );
  one("sessions_waiting", "Sessions that wait for a lock.", locks.known ? locks.value.waiting : null);
  one("longest_wait_seconds", "Longest wait for a lock.", locks.known ? locks.value.longestWaitSeconds : null);
  one("deadlocks", "Deadlocks since statistics were reset.", activity.known ? activity.value.deadlocks : null);
  one(
    "temporary_bytes",
    "Temporary files written since statistics were reset.",
    activity.known ? activity.value.temporaryBytes : null,
  );
  one("transactions_per_second", "Transactions since the snapshot before.", rates.transactionsPerSecond);
  one("cache_hit_ratio", "Share of pages found in shared_buffers since the snapshot before.", rates.cacheHitRatio);
  one("statement_mean_seconds", "Mean time of statements since the snapshot before.", seconds(rates.meanStatementMs));
  one(
    "slow_statements",
    "Statements whose mean time is above the threshold.",
    statements.known ? statements.value.slow : null,
  );
  const { server } = parts;
  one(
    "server_certificate_expiry_timestamp_seconds",
    "End of the validity of the server's certificate. No sample: the session has no TLS.",
    server.known && server.value.certificateExpiresAt !== null
      ? server.value.certificateExpiresAt.getTime() / 1_000
      : null,
  );
  const observed = Object.entries(snapshot.databases);
  const inTables = (name: Exclude<keyof TablesValues, "largest">) =>
    observed.map(([database, { tables }]) => ({
      labels: { database },
      value: tables.known ? tables.value[name] : null,
    }));
  gauge("invalid_indexes", "Indexes that are not valid and are not being built.", inTables("invalidIndexes"));
  gauge(
    "tables_behind_vacuum",
    "Tables with twice as many dead rows as those at which autovacuum starts.",
    inTables("vacuumBehind"),
  );
  gauge("tables", "Tables of the database.", inTables("count"));
  gauge("live_rows", "Rows of all tables, as the server estimates them.", inTables("liveRows"));
  gauge("dead_rows", "Rows that vacuum has not removed yet, as the server estimates them.", inTables("deadRows"));
  gauge("sequential_scans", "Sequential scans since statistics were reset.", inTables("sequentialScans"));
  gauge("index_scans", "Index scans since statistics were reset.", inTables("indexScans"));
  const inLargest = (name: "bytes" | "deadRows") =>
    observed.flatMap(([database, { tables }]) =>
      (tables.known ? tables.value.largest : []).map(({ name: table, [name]: value }) => ({
        labels: { database, table },
        value,
      })),
    );
  gauge("table_bytes", "Size of one of the ten largest tables, without its indexes.", inLargest("bytes"));
  gauge("table_dead_rows", "Dead rows of one of the ten largest tables.", inLargest("deadRows"));
  const sized = sizes.known ? Object.entries(sizes.value.databases) : [];
  gauge(
    "database_bytes",
    "Size of a database.",
    sized.map(([database, value]) => ({ labels: { database }, value })),
  );
  one("disk_free_bytes", "Free space on the disk of the data directory.", host.known ? host.value.diskFreeBytes : null);
  one("disk_bytes", "Size of the disk of the data directory.", host.known ? host.value.diskBytes : null);
  const { load, processors, memoryBytes, memoryFreeBytes } = host.known ? host.value : noHost;
  one("host_load", "Processes of the machine that wanted to run in the last minute, on average.", load);
  one("host_processors", "Processors of the machine.", processors);
  one("host_memory_bytes", "Memory of the machine.", memoryBytes);
  one("host_memory_free_bytes", "Memory of the machine that is free or can be freed.", memoryFreeBytes);
  one("freeze_age", "Age of the oldest transaction id, in transactions.", freeze.known ? freeze.value.age : null);
  const archive = wal.known && wal.value.archive !== "off" ? wal.value.archive : null;
  one(
    "archive_waiting_segments",
    "WAL segments that are not archived yet.",
    wal.known ? wal.value.waitingSegments : null,
  );
  one(
    "archive_failing",
    "1 if the last attempt to archive WAL failed.",
    archive === null ? null : archive === "failing" ? 1 : 0,
  );
  const { errors } = parts;
  gauge(
    "logged_errors",
    "Errors in the server's log since they are counted, by class of SQLSTATE.",
    (errors.known ? errors.value.counts : []).map(({ severity, sqlstateClass, sqlstate, database, count }) => ({
      labels: { severity, class: sqlstateClass, sqlstate: sqlstate ?? "", database: database ?? "" },
      value: count,
    })),
  );
  const slots = replication.known ? replication.value.slots : [];
  gauge(
    "slot_retained_bytes",
    "WAL that a replication slot retains.",
    slots.map(({ name: slot, retainedBytes: value }) => ({ labels: { slot }, value })),
  );
  return registry.metrics();
}

const noHost = { load: null, processors: null, memoryBytes: null, memoryFreeBytes: null };

interface Sample {
  labels?: Record<string, string>;
  value: number | null;
}

const levels: Readonly<Record<string, number>> = { ok: 0, warning: 1, critical: 2 };

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}
