import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { DockerPlace } from "../../../../infra/components/docker-engine.ts";
import { Monitoring } from "../../../../infra/components/monitoring.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { recordResources, registered } from "./recorded-resources.ts";

const place: DockerPlace = {
  project: "shop",
  stack: "team",
  provider: undefined as unknown as DockerPlace["provider"],
  dockerHost: undefined,
  owner: pulumi.output("0123456789ab"),
  server: pulumi.output(undefined),
  imageTrigger: () => "1",
  name: (role) => pulumi.output(`shop-team-${role}`),
  named: (role) => ({
    name: pulumi.output(`shop-team-${role}`),
    labels: pulumi.output([{ label: "pgroundwork.role", value: role }]),
  }),
};

let resources: Awaited<ReturnType<typeof recordResources>>;
const declare = (name: string, given: object) =>
  registered(
    (options) =>
      new Monitoring(
        name,
        {
          place,
          network: "shop-team-network",
          caCertificate: "PEM",
          login: { user: "monitor", password: pulumi.secret("a-secret-password") },
          roles: [],
          volumes: { data: "shop-team-data" },
          retentionDays: 15,
          readyTimeout: 60,
          ...given,
        },
        options,
      ),
  );
const filesOf = (name: string) => resources.one(name).inputs.files as Record<string, string>;
beforeAll(async () => {
  resources = await recordResources();
  await declare("watch", {});
});

describe("the component of the monitoring", () => {
  it("has secret files in separate volumes, each for the container that reads it", () => {
    const exporter = resources.one("watch-postgres-exporter-files");
    expect(exporter.secrets).toEqual(["files"]);
    expect(exporter.inputs.volume).toBe("shop-team-postgres-exporter-config");
    expect(Object.keys(exporter.inputs.files as object).sort()).toEqual(["ca.crt", "password", "queries.yml"]);
    const prometheus = resources.one("watch-prometheus-files");
    expect(prometheus.inputs.volume).toBe("shop-team-prometheus-config");
    expect(JSON.stringify(prometheus.inputs.files)).not.toContain("a-secret-password");
  });

  it("publishes Prometheus on the loopback address, and no exporter", () => {
    const ports = (name: string) => resources.one(name).inputs.ports;
    expect(ports("watch-postgres-exporter")).toEqual([]);
    expect(ports("watch-volume-exporter")).toEqual([]);
    expect(ports("watch-prometheus")).toMatchObject([{ internal: 9090, ip: "127.0.0.1" }]);
  });

  it("publishes the requested ports on the loopback address, too", async () => {
    await declare("asked", { prometheusPort: 9_090, exporterPort: 9_187 });
    const ports = (name: string) => resources.one(name).inputs.ports;
    expect(ports("asked-prometheus")).toEqual([{ internal: 9090, external: 9090, ip: "127.0.0.1", protocol: "tcp" }]);
    expect(ports("asked-postgres-exporter")).toEqual([
      { internal: 9187, external: 9187, ip: "127.0.0.1", protocol: "tcp" },
    ]);
  });

  it("has containers with limits, a read-only root and no privileges or passwords", () => {
    const containers = resources.recorded().filter(({ type }) => type === "docker:index/container:Container");
    expect(containers.length).toBeGreaterThanOrEqual(3);
    for (const { name, inputs } of containers) {
      expect(inputs, name).toMatchObject({
        readOnly: true,
        init: true,
        restart: "unless-stopped",
        capabilities: { drops: ["ALL"] },
        securityOpts: ["no-new-privileges"],
      });
      expect(inputs.memorySwap, name).toBe(inputs.memory);
      expect(JSON.stringify(inputs), name).not.toContain("a-secret-password");
    }
  });

  it("measures jobs only if there are some, because the query of others would fail", async () => {
    await declare("scheduled", { jobs: 3 });
    const queries = (name: string) =>
      Object.keys(parse(filesOf(`${name}-postgres-exporter-files`)["queries.yml"] ?? ""));
    expect(queries("watch")).not.toContain("pg_job");
    expect(queries("scheduled")).toEqual([...queries("watch"), "pg_job"]);
    expect(filesOf("scheduled-prometheus-files")["rules/schedule.yml"]).toContain("expr: vector(3)");
  });

  it("measures volumes as nobody, without write access", () => {
    expect(resources.one("watch-volume-exporter").inputs).toMatchObject({
      user: "65534:65534",
      volumes: [{ volumeName: "shop-team-data", containerPath: "/volumes/data", readOnly: true }],
    });
  });

  it("keeps the measurements when it is no longer declared, and does not protect them", () => {
    expect(resources.one("watch-prometheus-data")).toMatchObject({ retainOnDelete: true, protect: false });
  });

  it("has an Alertmanager only if alerts have receivers, without a port, and with its secrets in its own volume", async () => {
    expect(resources.recorded().map(({ name }) => name)).not.toContain("watch-alertmanager");
    expect(filesOf("watch-prometheus-files")["prometheus.yml"]).not.toContain("alertmanager");
    const webhook = { url: "https://a-secret-of-the-hook" };
    await declare("alerting", {
      alerts: { webhook, heartbeat: { url: "https://a-secret-heartbeat", minutes: 5 }, links: "" },
    });
    const { inputs, secrets } = resources.one("alerting-alertmanager-files");
    expect(secrets).toEqual(["files"]);
    expect(inputs.files).toMatchObject({ "secrets/webhook-url": webhook.url });
    expect(resources.one("alerting-alertmanager").inputs.ports).toEqual([]);
    expect(resources.one("alerting-alertmanager-running").inputs.reload).toEqual(["alertmanager-reload"]);
    const prometheus = filesOf("alerting-prometheus-files");
    expect(parse(prometheus["prometheus.yml"] ?? "")).toMatchObject({
      alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager:9093"] }] }] },
    });
    expect(prometheus["rules/heartbeat.yml"]).toContain("PostgreSQLHeartbeat");
    for (const { name, inputs: given } of resources.recorded())
      if (name !== "alerting-alertmanager-files") expect(JSON.stringify(given), name).not.toContain("a-secret-of-the");
  });

  it("has a health server only if it is on, with its secrets as files, a history that is kept, and a port on loopback", async () => {
    const names = resources.recorded().map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("watch-health"))).toEqual([]);
    const health = { databases: ["shop", "crm"], repositories: 2, port: 8_081, passwordVersion: "3" };
    const limits = { backupIntervals: { full: 86_400, incr: 21_600 }, drillMaxAge: 7 };
    await declare("asking", { health, log: "shop-team-log", textfiles: "shop-team-metrics", ...limits });
    const { inputs, secrets } = resources.one("asking-health-files");
    expect(secrets).toEqual(["files"]);
    const files = inputs.files as Record<string, string>;
    expect(files).toMatchObject({
      password: "a-secret-password",
      "ca.crt": "PEM",
      token: "result of asking-health-token",
    });
    expect(JSON.parse(files["health.json"] ?? "")).toMatchObject({
      ...{ user: "monitor", databases: ["shop", "crm"] },
      backups: { repositories: 2, intervals: { full: 86_400, incr: 21_600 }, drillMaxAge: 7, dumpMaxAge: null },
    });
    expect(resources.one("asking-health-token").inputs).toEqual({ keeper: "3" });
    expect(resources.one("asking-health-data").retainOnDelete).toBe(true);
    expect(resources.one("asking-health").inputs).toMatchObject({
      envs: [],
      ports: [{ internal: 8080, external: 8_081, ip: "127.0.0.1", protocol: "tcp" }],
      volumes: [
        { volumeName: "shop-team-health-config", containerPath: "/etc/pgroundwork", readOnly: true },
        { volumeName: "shop-team-health-data", containerPath: "/var/lib/pgroundwork/health" },
        { volumeName: "shop-team-log", containerPath: "/var/lib/pgroundwork/log", readOnly: true },
        { volumeName: "shop-team-metrics", containerPath: "/var/lib/pgroundwork/metrics", readOnly: true },
      ],
    });
    // A server without backups has no metrics of them.
    const settings = { interval: "1m", storage: "70,90" };
    await declare("plain", { health: { ...health, repositories: 0, limits: settings } });
    expect(JSON.parse(filesOf("plain-health-files")["health.json"] ?? "")).toMatchObject({ backups: null });
    expect(resources.one("plain-health").inputs.volumes).toHaveLength(2);
    expect(resources.one("plain-health").inputs.envs).toEqual(["MONITORING_INTERVAL=1m", "STORAGE_LIMITS=70,90"]);
    // Prometheus scrapes it with the token.
    const scraping = resources.one("asking-prometheus-files");
    expect(scraping.secrets).toEqual(["files"]);
    expect(scraping.inputs.files).toMatchObject({
      "health-token": "result of asking-health-token",
      "rules/health-alerts.yml": expect.stringContaining("HealthServerUnknown"),
      "prometheus.yml": expect.stringContaining("credentials_file: /etc/pgroundwork/health-token"),
    });
    expect(resources.one("watch-prometheus-files").inputs.files).not.toHaveProperty("rules/health-alerts.yml");
    for (const { name, inputs: given } of resources.recorded())
      if (!/^(asking|plain)-(health|prometheus)-files$/.test(name))
        expect(/result of (asking|plain)/.test(JSON.stringify(given)), name).toBe(false);
  });

  it("has Grafana only if it is on, with Prometheus, the dashboards, a port on loopback and its password as a file", async () => {
    expect(resources.recorded().filter(({ name }) => name.startsWith("watch-grafana"))).toEqual([]);
    await declare("drawing", { grafana: { image: "grafana/grafana:12.1.0", port: 3_001 } });
    const { inputs, secrets } = resources.one("drawing-grafana-files");
    expect(secrets).toEqual(["files"]);
    const files = inputs.files as Record<string, string>;
    expect(files["admin-password"]).toBe("result of drawing-grafana-password");
    const source = parse(files["provisioning/datasources/pgroundwork.yml"] ?? "").datasources[0];
    // A browser cannot reach Prometheus in the stack's network, so Grafana asks it.
    expect(source).toMatchObject({ type: "prometheus", url: "$PROMETHEUS_URL", access: "proxy" });
    const scraping = parse(filesOf("drawing-prometheus-files")["prometheus.yml"] ?? "").global;
    expect(source.jsonData.timeInterval).toBe(scraping.scrape_interval);
    expect(parse(files["provisioning/dashboards/pgroundwork.yml"] ?? "").providers).toMatchObject([
      { type: "file", options: { path: "/etc/pgroundwork/dashboards" } },
    ]);
    const dashboards = Object.keys(files).filter((name) => name.startsWith("dashboards/"));
    const folder = join(cloneRoot, "infra/monitoring/grafana/dashboards");
    expect(dashboards.sort()).toEqual(readdirSync(folder).map((name) => `dashboards/${name}`));
    for (const name of dashboards) expect(JSON.parse(files[name] ?? ""), name).toHaveProperty("panels");
    const { inputs: container } = resources.one("drawing-grafana");
    expect(container).toMatchObject({
      image: "grafana/grafana:12.1.0",
      user: "999:999",
      readOnly: true,
      memory: 384,
      tmpfs: { "/tmp": expect.stringContaining("size=64m") },
      networksAdvanced: [{ name: "shop-team-network", aliases: ["grafana"] }],
      ports: [{ internal: 3000, external: 3_001, ip: "127.0.0.1", protocol: "tcp" }],
      volumes: [
        { volumeName: "shop-team-grafana-config", containerPath: "/etc/pgroundwork", readOnly: true },
        { volumeName: "shop-team-grafana-data", containerPath: "/var/lib/grafana" },
      ],
    });
    expect(container.envs).toEqual([
      "GF_PATHS_PROVISIONING=/etc/pgroundwork/provisioning",
      "GF_SECURITY_ADMIN_PASSWORD__FILE=/etc/pgroundwork/admin-password",
      "PROMETHEUS_URL=http://prometheus:9090",
      "GF_USERS_ALLOW_SIGN_UP=false",
      "GF_ANALYTICS_REPORTING_ENABLED=false",
      "GF_ANALYTICS_CHECK_FOR_UPDATES=false",
      "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false",
      "GOMEMLIMIT=345MiB",
    ]);
    expect(container).not.toHaveProperty("command");
    // Grafana reads its files once, so other dashboards restart it. A new password would not be the one it has.
    const { inputs: running } = resources.one("drawing-grafana-running");
    expect((running.check as string[]).at(-1)).toBe("http://127.0.0.1:3000/api/health");
    expect(running.check).toContain("--fail");
    expect(running.revision).toBe("revision of drawing-grafana-files");
    expect(resources.one("drawing-grafana-password").inputs).toEqual({ keeper: "" });
    expect(resources.one("drawing-grafana-data").retainOnDelete).toBe(true);
    expect(JSON.stringify(container)).not.toContain("result of");
  });

  it("restarts the exporter for new files, and reloads Prometheus", () => {
    expect(resources.one("watch-postgres-exporter-running").inputs).not.toHaveProperty("reload");
    expect(resources.one("watch-prometheus-running").inputs.reload).toEqual(["prometheus-reload"]);
  });

  it("reads metrics of backups and errors of the log only if there are volumes with them", async () => {
    expect(JSON.stringify(resources.one("watch-volume-exporter").inputs.command)).not.toContain("textfile.directory");
    await declare("written", { textfiles: "shop-team-backup-metrics", log: "shop-team-log" });
    const { command, volumes } = resources.one("written-volume-exporter").inputs;
    for (const [volumeName, containerPath] of [
      ["shop-team-backup-metrics", "/var/lib/pgroundwork/metrics"],
      ["shop-team-log", "/var/lib/pgroundwork/log"],
    ]) {
      expect(JSON.stringify(command)).toContain(`--collector.textfile.directory=${containerPath}"`);
      expect(volumes).toContainEqual({ volumeName, containerPath, readOnly: true });
    }
  });
});
