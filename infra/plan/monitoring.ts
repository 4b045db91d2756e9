/** What watches a stack, and where its image has things: see infra/images/monitoring. */

/** Under which names the containers know each other in the stack's network, and where they answer. */
export const endpoints = {
  postgresExporter: { alias: "postgres-exporter", port: 9187 },
  volumeExporter: { alias: "volume-exporter", port: 9100 },
  prometheus: { alias: "prometheus", port: 9090 },
} as const;

const configuration = "/etc/pgroundwork";

export const monitoringPaths = {
  /** The volume with a container's own files. */
  configuration,
  /** Prometheus's volume. */
  data: "/var/lib/prometheus",
  /** Below it every volume that is measured, by what it is for. */
  volumes: "/volumes",
  /** What others write for the exporter of volumes to tell. */
  textfiles: "/var/lib/pgroundwork/metrics",
} as const;

/** Files in the exporter's volume. */
export const exporterFiles = { password: "password", authorities: "ca.crt", queries: "queries.yml" } as const;

/** Files in Prometheus's volume. */
export const prometheusFiles = {
  configuration: "prometheus.yml",
  alerts: "rules/alerts.yml",
  schedule: "rules/schedule.yml",
} as const;

/**
 * How postgres_exporter finds the server: whoever looks at the container sees the role and the paths of files, and no password.
 *
 * @param host its name in the network, which its certificate holds
 */
export function exporterEnvironment(host: string, role: string): string[] {
  const parameters = new URLSearchParams({
    sslmode: "verify-full",
    sslrootcert: `${configuration}/${exporterFiles.authorities}`,
    // The exporter tries twice, a second apart, and Prometheus waits for 10 s: a server that is down is one, and not an exporter that does not answer.
    connect_timeout: "3",
    application_name: "postgres_exporter",
  });
  return [
    // The database that every server has. What is asked there holds for all of them.
    `DATA_SOURCE_URI=${host}:5432/postgres?${parameters}`,
    `DATA_SOURCE_USER=${role}`,
    `DATA_SOURCE_PASS_FILE=${configuration}/${exporterFiles.password}`,
  ];
}

/**
 * postgres_exporter with the collectors that tell something of PostgreSQL 17 to a member of pg_monitor. Those of tables are off: they see those of the one
 * database that the exporter is logged in to, which has none.
 */
export const exporterCommand: readonly string[] = [
  "prometheus-postgres-exporter",
  "--collector.database_wraparound",
  "--collector.long_running_transactions",
  "--collector.postmaster",
  "--collector.stat_checkpointer",
  "--no-collector.stat_user_tables",
  "--no-collector.statio_user_tables",
  // The exporter calls it deprecated. What took its place is a program of its own.
  `--extend.query-path=${configuration}/${exporterFiles.queries}`,
];

/** node_exporter with nothing of the machine but how full the filesystems of mounted volumes are; `hasTextfiles`: and what others have written. */
export function volumeExporterCommand(hasTextfiles: boolean): string[] {
  return [
    "prometheus-node-exporter",
    "--collector.disable-defaults",
    "--collector.filesystem",
    `--collector.filesystem.mount-points-include=^${monitoringPaths.volumes}/`,
    // By itself it leaves out kinds that an engine may well keep volumes on, such as overlay.
    "--collector.filesystem.fs-types-exclude=^$",
    "--web.disable-exporter-metrics",
    ...(hasTextfiles
      ? ["--collector.textfile", `--collector.textfile.directory=${monitoringPaths.textfiles}`]
      : ["--no-collector.textfile"]),
  ];
}

/** @param retentionDays how long measurements are kept */
export function prometheusCommand(retentionDays: number): string[] {
  return [
    "prometheus",
    `--config.file=${configuration}/${prometheusFiles.configuration}`,
    `--storage.tsdb.path=${monitoringPaths.data}`,
    `--storage.tsdb.retention.time=${retentionDays}d`,
    // The names that the package has put there are of files that this image leaves out.
    "--web.console.libraries=",
    "--web.console.templates=",
  ];
}

/** The text of prometheus.yml. Labels tell stacks apart where several Prometheus send to one place. */
export function prometheusConfiguration({ project, stack }: { project: string; stack: string }): string {
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
`;
}

/**
 * The text of a rules file that says how often backups are due: the rule on their age needs it beside what the backups themselves tell.
 *
 * @param intervals the longest times between two of a kind, in seconds, by pgBackRest's name of the kind; empty: none are made
 */
export function scheduleRules(intervals: Readonly<Record<string, number>>): string {
  const rules = Object.entries(intervals).map(
    ([type, seconds]) => `      - record: pgroundwork_backup_schedule_interval_seconds
        expr: vector(${seconds})
        labels:
          type: ${type}
`,
  );
  const groups = rules.length === 0 ? " []\n" : `\n  - name: schedule\n    rules:\n${rules.join("")}`;
  return `# Written by pgroundwork.\ngroups:${groups}`;
}
