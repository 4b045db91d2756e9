import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import manifest from "../../package.json" with { type: "json" };
import { kitFolder } from "../../scripts/core/kit-folder.ts";
import type { Alerts } from "../../scripts/model/alerts.ts";
import { alertmanagerCommand, alertmanagerData, alertmanagerVolume, heartbeatRules } from "../plan/alerts.ts";
import { baseArguments } from "../plan/build-arguments.ts";
import {
  type GrafanaArgs,
  grafanaCheck,
  grafanaData,
  grafanaEnvironment,
  grafanaMemory,
  grafanaVolume,
} from "../plan/grafana.ts";
import {
  type HealthArgs,
  healthCommand,
  healthData,
  healthEnvironment,
  healthLog,
  healthMetrics,
  healthVolume,
} from "../plan/health.ts";
import {
  endpoints,
  exporterCommand,
  exporterEnvironment,
  exporterFiles,
  monitoringPaths,
  prometheusCommand,
  prometheusConfiguration,
  prometheusFiles,
  scheduleRules,
  volumeExporterCommand,
} from "../plan/monitoring.ts";
import { Password } from "../provider/sdk/servers.ts";
import type { DockerPlace } from "./docker-engine.ts";
import { dockerImage } from "./docker-image.ts";
import { healthServerFiles } from "./health-files.ts";
import { MonitoringObjects, urlOf } from "./monitoring-objects.ts";
import type { Login } from "./server.ts";

export interface MonitoringArgs {
  place: DockerPlace;
  /** Image to build from. Default: the Dockerfile's. */
  baseImage?: string | undefined;
  /** The network in which the server is called `postgres`. */
  network: pulumi.Input<string>;
  /** CA certificates that verify the server's certificate, PEM. */
  caCertificate: pulumi.Input<string>;
  /** Login of the exporter, a member of pg_monitor. */
  login: Login;
  /**
   * Roles of the server, including the exporter's, and the schema that it reads. The exporter needs its role and
   * password before it can connect.
   */
  roles: pulumi.Resource[] | Promise<pulumi.Resource[]>;
  /** Volumes to measure, by purpose. */
  volumes: Readonly<Record<string, pulumi.Input<string>>>;
  /** A volume with metrics that others write as text (`*.prom`). */
  textfiles?: pulumi.Input<string> | undefined;
  /** The volume with the server's log, in which errors are counted. If absent, Prometheus knows no errors. */
  log?: pulumi.Input<string> | undefined;
  /** The longest intervals between two backups of a type, in seconds, by pgBackRest's name of the type. */
  backupIntervals?: { full: number; incr: number } | undefined;
  /** True if the stack has a pooler, whose exporter is queried. Default: false. */
  pooler?: boolean;
  /** Number of jobs that the kit schedules with pg_cron. Default: 0. */
  jobs?: number;
  /** Age in seconds at which the last passed restore drill is overdue. Absent if no drills are planned. */
  drillMaxAge?: number | undefined;
  /** Age in seconds at which the newest dump of a database is too old. Absent if no dumps are scheduled. */
  dumpMaxAge?: number | undefined;
  prometheusPort?: number | undefined;
  exporterPort?: number | undefined;
  /** Retention of measurements, in days. */
  retentionDays: number;
  /** The health server. If absent, there is none. */
  health?: HealthArgs | undefined;
  /** Grafana with the dashboards of infra/monitoring. If absent, there is none. */
  grafana?: GrafanaArgs | undefined;
  /** Receivers of alerts. If absent, there is no Alertmanager, and only Prometheus shows alerts. */
  alerts?: pulumi.Input<Alerts> | undefined;
  /** Limit for each process to pass its check, in seconds. */
  readyTimeout: number;
}

/** Memory of the containers, in MB: ten times what each used in its first hour with a small server. */
const memory = {
  postgresExporter: 96,
  volumeExporter: 64,
  prometheus: 512,
  alertmanager: 128,
  health: 192,
  grafana: 384,
};

/** User and group of the volume exporter, which must not read data in the volumes. */
const nobody = "65534:65534";

/** User and group that read the files of the kit's volumes, for images that have another one. */
const prometheusUser = "999:999";

/**
 * postgres_exporter, a volume exporter, Prometheus with alert rules, Alertmanager, which sends the alerts, the health
 * server and Grafana.
 */
export class Monitoring extends pulumi.ComponentResource {
  /** URL of Prometheus, known once it answers. */
  readonly prometheus: pulumi.Output<string>;
  /** Name of Alertmanager's container. Absent without receivers of alerts. */
  readonly alertmanager: pulumi.Output<string> | undefined;
  /** URL of the health server, known once it has read the server, and its token. Absent without one. */
  readonly health: { url: pulumi.Output<string>; token: pulumi.Output<string> } | undefined;

  /** URL of Grafana, known once it answers, and the password of its user `admin`. Absent without one. */
  readonly grafana: { url: pulumi.Output<string>; password: pulumi.Output<string> } | undefined;

  readonly #name: string;
  readonly #args: MonitoringArgs;
  readonly #objects: MonitoringObjects;

  constructor(name: string, args: MonitoringArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:Monitoring", name, {}, options);
    this.#name = name;
    this.#args = args;
    const image = { folder: "monitoring", tag: "latest", args: baseArguments(args.baseImage) };
    const files = args.health === undefined ? {} : healthServerFiles();
    const built = dockerImage(`${name}-image`, { ...image, files }, args.place, this);
    this.#objects = new MonitoringObjects(name, args, built, this);
    this.#declarePostgresExporter();
    this.#declareVolumeExporter();
    this.alertmanager = args.alerts === undefined ? undefined : this.#declareAlertmanager(args.alerts);
    this.health = args.health === undefined ? undefined : this.#declareHealth(args.health);
    this.prometheus = this.#declarePrometheus(this.health?.token);
    this.grafana = args.grafana === undefined ? undefined : this.#declareGrafana(args.grafana);
    const { prometheus, alertmanager, health, grafana } = this;
    this.registerOutputs({ prometheus, alertmanager, health, grafana });
  }

  #declarePostgresExporter(): void {
    const { login, caCertificate, roles, exporterPort, jobs = 0 } = this.#args;
    const files = this.#objects.declareFiles("postgres-exporter", {
      [exporterFiles.password]: login.password,
      [exporterFiles.ca]: caCertificate,
      // Without pg_cron, its query would fail.
      [exporterFiles.queries]: `${fileOf("queries.yml")}${jobs === 0 ? "" : fileOf("job-queries.yml")}`,
    });
    const container = this.#objects.declareContainer({
      role: "postgres-exporter",
      endpoint: endpoints.postgresExporter,
      memory: memory.postgresExporter,
      command: exporterCommand,
      environment: exporterEnvironment("postgres", login.user),
      volumes: [{ volumeName: files.volume, containerPath: monitoringPaths.configuration, readOnly: true }],
      port: exporterPort,
    });
    // The exporter reads the password once, when it starts.
    this.#objects.declareProcess("postgres-exporter", container, ["postgres-exporter-check"], {
      revision: files.revision,
      dependsOn: roles,
    });
  }

  #declareVolumeExporter(): void {
    const { volumes, textfiles, log } = this.#args;
    const mounted = Object.entries(volumes).map(([purpose, volumeName]) => ({
      volumeName,
      containerPath: `${monitoringPaths.volumes}/${purpose}`,
      readOnly: true,
    }));
    const written = Object.entries({ [monitoringPaths.textfiles]: textfiles, [monitoringPaths.log]: log }).flatMap(
      ([containerPath, volumeName]) =>
        volumeName === undefined ? [] : [{ volumeName, containerPath, readOnly: true }],
    );
    const container = this.#objects.declareContainer({
      role: "volume-exporter",
      endpoint: endpoints.volumeExporter,
      memory: memory.volumeExporter,
      command: volumeExporterCommand(written.map(({ containerPath }) => containerPath)),
      volumes: [...mounted, ...written],
      user: nobody,
    });
    this.#objects.declareProcess("volume-exporter", container, ["monitoring-health"]);
  }

  /** Declares Alertmanager. It has no port outside the stack's network, because it does not authenticate clients. */
  #declareAlertmanager(alerts: pulumi.Input<Alerts>): pulumi.Output<string> {
    const texts = pulumi.output(alerts).apply((given) => alertmanagerVolume(given, fileOf("alerts.tmpl")));
    const files = this.#objects.declareFiles("alertmanager", texts);
    // Without it, a new container would send every message again.
    const data = this.#objects.declareVolume("alertmanager-data");
    const container = this.#objects.declareContainer({
      role: "alertmanager",
      endpoint: endpoints.alertmanager,
      memory: memory.alertmanager,
      command: alertmanagerCommand,
      volumes: [
        { volumeName: files.volume, containerPath: monitoringPaths.configuration, readOnly: true },
        { volumeName: data.name, containerPath: alertmanagerData },
      ],
    });
    const running = this.#objects.declareProcess("alertmanager", container, ["monitoring-health"], {
      revision: files.revision,
      reload: ["alertmanager-reload"],
    });
    return pulumi.all([running.containerId, container.name]).apply(([, name]) => name);
  }

  /** @param healthToken token of the health server, which Prometheus scrapes */
  #declarePrometheus(healthToken: pulumi.Input<string> | undefined): pulumi.Output<string> {
    const { place, retentionDays, prometheusPort, backupIntervals, jobs = 0, pooler = false } = this.#args;
    const { drillMaxAge: drill, dumpMaxAge: dump, alerts } = this.#args;
    const { project, stack } = place;
    const files = this.#objects.declareFiles("prometheus", {
      [prometheusFiles.configuration]: prometheusConfiguration(
        { project, stack },
        { pooler, alerts: alerts !== undefined, health: healthToken !== undefined },
      ),
      [prometheusFiles.alerts]: fileOf("alerts.yml"),
      [prometheusFiles.schedule]: scheduleRules(backupIntervals ?? {}, jobs, { drill, dump }),
      ...(pooler ? { [prometheusFiles.poolerAlerts]: fileOf("pooler-alerts.yml") } : {}),
      ...(healthToken === undefined
        ? {}
        : {
            [prometheusFiles.healthAlerts]: fileOf("health-alerts.yml"),
            [prometheusFiles.healthToken]: healthToken,
          }),
      ...(alerts === undefined ? {} : { [prometheusFiles.heartbeat]: pulumi.output(alerts).apply(heartbeatRules) }),
    });
    // Measurements cannot be repeated. The volume outlives the stack, as the server's data does.
    const data = this.#objects.declareVolume("prometheus-data", { retainOnDelete: true });
    const port = this.#objects.declarePort("prometheus", prometheusPort);
    const container = this.#objects.declareContainer({
      role: "prometheus",
      endpoint: endpoints.prometheus,
      memory: memory.prometheus,
      command: prometheusCommand(retentionDays),
      volumes: [
        { volumeName: files.volume, containerPath: monitoringPaths.configuration, readOnly: true },
        { volumeName: data.name, containerPath: monitoringPaths.data },
      ],
      port,
    });
    const running = this.#objects.declareProcess("prometheus", container, ["monitoring-health"], {
      revision: files.revision,
      reload: ["prometheus-reload"],
    });
    return urlOf(running, port);
  }

  /**
   * Declares the health server. Its port is on the loopback address only, and it asks for a token all the same: it
   * cannot tell a user of the engine's machine from another container.
   */
  #declareHealth({
    databases,
    port: requested,
    repositories,
    passwordVersion,
    limits,
  }: HealthArgs): Monitoring["health"] {
    const { login, caCertificate: ca, roles, log, textfiles } = this.#args;
    const { backupIntervals: intervals = null, drillMaxAge = null, dumpMaxAge = null } = this.#args;
    const backups = repositories === 0 ? null : { repositories, intervals, drillMaxAge, dumpMaxAge };
    const { result: token } = new Password(`${this.#name}-health-token`, { keeper: passwordVersion }, { parent: this });
    const configuration = { version: manifest.version, user: login.user, databases: [...databases], backups };
    const { alias } = endpoints.health;
    const texts = healthVolume<pulumi.Input<string>>({ configuration, password: login.password, ca, token }, alias);
    const files = this.#objects.declareFiles("health", texts);
    // Trends and the uptime of 30 days cannot be measured again.
    const data = this.#objects.declareVolume("health-data", { retainOnDelete: true });
    const port = this.#objects.declarePort("health", requested);
    const container = this.#objects.declareContainer({
      role: "health",
      endpoint: endpoints.health,
      memory: memory.health,
      command: healthCommand,
      environment: healthEnvironment(limits),
      volumes: [
        { volumeName: files.volume, containerPath: monitoringPaths.configuration, readOnly: true },
        { volumeName: data.name, containerPath: healthData },
        ...[
          { volumeName: log, containerPath: healthLog },
          { volumeName: textfiles, containerPath: healthMetrics },
        ].flatMap(({ volumeName, containerPath }) =>
          volumeName === undefined ? [] : [{ volumeName, containerPath, readOnly: true }],
        ),
      ],
      port,
      isGo: false,
    });
    // It reads its files once, when it starts.
    const running = this.#objects.declareProcess("health", container, ["health-server-check"], {
      revision: files.revision,
      dependsOn: roles,
    });
    return { url: urlOf(running, port), token };
  }

  /** Declares Grafana, with Prometheus as its data source. */
  #declareGrafana({ image, port: requested }: GrafanaArgs): Monitoring["grafana"] {
    // Grafana reads it only at its first start, so it does not rotate.
    const { result: password } = new Password(`${this.#name}-grafana-password`, { keeper: "" }, { parent: this });
    const names = readdirSync(join(grafanaFolder, "dashboards")).filter((name) => name.endsWith(".json"));
    const dashboards = Object.fromEntries(names.map((name) => [name, fileOf(`grafana/dashboards/${name}`)]));
    const [datasource, provider] = [fileOf("grafana/datasource.yml"), fileOf("grafana/dashboards.yml")];
    const texts = grafanaVolume<pulumi.Input<string>>({ datasource, provider, dashboards, password });
    const files = this.#objects.declareFiles("grafana", texts);
    // It has the users and what they made by hand.
    const data = this.#objects.declareVolume("grafana-data", { retainOnDelete: true });
    const port = this.#objects.declarePort("grafana", requested);
    const container = this.#objects.declareContainer({
      ...{ role: "grafana", image, endpoint: endpoints.grafana, memory: memory.grafana, user: prometheusUser },
      ...{ environment: grafanaEnvironment, tmpfs: grafanaMemory, port },
      volumes: [
        { volumeName: files.volume, containerPath: monitoringPaths.configuration, readOnly: true },
        { volumeName: data.name, containerPath: grafanaData },
      ],
    });
    const running = this.#objects.declareProcess("grafana", container, [...grafanaCheck], { revision: files.revision });
    return { url: urlOf(running, port), password };
  }
}

const grafanaFolder = join(kitFolder, "infra", "monitoring", "grafana");

/** Reads a file of infra/monitoring unchanged, so that it can be read, checked and tried without the kit. */
function fileOf(name: string): string {
  return readFileSync(join(kitFolder, "infra", "monitoring", name), "utf8");
}
