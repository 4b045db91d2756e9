/**
 * Grafana dashboards of a stack's Prometheus. `npm run dashboards` writes them to infra/monitoring/grafana/. A test
 * runs the query of each panel on a live stack.
 */

import { backups, drills } from "./backups.ts";
import { errors } from "./errors.ts";
import { type DashboardDefinition, graph, number } from "./panels.ts";
import { tables } from "./tables.ts";

/** Returns the rate of a counter for each chosen database. */
function perDatabase(counter: string): string {
  return `sum by (datname) (rate(${counter}{datname=~"$database"}[$__rate_interval]))`;
}

const usedStorage =
  "(node_filesystem_size_bytes{volume!=''} - node_filesystem_free_bytes) / " +
  "(node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes)";
const usedConnections =
  'sum(pg_stat_activity_count{backend_type="client backend"}) / ' +
  "sum(pg_settings_max_connections - pg_settings_superuser_reserved_connections - pg_settings_reserved_connections)";
const cacheHits =
  "sum(rate(pg_stat_database_blks_hit[$__rate_interval])) / " +
  "sum(rate(pg_stat_database_blks_hit[$__rate_interval]) + rate(pg_stat_database_blks_read[$__rate_interval]))";

const overview: DashboardDefinition = {
  id: "overview",
  title: "Overview",
  description: "Whether the server is well, on one page.",
  panels: [
    number("Server answers", "bool_yes_no", "pg_up", "The exporter can log in and run SQL."),
    number("Running for", "s", "time() - pg_postmaster_start_time_seconds", "Time since the server's last start."),
    number(
      "Connections in use",
      "percentunit",
      usedConnections,
      "Share of those for applications. Alerts: 70 %, 90 %.",
    ),
    number("Fullest volume", "percentunit", `max(${usedStorage})`, "As df counts. Alerts: 80 %, 95 %."),
    number("Size of all databases", "bytes", "sum(pg_database_size_bytes)", "Without WAL."),
    number("Cache hits", "percentunit", cacheHits, "Share of block reads that PostgreSQL's own cache answers."),
    graph(
      "Transactions",
      "ops",
      {
        committed: "sum(rate(pg_stat_database_xact_commit[$__rate_interval]))",
        "rolled back": "sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))",
      },
      "Ended transactions in a second, in all databases.",
    ),
    graph(
      "Sessions by state",
      "short",
      { "{{state}}": 'sum by (state) (pg_stat_activity_count{backend_type="client backend"})' },
      "Idle in transaction should be short: it holds locks.",
    ),
    graph("Size of databases", "bytes", { "{{datname}}": "pg_database_size_bytes" }, "Without WAL."),
    graph("Storage in use", "percentunit", { "{{volume}}": usedStorage }, "Volumes usually share a filesystem."),
  ],
};

const databases: DashboardDefinition = {
  id: "databases",
  title: "Databases",
  description: "The work and the growth of each database.",
  choosesDatabases: true,
  panels: [
    graph("Commits", "ops", { "{{datname}}": perDatabase("pg_stat_database_xact_commit") }, "In a second."),
    graph("Rollbacks", "ops", { "{{datname}}": perDatabase("pg_stat_database_xact_rollback") }, "In a second."),
    graph(
      "Rows read",
      "ops",
      {
        "{{datname}} scanned": perDatabase("pg_stat_database_tup_returned"),
        "{{datname}} by index": perDatabase("pg_stat_database_tup_fetched"),
      },
      "Many more scanned rows than rows by index: look for sequential scans of large tables.",
    ),
    graph(
      "Rows written",
      "ops",
      {
        "{{datname}} inserted": perDatabase("pg_stat_database_tup_inserted"),
        "{{datname}} updated": perDatabase("pg_stat_database_tup_updated"),
        "{{datname}} deleted": perDatabase("pg_stat_database_tup_deleted"),
      },
      "In a second.",
    ),
    graph(
      "Blocks read from outside the cache",
      "ops",
      { "{{datname}}": perDatabase("pg_stat_database_blks_read") },
      "From the operating system's cache or the disk.",
    ),
    graph(
      "Temporary files",
      "Bps",
      { "{{datname}}": perDatabase("pg_stat_database_temp_bytes") },
      "Sorts and hashes that did not fit into work_mem.",
    ),
    graph("Deadlocks", "ops", { "{{datname}}": perDatabase("pg_stat_database_deadlocks") }, "In a second."),
    graph("Size", "bytes", { "{{datname}}": 'pg_database_size_bytes{datname=~"$database"}' }, "Without WAL."),
    graph(
      "Growth in a day",
      "bytes",
      { "{{datname}}": '86400 * deriv(pg_database_size_bytes{datname=~"$database"}[1h])' },
      "At the rate of the last hour.",
    ),
    graph(
      "Age of transaction IDs",
      "short",
      { "{{datname}}": 'max by (datname) (pg_database_wraparound_age_datfrozenxid_seconds{datname=~"$database"})' },
      "Transactions since the oldest row that is not frozen. At 2.1 billion, the database refuses to write.",
    ),
  ],
};

const sessions: DashboardDefinition = {
  id: "sessions",
  title: "Sessions and locks",
  description: "Who is connected, and what holds others up.",
  choosesDatabases: true,
  panels: [
    number("Connections in use", "percentunit", usedConnections, "Share of those for applications."),
    number("Limit", "short", "sum(pg_settings_max_connections)", "max_connections, including reserved ones."),
    graph(
      "Sessions by database",
      "short",
      { "{{datname}}": 'sum by (datname) (pg_stat_activity_count{datname=~"$database",datname!=""})' },
      "In any state.",
    ),
    graph(
      "Sessions by role",
      "short",
      { "{{usename}}": 'sum by (usename) (pg_stat_activity_count{datname=~"$database",usename!=""})' },
      "In any state.",
    ),
    graph(
      "Longest transaction",
      "s",
      {
        "{{datname}} {{state}}":
          'max by (datname, state) (pg_stat_activity_max_tx_duration{datname=~"$database",backend_type="client backend"})',
      },
      "It keeps VACUUM from removing rows. Alert: 30 minutes.",
    ),
    graph(
      "Locks",
      "short",
      { "{{mode}}": 'sum by (mode) (pg_locks_count{datname=~"$database"})' },
      "An accessexclusivelock blocks all others on its table.",
    ),
  ],
};

const meanTime =
  'sum by (datname, statement) (rate(pg_statements_seconds_total{datname=~"$database"}[$__rate_interval])) / ' +
  'sum by (datname, statement) (rate(pg_statements_calls_total{datname=~"$database"}[$__rate_interval]))';

const queries: DashboardDefinition = {
  id: "queries",
  title: "Queries",
  description:
    "Statements of applications. Each is named by its queryid: pgroundwork_monitoring.pg_stat_statements has its text.",
  choosesDatabases: true,
  panels: [
    graph(
      "Time spent in statements",
      "s",
      { "{{datname}}": perDatabase("pg_stat_database_active_time_seconds_total") },
      "Seconds of each second, of all roles. 1 is one session that is always at work.",
    ),
    graph(
      "Calls",
      "ops",
      {
        "{{datname}} {{statement}}":
          'topk(10, sum by (datname, statement) (rate(pg_statements_calls_total{datname=~"$database"}[$__rate_interval])))',
      },
      "In a second, of the statements with the most time or the longest mean.",
    ),
    graph(
      "Statements with the most time",
      "s",
      {
        "{{datname}} {{statement}}":
          'topk(10, sum by (datname, statement) (rate(pg_statements_seconds_total{datname=~"$database"}[$__rate_interval])))',
      },
      "Seconds of each second.",
    ),
    graph("Mean time", "s", { "{{datname}} {{statement}}": `topk(10, ${meanTime})` }, "Alerts: 1 s, 5 s."),
  ],
};

const wal: DashboardDefinition = {
  id: "wal",
  title: "WAL and checkpoints",
  description: "What the server writes to disk, and whether it is archived.",
  panels: [
    number("WAL on disk", "bytes", "sum(pg_wal_size_bytes)", "Files in pg_wal."),
    number("Segments to archive", "short", "sum(pg_wal_archive_waiting_segments)", "0 on a server that keeps up."),
    graph(
      "WAL on disk over time",
      "bytes",
      { size: "pg_wal_size_bytes" },
      "It grows if the archive fails or a slot lags.",
    ),
    graph(
      "Wait for the archive",
      "s",
      { "oldest segment": "pg_wal_archive_waiting_seconds" },
      "Alert: 5 minutes, if archiving is on.",
    ),
    graph(
      "Checkpoints",
      "ops",
      {
        timed: "rate(pg_stat_checkpointer_num_timed_total[$__rate_interval])",
        requested: "rate(pg_stat_checkpointer_num_requested_total[$__rate_interval])",
      },
      "Many requested ones: raise max_wal_size.",
    ),
    graph(
      "Time of checkpoints",
      "ms",
      {
        write: "rate(pg_stat_checkpointer_write_time_total[$__rate_interval])",
        sync: "rate(pg_stat_checkpointer_sync_time_total[$__rate_interval])",
      },
      "Milliseconds of each second.",
    ),
    graph(
      "Buffers written",
      "ops",
      {
        "by checkpoints": "rate(pg_stat_checkpointer_buffers_written_total[$__rate_interval])",
        "by the background writer": "rate(pg_stat_bgwriter_buffers_clean_total[$__rate_interval])",
      },
      "In a second.",
    ),
    graph(
      "Buffers allocated",
      "ops",
      { allocated: "rate(pg_stat_bgwriter_buffers_alloc_total[$__rate_interval])" },
      "In a second. More than the cache holds in a minute: raise shared_buffers.",
    ),
  ],
};

const replication: DashboardDefinition = {
  id: "replication",
  title: "Replication",
  description: "Standbys and other receivers of WAL. Without receivers and slots, the graphs about them are empty.",
  panels: [
    number("Is a standby", "bool_yes_no", "max(pg_replication_is_replica)", "This server replays the WAL of another."),
    number("Replay delay", "s", "max(pg_replication_lag_seconds)", "On a standby. It is 0 on a primary."),
    graph(
      "WAL that receivers do not have",
      "bytes",
      { "{{application_name}} {{state}}": "pg_wal_sender_lag_bytes" },
      "Alert: 256 MiB.",
    ),
    graph(
      "Slots in use",
      "bool",
      { "{{slot_name}}": "pg_replication_slot_slot_is_active" },
      "The server keeps WAL for each slot, also if no one uses it.",
    ),
  ],
};

const host: DashboardDefinition = {
  id: "storage",
  title: "Host and storage",
  description:
    "The machine, as the health server sees it, and the filesystems of the stack's volumes. Volumes of one Docker engine " +
    "usually share one.",
  panels: [
    graph(
      "Load for each processor",
      "short",
      { load: "pgroundwork_host_load / pgroundwork_host_processors" },
      "Processes that want to run, in the last minute. Above 1, they wait for each other.",
    ),
    graph(
      "Memory in use",
      "percentunit",
      { memory: "1 - pgroundwork_host_memory_free_bytes / pgroundwork_host_memory_bytes" },
      "Of the machine, without what can be freed.",
    ),
    graph("In use", "percentunit", { "{{volume}}": usedStorage }, "As df counts. Alerts: 80 %, 95 %."),
    graph("Free", "bytes", { "{{volume}}": "node_filesystem_avail_bytes{volume!=''}" }, "For users other than root."),
    graph(
      "Free in 7 days",
      "bytes",
      { "{{volume}}": "predict_linear(node_filesystem_avail_bytes{volume!=''}[6h], 7 * 86400)" },
      "At the rate of the last 6 hours. Below 0, it is full before.",
    ),
    graph(
      "Inodes in use",
      "percentunit",
      { "{{volume}}": "1 - node_filesystem_files_free{volume!=''} / node_filesystem_files" },
      "Without free inodes, no file can be created.",
    ),
  ],
};

const monitoring: DashboardDefinition = {
  id: "monitoring",
  title: "Monitoring",
  description: "Whether measuring and alerting themselves work. Needs `alerts` for messages.",
  panels: [
    graph("Targets that answer", "bool", { "{{job}}": "min by (job) (up)" }, "0 if Prometheus cannot ask it."),
    graph("Duration of a scrape", "s", { "{{job}}": "max by (job) (scrape_duration_seconds)" }, "Limit: 10 s."),
    graph("Samples of a scrape", "short", { "{{job}}": "sum by (job) (scrape_samples_scraped)" }, "Number."),
    graph(
      "Collectors that work",
      "bool",
      { "{{collector}}": "min by (collector) (pg_scrape_collector_success)" },
      "0 if the exporter cannot ask the server.",
    ),
    graph(
      "Messages",
      "ops",
      {
        "{{receiver_name}} {{integration}} sent":
          "sum by (receiver_name, integration) (rate(alertmanager_notification_requests_total[$__rate_interval]))",
        "{{receiver_name}} {{integration}} failed":
          "sum by (receiver_name, integration) (rate(alertmanager_notification_requests_failed_total[$__rate_interval]))",
      },
      "Attempts to send a message, in a second.",
    ),
  ],
};

export const dashboards: readonly DashboardDefinition[] = [
  overview,
  databases,
  tables,
  sessions,
  errors,
  queries,
  wal,
  replication,
  backups,
  drills,
  host,
  monitoring,
];
