import * as pulumi from "@pulumi/pulumi";
import type { Alerts } from "../../scripts/model/alerts.ts";
import type { HealthLimitName } from "../../scripts/model/health-settings.ts";
import { backupIntervals } from "../../scripts/model/schedule.ts";
import { parseAlerts } from "../../scripts/settings/alerts-section.ts";
import { defaultMonitoring, monitoringSection } from "../../scripts/settings/monitoring-section.ts";
import { commonShape } from "../../scripts/settings/schema.ts";
import { documented } from "../../scripts/settings/setting.ts";
import { Monitoring as MonitoringComponent } from "../components/monitoring.ts";
import type { BackupDrill } from "./backup-drill.ts";
import type { Backups } from "./backups.ts";
import type { Database } from "./database.ts";
import { type DockerServer, requireContainer } from "./docker-server.ts";
import { separateProtect } from "./options.ts";
import { parsed, refuseArguments } from "./parsed.ts";
import type { Pooler } from "./pooler.ts";
import { claim, requireSameServer, rolesOf } from "./server.ts";

/** Receivers of alerts, as in the setting `monitoring.alerts`. At least one of email, webhook and slack is required. */
export interface AlertsArgs {
  email?: {
    to: string | readonly string[];
    from: string;
    host: string;
    /** Default: 587. */
    port?: number;
    user?: string;
    password?: pulumi.Input<string>;
    /** Default: true. */
    tls?: boolean;
  };
  webhook?: { url: pulumi.Input<string>; token?: pulumi.Input<string> };
  slack?: { url: pulumi.Input<string>; channel?: string };
  /** Requests a URL every few minutes (default: 5) while measuring and alerting work. */
  heartbeat?: { url: pulumi.Input<string>; minutes?: number };
  /** URL of the folder that contains `infra/monitoring/runbook.md`, for the links in messages. */
  links?: string;
}

/** Limits of the health server, by name. */
export type HealthLimitsArgs = Partial<
  Record<HealthLimitName, string | number | readonly [warning: string | number, critical: string | number]>
>;

/** Arguments of {@link Monitoring}. */
export interface MonitoringArgs {
  server: DockerServer;
  /** Backups of the server, whose age and result alerts use. Default: none. */
  backups?: Backups | undefined;
  /** Restore drills of the server, whose age and result alerts use. Default: none. */
  drill?: BackupDrill | undefined;
  /** Pooler of the server, which gets an exporter that Prometheus scrapes, and alerts. Default: none. */
  pooler?: Pooler | undefined;
  /** Port of Prometheus on 127.0.0.1 of the engine's machine. Default: a free one, chosen once. */
  prometheusPort?: number | undefined;
  /** Port of the exporter there, for a Prometheus elsewhere. Default: none. */
  exporterPort?: number | undefined;
  /** Retention of measurements, in days. Default: 15. */
  retentionDays?: number | undefined;
  /** Runs the health server in a container, which needs Node for Linux. Default: false. */
  health?: boolean | undefined;
  /** Port of the health server on 127.0.0.1 of the engine's machine. Default: a free one, chosen once. */
  healthPort?: number | undefined;
  /**
   * Limits of the health server, as in the setting `monitoring.healthLimits`: a time such as `30s` or `5m`, a number,
   * or two limits, of a warning and of a critical state. Default: the limits of `pgw health serve`.
   */
  healthLimits?: HealthLimitsArgs | undefined;
  /** Databases of the server whose statements and migrations the health server reads. Default: none. */
  databases?: readonly Database[] | undefined;
  /** Receivers of alerts. Default: none; Prometheus shows the alerts. */
  alerts?: AlertsArgs | undefined;
  /** Limit for each process to pass its check, in seconds. Default: 60. */
  readyTimeout?: number | undefined;
}

const shape = {
  monitoring: documented(monitoringSection(), {
    type: "an object",
    default: "{}",
    effect: "none",
    description: "Ports and retention of the monitoring.",
  }),
  readyTimeout: commonShape.readyTimeout,
};

/** postgres_exporter, a volume exporter, and Prometheus with alert rules, in containers next to a server. */
export class Monitoring extends MonitoringComponent {
  constructor(name: string, args: MonitoringArgs, options?: pulumi.ComponentResourceOptions) {
    const { server, backups, drill, pooler, readyTimeout, alerts } = args;
    const { prometheusPort, exporterPort, retentionDays, health = false, healthPort, healthLimits } = args;
    const { databases = [] } = args;
    requireContainer(`Monitoring ${name}`, server);
    requireSameServer(`Monitoring ${name}`, server, { backups, drill, pooler });
    for (const database of databases) requireSameServer(`Monitoring ${name}`, server, { databases: database });
    const section = { prometheusPort, exporterPort, retentionDays, health, healthPort, healthLimits };
    const given = Object.entries(section).filter(([, value]) => value !== undefined);
    const settings = parsed(
      `Monitoring ${name}`,
      shape,
      { monitoring: Object.fromEntries(given), readyTimeout },
      false,
    );
    claim(server, "Monitoring");
    const {
      health: hasHealth,
      healthPort: port,
      healthLimits: limits,
      retentionDays: days,
      ...ports
    } = settings.monitoring ?? defaultMonitoring;
    const declared = rolesOf(server);
    const { place, network, caCertificate, dataVolume: data, repository, baseImage, volumes } = server;
    super(
      name,
      {
        ...{ place, baseImage, network, caCertificate, readyTimeout: settings.readyTimeout },
        login: { user: "monitor", password: pulumi.output(declared.then(({ logins }) => logins.monitor.password)) },
        roles: declared.then(({ roles, monitoring }) => [...roles, monitoring]),
        volumes: { data, ...(repository === undefined ? {} : { backup: repository.volume }) },
        log: volumes.log.name,
        textfiles: backups?.metrics ?? drill?.backups.metrics,
        backupIntervals: backups && backupIntervals(backups.schedule),
        drillMaxAge: drill?.maxAgeSeconds,
        pooler: pooler !== undefined,
        ...{ retentionDays: days, prometheusPort: ports.prometheusPort, exporterPort: ports.exporterPort },
        health: hasHealth
          ? {
              databases: databases.map(({ databaseName }) => databaseName),
              ...{ port, repositories: repository?.repositories.length ?? 0, passwordVersion: "", limits },
            }
          : undefined,
        alerts: alerts && parsedAlerts(`Monitoring ${name}`, alerts),
      },
      separateProtect(options).rest,
    );
    pooler?.declareExporter();
  }
}

/** Parses receivers once their secrets are known. */
function parsedAlerts(component: string, given: AlertsArgs): pulumi.Output<Alerts> {
  return pulumi.secret(given).apply((known) => {
    const parsed = parseAlerts(known);
    if ("alerts" in parsed) return parsed.alerts;
    return refuseArguments(
      component,
      parsed.faults.map(({ path, message }) => ({ path: ["alerts", ...path], message })),
    );
  });
}
