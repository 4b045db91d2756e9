import { alertmanagerPort } from "../../scripts/model/alerts.ts";
import { healthPort, measuredVolumes, volumeExporter } from "../../scripts/model/health-server.ts";
import { containerPaths } from "./container.ts";
import { poolerEndpoints } from "./pooler.ts";
import { withoutLimits } from "./session-options.ts";

/** Plans the containers that monitor a stack. Paths match infra/images/monitoring. */

/** Names of the containers in the stack's network, and the ports on which they answer. */
export const endpoints = {
  postgresExporter: { alias: "postgres-exporter", port: 9187 },
  volumeExporter: { alias: volumeExporter.host, port: volumeExporter.port },
  prometheus: { alias: "prometheus", port: 9090 },
  alertmanager: { alias: "alertmanager", port: alertmanagerPort },
  health: { alias: "health", port: healthPort },
  grafana: { alias: "grafana", port: 3000 },
} as const;

const configuration = "/etc/pgroundwork";

export const monitoringPaths = {
  /** Mount path of the volume with a container's own files. */
  configuration,
  /** Mount path of Prometheus's volume. */
  data: "/var/lib/prometheus",
  /** Parent of the mount paths of all measured volumes, each named by its purpose. */
  volumes: measuredVolumes,
  /** Mount path of the volume with metrics of backups, which the volume exporter reads as text. */
  textfiles: "/var/lib/pgroundwork/metrics",
  /** Mount path of the volume with the server's log. The volume exporter reads the number of errors in it as text. */
  log: containerPaths.log,
} as const;

/** Files in the exporter's volume. */
export const exporterFiles = { password: "password", ca: "ca.crt", queries: "queries.yml" } as const;

/** Files in Prometheus's volume. */
export const prometheusFiles = {
  configuration: "prometheus.yml",
  alerts: "rules/alerts.yml",
  schedule: "rules/schedule.yml",
  poolerAlerts: "rules/pooler-alerts.yml",
  healthAlerts: "rules/health-alerts.yml",
  healthToken: "health-token",
  heartbeat: "rules/heartbeat.yml",
} as const;

/**
 * Returns the environment of postgres_exporter. It contains the role and the paths of files, but no password, since
 * anyone who inspects the container sees it.
 *
 * @param host the server's name in the network, which its certificate contains
 */
export function exporterEnvironment(host: string, role: string): string[] {
  const parameters = new URLSearchParams({
    sslmode: "verify-full",
    sslrootcert: `${configuration}/${exporterFiles.ca}`,
    // The exporter tries twice, a second apart, and Prometheus waits 10 s. A shorter limit makes Prometheus report a
    // server that is down as such, and not as an exporter that does not answer.
    connect_timeout: "3",
    application_name: "postgres_exporter",
    // The exporter keeps a session between two scrapes. Prometheus ignores an answer that comes after its timeout.
    options: `${withoutLimits} --statement_timeout=10s`,
  });
  return [
    // Every server has this database. The exporter's queries there cover all databases.
    `DATA_SOURCE_URI=${host}:5432/postgres?${parameters}`,
    `DATA_SOURCE_USER=${role}`,
    `DATA_SOURCE_PASS_FILE=${configuration}/${exporterFiles.password}`,
  ];
}

/**
 * Command of postgres_exporter with the collectors that show something of PostgreSQL 17 to a member of pg_monitor. The
 * table collectors are off: they see only the database that the exporter is connected to, which has no tables.
 */
export const exporterCommand: readonly string[] = [
  "prometheus-postgres-exporter",
  "--collector.database_wraparound",
  "--collector.long_running_transactions",
  "--collector.postmaster",
  "--collector.stat_checkpointer",
  "--no-collector.stat_user_tables",
  "--no-collector.statio_user_tables",
  // The exporter calls this option deprecated. Its replacement is a separate program.
  `--extend.query-path=${configuration}/${exporterFiles.queries}`,
];

/**
 * Returns the command of node_exporter, which reports only how full the filesystems of mounted volumes are.
 *
 * @param textfiles folders with metrics that others have written as text
 */
export function volumeExporterCommand(textfiles: readonly string[]): string[] {
  return [
    "prometheus-node-exporter",
    "--collector.disable-defaults",
    "--collector.filesystem",
    `--collector.filesystem.mount-points-include=^${monitoringPaths.volumes}/`,
    // By default it ignores filesystem types that an engine may use for volumes, such as overlay.
    "--collector.filesystem.fs-types-exclude=^$",
    "--web.disable-exporter-metrics",
    ...(textfiles.length > 0
      ? ["--collector.textfile", ...textfiles.map((folder) => `--collector.textfile.directory=${folder}`)]
      : ["--no-collector.textfile"]),
  ];
}

/**
 * Returns the command of Prometheus.
 *
 * @param retentionDays retention of measurements, in days
 */
export function prometheusCommand(retentionDays: number): string[] {
  return [
    "prometheus",
    `--config.file=${configuration}/${prometheusFiles.configuration}`,
    `--storage.tsdb.path=${monitoringPaths.data}`,
    `--storage.tsdb.retention.time=${retentionDays}d`,
    // The package's defaults name files that this image leaves out.
    "--web.console.libraries=",
    "--web.console.templates=",
  ];
}

/**
 * Returns the text of prometheus.yml. Labels distinguish stacks if several Prometheus servers send to one place.
 *
 * @param parts containers that the stack has besides the exporters
 */
export function prometheusConfiguration(
  { project, stack }: { project: string; stack: string },
  { pooler, alerts, health }: { pooler: boolean; alerts: boolean; health: boolean },
): string {
  const target = ({ alias, port }: { alias: string; port: number }) => `- targets: ["${alias}:${port}"]`;
  return `# Written by pgroundwork.
global:
  scrape_interval: 15s
  scrape_timeout: 10s
  evaluation_interval: 15s
  external_labels:
    project: ${JSON.stringify(project)}
    stack: ${JSON.stringify(stack)}
rule_files:
  - ${configuration}/rules/*.yml
scrape_configs:
  - job_name: postgresql
    static_configs:
      ${target(endpoints.postgresExporter)}
  - job_name: volumes
    static_configs:
      ${target(endpoints.volumeExporter)}
    metric_relabel_configs:
      - source_labels: [mountpoint]
        regex: ${monitoringPaths.volumes}/(.+)
        target_label: volume
  - job_name: prometheus
    static_configs:
      - targets: ["localhost:${endpoints.prometheus.port}"]
${pooler ? `  - job_name: pooler\n    static_configs:\n      ${target(poolerEndpoints.exporter)}\n` : ""}${health ? healthScrape(target(endpoints.health)) : ""}${alerts ? alerting(target(endpoints.alertmanager)) : ""}`;
}

function healthScrape(target: string): string {
  return `  - job_name: health
    metrics_path: /api/health/database/metrics
    params:
      format: [prometheus]
    authorization:
      credentials_file: ${configuration}/${prometheusFiles.healthToken}
    static_configs:
      ${target}
`;
}

function alerting(target: string): string {
  return `  - job_name: alertmanager
    static_configs:
      ${target}
alerting:
  alertmanagers:
    - static_configs:
        ${target}
`;
}

/**
 * Returns the text of a rules file with what the settings declare: the intervals at which backups are due, the number
 * of jobs, and the ages at which a restore drill or a dump is overdue. Alerts compare it with the measurements.
 *
 * @param intervals the longest intervals between two backups of a type, in seconds, by pgBackRest's name of the type;
 * empty if no backups are made
 * @param maxAge in seconds; undefined if no drills are planned, or no dumps scheduled
 */
export function scheduleRules(
  intervals: Readonly<Record<string, number>>,
  jobs: number,
  maxAge: { drill?: number | undefined; dump?: number | undefined } = {},
): string {
  const rules = Object.entries(intervals).map(
    ([type, seconds]) => `      - record: pgroundwork_backup_schedule_interval_seconds
        expr: vector(${seconds})
        labels:
          type: ${type}
`,
  );
  if (jobs > 0) rules.push(`      - record: pgroundwork_jobs_declared\n        expr: vector(${jobs})\n`);
  if (maxAge.drill !== undefined)
    rules.push(`      - record: pgroundwork_backup_drill_max_age_seconds\n        expr: vector(${maxAge.drill})\n`);
  if (maxAge.dump !== undefined)
    rules.push(`      - record: pgroundwork_dump_max_age_seconds\n        expr: vector(${maxAge.dump})\n`);
  const groups = rules.length === 0 ? " []\n" : `\n  - name: schedule\n    rules:\n${rules.join("")}`;
  return `# Written by pgroundwork.\ngroups:${groups}`;
}
