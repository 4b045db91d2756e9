import { endpoints, monitoringPaths } from "./monitoring.ts";

/** Plans the container of Grafana, whose image is Grafana's own. */

/** Grafana next to Prometheus. */
export interface GrafanaArgs {
  /** Grafana's image, which the engine has. */
  image: string;
  /** Port on the loopback address of the engine's machine. If absent, a free port is chosen once. */
  port?: number | undefined;
}

/** Mount path of its data: users, and dashboards made by hand. */
export const grafanaData = "/var/lib/grafana";

/** Path of the dashboards in infra/monitoring/grafana/dashboards.yml. */
const documentedFolder = "/var/lib/grafana/pgroundwork";

const folder = monitoringPaths.configuration;
const files = { password: "admin-password", provisioning: "provisioning", dashboards: "dashboards" } as const;

/** Files of infra/monitoring/grafana, and the password of its user `admin`. */
export interface GrafanaFiles<Text> {
  datasource: string;
  provider: string;
  /** Dashboards by the name of their file. */
  dashboards: Readonly<Record<string, string>>;
  password: Text;
}

/** Returns the files of its volume. */
export function grafanaVolume<Text>({
  datasource,
  provider,
  dashboards,
  password,
}: GrafanaFiles<Text>): Record<string, Text | string> {
  const named = Object.entries(dashboards).map(([name, text]) => [`${files.dashboards}/${name}`, text] as const);
  return {
    [files.password]: password,
    [`${files.provisioning}/datasources/pgroundwork.yml`]: datasource,
    [`${files.provisioning}/dashboards/pgroundwork.yml`]: provider.replace(
      documentedFolder,
      `${folder}/${files.dashboards}`,
    ),
    ...Object.fromEntries(named),
  };
}

/** Environment of the container. It has no secret: Grafana's entry point reads `…__FILE` from a file. */
export const grafanaEnvironment: readonly string[] = [
  `GF_PATHS_PROVISIONING=${folder}/${files.provisioning}`,
  `GF_SECURITY_ADMIN_PASSWORD__FILE=${folder}/${files.password}`,
  // datasource.yml reads it.
  `PROMETHEUS_URL=http://${endpoints.prometheus.alias}:${endpoints.prometheus.port}`,
  "GF_USERS_ALLOW_SIGN_UP=false",
  "GF_ANALYTICS_REPORTING_ENABLED=false",
  "GF_ANALYTICS_CHECK_FOR_UPDATES=false",
  "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false",
];

/** Folders in memory, as Docker mounts them. */
export const grafanaMemory = { "/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=64m" } as const;

/** Command in the container that fails until Grafana answers. */
export const grafanaCheck: readonly string[] = [
  ...["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null"],
  `http://127.0.0.1:${endpoints.grafana.port}/api/health`,
];
