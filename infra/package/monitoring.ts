import * as pulumi from "@pulumi/pulumi";
import { backupIntervals } from "../../scripts/model/schedule.ts";
import { monitoringSection } from "../../scripts/settings/monitoring-section.ts";
import { commonShape } from "../../scripts/settings/schema.ts";
import { documented } from "../../scripts/settings/setting.ts";
import { Monitoring as MonitoringComponent } from "../components/monitoring.ts";
import type { Backups } from "./backups.ts";
import type { DockerServer } from "./docker-server.ts";
import { separateProtect } from "./options.ts";
import { parsed } from "./parsed.ts";
import { claim, rolesOf } from "./server.ts";

/** Arguments of {@link Monitoring}. */
export interface MonitoringArgs {
  server: DockerServer;
  /** Backups of the server, whose age and result alerts use. Default: none. */
  backups?: Backups | undefined;
  /** Port of Prometheus on 127.0.0.1 of the engine's machine. Default: a free one, chosen once. */
  prometheusPort?: number | undefined;
  /** Port of the exporter there, for a Prometheus elsewhere. Default: none. */
  exporterPort?: number | undefined;
  /** Retention of measurements, in days. Default: 15. */
  retentionDays?: number | undefined;
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
    const { server, backups, readyTimeout, prometheusPort, exporterPort, retentionDays } = args;
    const given = Object.entries({ prometheusPort, exporterPort, retentionDays }).filter(
      ([, value]) => value !== undefined,
    );
    const settings = parsed(
      `Monitoring ${name}`,
      shape,
      { monitoring: Object.fromEntries(given), readyTimeout },
      false,
    );
    claim(server, "Monitoring");
    const declared = rolesOf(server);
    const { place, network, caCertificate, dataVolume: data, repository, baseImage } = server;
    super(
      name,
      {
        ...{ place, baseImage, network, caCertificate, readyTimeout: settings.readyTimeout },
        login: { user: "monitor", password: pulumi.output(declared.then(({ logins }) => logins.monitor.password)) },
        roles: declared.then(({ roles }) => roles),
        volumes: { data, ...(repository === undefined ? {} : { backup: repository.volume }) },
        textfiles: backups?.metrics,
        backupIntervals: (backups && backupIntervals(backups.schedule)) ?? {},
        retentionDays: 15,
        ...settings.monitoring,
      },
      separateProtect(options).rest,
    );
  }
}
