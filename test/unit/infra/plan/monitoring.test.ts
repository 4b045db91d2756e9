import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  exporterCommand,
  exporterEnvironment,
  monitoringPaths,
  prometheusCommand,
  prometheusConfiguration,
  scheduleRules,
  volumeExporterCommand,
} from "../../../../infra/plan/monitoring.ts";
import { withoutLimits } from "../../../../infra/plan/session-options.ts";
import { limitSettings, settingsOptions } from "../../../../scripts/connection/session-settings.ts";

it("sessions of programs in containers are exempt from the same limits as the kit's own sessions", () => {
  expect(withoutLimits).toBe(settingsOptions(limitSettings));
});

describe("the postgres exporter", () => {
  it("verifies the server, and reads the password from a file", () => {
    const [uri = "", ...others] = exporterEnvironment("postgres", "monitor");
    const url = new URL(`postgresql://${uri.replace("DATA_SOURCE_URI=", "")}`);
    expect(url.host).toBe("postgres:5432");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      sslmode: "verify-full",
      sslrootcert: "/etc/pgroundwork/ca.crt",
      options: `${settingsOptions(limitSettings)} --statement_timeout=10s`,
    });
    expect(others).toEqual(["DATA_SOURCE_USER=monitor", "DATA_SOURCE_PASS_FILE=/etc/pgroundwork/password"]);
  });

  it("queries what PostgreSQL 17 has, and no statistics of single tables", () => {
    expect(exporterCommand).toContain("--collector.stat_checkpointer");
    expect(exporterCommand.join(" ")).not.toMatch(/xlog_location|--collector.stat(io)?_user/);
  });
});

describe("the volume exporter", () => {
  it("reads text files only if there are volumes with them", () => {
    const command = volumeExporterCommand([monitoringPaths.textfiles, monitoringPaths.log]);
    expect(command).toContain("--collector.textfile.directory=/var/lib/pgroundwork/metrics");
    expect(command).toContain("--collector.textfile.directory=/var/lib/pgroundwork/log");
    expect(volumeExporterCommand([]).join(" ")).not.toContain("--collector.textfile.directory");
  });
});

describe("Prometheus", () => {
  it("scrapes both exporters and itself, with labels for any stack name", () => {
    const stack = `an "odd": name # '`;
    const configuration = parse(
      prometheusConfiguration({ project: "shop", stack }, { pooler: false, alerts: false, health: false }),
    ) as {
      global: { external_labels: unknown };
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    expect(configuration.global.external_labels).toEqual({ project: "shop", stack });
    const targets = configuration.scrape_configs.map(({ job_name, static_configs }) => [
      job_name,
      ...static_configs.flatMap((each) => each.targets),
    ]);
    expect(targets).toEqual([
      ["postgresql", "postgres-exporter:9187"],
      ["volumes", "volume-exporter:9100"],
      ["prometheus", "localhost:9090"],
    ]);
  });

  it("keeps measurements for the given time, and accepts no commands over HTTP", () => {
    expect(prometheusCommand(3)).toContain("--storage.tsdb.retention.time=3d");
    expect(prometheusCommand(3).join(" ")).not.toMatch(/enable-lifecycle|enable-admin-api|remote-write-receiver/);
  });

  it("knows how often backups are due, or that there are none", () => {
    expect(parse(scheduleRules({ full: 86_400, incr: 21_600 }, 0))).toEqual({
      groups: [
        {
          name: "schedule",
          rules: [
            ["full", 86_400],
            ["incr", 21_600],
          ].map(([type, seconds]) => ({
            record: "pgroundwork_backup_schedule_interval_seconds",
            expr: `vector(${seconds})`,
            labels: { type },
          })),
        },
      ],
    });
    expect(parse(scheduleRules({}, 0))).toEqual({ groups: [] });
  });

  it("knows at which age a drill is overdue", () => {
    const rule = { record: "pgroundwork_backup_drill_max_age_seconds", expr: "vector(864000)" };
    expect(parse(scheduleRules({}, 0, { drill: 864_000 }))).toEqual({ groups: [{ name: "schedule", rules: [rule] }] });
  });

  it("knows how many jobs are scheduled", () => {
    expect(parse(scheduleRules({}, 3))).toEqual({
      groups: [{ name: "schedule", rules: [{ record: "pgroundwork_jobs_declared", expr: "vector(3)" }] }],
    });
  });
});
