import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  exporterCommand,
  exporterEnvironment,
  prometheusCommand,
  prometheusConfiguration,
  scheduleRules,
  volumeExporterCommand,
} from "../../../../infra/plan/monitoring.ts";

describe("the exporter of PostgreSQL's statistics", () => {
  it("verifies the server, and is given the password as a file", () => {
    const [uri = "", ...others] = exporterEnvironment("postgres", "monitor");
    const url = new URL(`postgresql://${uri.replace("DATA_SOURCE_URI=", "")}`);
    expect(url.host).toBe("postgres:5432");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      sslmode: "verify-full",
      sslrootcert: "/etc/pgroundwork/ca.crt",
    });
    expect(others).toEqual(["DATA_SOURCE_USER=monitor", "DATA_SOURCE_PASS_FILE=/etc/pgroundwork/password"]);
  });

  it("asks what PostgreSQL 17 has, and nothing of the tables of one database", () => {
    expect(exporterCommand).toContain("--collector.stat_checkpointer");
    expect(exporterCommand.join(" ")).not.toMatch(/xlog_location|--collector.stat(io)?_user/);
  });
});

describe("the exporter of volumes", () => {
  it("reads what others have written only where there is such a volume", () => {
    expect(volumeExporterCommand(true)).toContain("--collector.textfile.directory=/var/lib/pgroundwork/metrics");
    expect(volumeExporterCommand(false).join(" ")).not.toContain("--collector.textfile.directory");
  });
});

describe("Prometheus", () => {
  it("asks both exporters and itself, and knows whose measurements they are, whatever the stack is called", () => {
    const stack = `an "odd": name # '`;
    const configuration = parse(prometheusConfiguration({ project: "shop", stack })) as {
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

  it("keeps measurements for as long as is asked, and can be told nothing over HTTP", () => {
    expect(prometheusCommand(3)).toContain("--storage.tsdb.retention.time=3d");
    expect(prometheusCommand(3).join(" ")).not.toMatch(/enable-lifecycle|enable-admin-api|remote-write-receiver/);
  });

  it("knows how often backups are due, or that none are", () => {
    expect(parse(scheduleRules({ full: 86_400, incr: 21_600 }))).toEqual({
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
    expect(parse(scheduleRules({}))).toEqual({ groups: [] });
  });
});
