import { beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { lastLogLines } from "../../../../scripts/docker/container-log.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type * as answers from "../../../../scripts/health/server/answers.ts";
import type { HealthServerOutput, StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { hostileSettings } from "../../../hostile-settings.ts";
import { type Prometheus, prometheusAt } from "../../prometheus.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();
const roles = ["postgres-exporter", "volume-exporter", "prometheus", "health"] as const;
type Role = (typeof roles)[number];

describe("the monitoring of a stack", () => {
  let shop: DockerStack;
  let url: URL;
  let prometheus: Prometheus;
  let health: HealthServerOutput;

  const settings = { monitoring: { retentionDays: 3 }, postgresql: hostileSettings };
  beforeAll(async () => {
    shop = await makeDockerStack();
    await shop.configure(settings);
    await shop.succeed("up");
    const { monitoring } = JSON.parse(
      (await shop.succeed("outputs", "--json", "--show-secrets")).stdout,
    ) as StackOutputs;
    if (monitoring?.health === undefined) throw new Error("the stack has no health server");
    health = monitoring.health;
    url = new URL(monitoring?.prometheus ?? "");
    prometheus = prometheusAt(url.origin);
  });

  const ids = async () => Promise.all(["postgres", ...roles].map(async (role) => (await shop.inspected(role)).Id));
  const script = (role: Role, text: string) =>
    runInContainer(docker, `${shop.prefix}-${role}`, { command: ["bash", "-c", text] });
  const server = (text: string) => runInContainer(docker, shop.server, { command: ["bash", "-c", text] });
  const ask = (path: string, token = health.token) =>
    fetch(`${health.url}${path}`, { headers: token === "" ? {} : { authorization: `Bearer ${token}` } });
  const metrics = async () =>
    (await (await ask("/v1/database/metrics?detailed=true")).json()) as z.infer<typeof answers.metrics>;
  const isUp = async () => (await prometheus.query("pg_up")).map(({ value }) => value);
  /** Returns what the health server says of the server, as Prometheus has it. */
  const isScraped = async () => (await prometheus.query("pgroundwork_up{job='health'}")).map(({ value }) => value);
  /** Waits for a measurement that is newer than now. */
  const isUpAgain = async () => {
    const now = Date.now() / 1_000;
    await expect
      .poll(async () => (await prometheus.query(`timestamp(pg_up) > ${now}`)).length, { timeout: 40_000 })
      .toBe(1);
    return isUp();
  };

  it("queries the server from the first up on, and a second up changes nothing", async () => {
    await expect.poll(isUp, { timeout: 40_000 }).toEqual([1]);
    expect(await prometheus.query("pg_scrape_collector_success == 0")).toEqual([]);
    await expect
      .poll(() => prometheus.query("node_filesystem_size_bytes{volume='data'} > 0"), { timeout: 40_000 })
      .toHaveLength(1);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("answers every scrape, even if the server ends idle sessions in between", async () => {
    const scrapes = "count_over_time(pg_up[2m])";
    await expect
      .poll(async () => (await prometheus.query(scrapes))[0]?.value ?? 0, { timeout: 90_000 })
      .toBeGreaterThan(3);
    expect(await prometheus.query("min_over_time(pg_up[1m]) == 1")).toHaveLength(1);
    expect(await prometheus.query("max_over_time(pg_exporter_last_scrape_error[1m]) > 0")).toEqual([]);
    expect(await prometheus.query("min_over_time(pg_scrape_collector_success[1m]) == 0")).toEqual([]);
  });

  it("shows no change after a refresh", async () => {
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });

  it("listens on 127.0.0.1 only, and keeps the exporters inside the stack's network", async () => {
    const bindings = await Promise.all(
      roles.map(async (role) => (await shop.inspected(role)).HostConfig.PortBindings ?? {}),
    );
    expect(bindings).toEqual([
      {},
      {},
      { "9090/tcp": [{ HostIp: "127.0.0.1", HostPort: url.port }] },
      { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: new URL(health.url).port }] },
    ]);
    const { stdout } = await shop.clone.shell("ss --no-header --listening --tcp --numeric");
    const listening = stdout.split("\n").filter((line) => line.includes(`:${url.port} `));
    expect(listening.map((line) => line.split(/\s+/)[3])).toEqual([`127.0.0.1:${url.port}`]);
  });

  it("has a health server that answers with the state of the server and of its databases, and asks for a token", async () => {
    expect((await ask("/api/health/database")).status).toBe(200);
    const { status, up, subjects } = await metrics();
    expect([status, up]).toEqual(["ok", true]);
    const level = (name: string) => subjects.filter((each) => each.name === name).map((each) => each.level);
    expect(level("server")).toEqual(["ok"]);
    expect(level("errors")).toEqual(["ok"]);
    expect(level("backups")).toEqual(["not-applicable"]);
    expect(subjects.filter(({ name }) => name === "migrations")).toMatchObject([
      { database: "shop", level: "unknown", detail: expect.stringMatching(/^\d+ applied/) },
    ]);
    const page = await (await ask("/")).text();
    // Its container does not have the files of migrations.
    expect(page).toMatch(
      /<h1>Database: <span class="ok">ok<\/span>, <span class="unknown">not known: [^<]*migrations \(shop\)/,
    );
    expect(page).toContain("pgroundwork 0.1.0");
    expect((await ask("/openapi.json")).status).toBe(200);
    for (const path of ["/", "/api/health/database", "/v1/database/metrics", "/openapi.json"]) {
      expect((await ask(path, "")).status, path).toBe(401);
      expect((await ask(path, "a-wrong-token-of-some-length")).status, path).toBe(401);
    }
    expect((await ask("/health", "")).status).toBe(200);
    await expect.poll(isScraped, { timeout: 40_000 }).toEqual([1]);
    expect(await prometheus.query("ALERTS{alertname=~'Health.*'}")).toEqual([]);
    const outside = await shop.succeed("outputs", "--json");
    expect(outside.stdout).toContain(health.url);
    expect(outside.stdout).not.toContain(health.token);
    expect((await shop.succeed("status")).stdout).toContain(`${shop.prefix}-health`);
  });

  it("has a health server that reports a server which is down, and comes back with its history after it was killed", async () => {
    const before = (await metrics()).detailed?.trend ?? [];
    expect(before.length).toBeGreaterThan(0);
    const { StartedAt } = (await shop.inspected("health")).State;
    const isNode = '[ "$(readlink $process/exe)" = /usr/local/lib/pgroundwork/health/node ]';
    await script("health", `for process in /proc/[0-9]*; do ${isNode} && kill -9 \${process#/proc/}; done`);
    await expect
      .poll(async () => (await shop.inspected("health")).State, { timeout: 30_000 })
      .toMatchObject({ Running: true, StartedAt: expect.not.stringMatching(StartedAt) });
    await expect
      .poll(
        () =>
          ask("/health").then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(200);
    const after = (await metrics()).detailed?.trend ?? [];
    expect(after.slice(0, before.length)).toEqual(before);
    const paused = docker.getContainer(shop.server);
    await paused.pause();
    try {
      await expect.poll(async () => (await ask("/api/health/database")).status, { timeout: 30_000 }).toBe(503);
    } finally {
      await paused.unpause();
    }
    await expect.poll(async () => (await ask("/api/health/database")).status, { timeout: 30_000 }).toBe(200);
  });

  it("runs with only the privileges it needs", async () => {
    for (const role of roles) {
      const { Config, HostConfig } = await shop.inspected(role);
      expect(HostConfig, role).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        Init: true,
        RestartPolicy: { Name: "unless-stopped" },
      });
      expect(HostConfig.MemorySwap, role).toBe(HostConfig.Memory);
      expect(HostConfig.Memory, role).toBeGreaterThan(0);
      // The health server was restarted a moment ago.
      await expect
        .poll(async () => (await shop.inspected(role)).State.Health?.Status, { message: role, timeout: 100_000 })
        .toBe("healthy");
      expect(Config.User, role).toBe(role === "volume-exporter" ? "65534:65534" : "999:999");
      expect(HostConfig.PidsLimit, role).toBe(512);
      expect(Config.Labels["org.opencontainers.image.title"], role).toBe("pgroundwork monitoring");
    }
    expect((await script("volume-exporter", "ls /volumes/data")).stderr).toContain("Permission denied");
    expect((await script("volume-exporter", "touch /volumes/data/x")).code).not.toBe(0);
    const log = "/var/lib/pgroundwork/log";
    expect((await script("volume-exporter", `cat ${log}/server.json`)).stderr).toContain("Permission denied");
    expect((await script("volume-exporter", `touch ${log}/x`)).code).not.toBe(0);
    expect((await script("prometheus", "ls /etc/pgroundwork")).stdout).toBe("health-token\nprometheus.yml\nrules\n");
    expect((await script("health", `touch ${log}/x`)).stderr).toContain("Read-only file system");
    const { Memory } = (await shop.inspected("health")).HostConfig;
    expect(Memory).toBe(192 * 2 ** 20);
  });

  it("logs in over verified TLS as a role that has only the rights of pg_monitor", async () => {
    const sessions = await shop.query<{ ssl: boolean; version: string }>(
      "superuser",
      "select distinct ssl, version from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'monitor' and application_name in ('postgres_exporter', 'pgroundwork health')",
    );
    expect(sessions).toEqual([{ ssl: true, version: expect.stringMatching(/^TLSv1\.[23]$/) }]);
    const memberships = await shop.query(
      "superuser",
      "select roleid::regrole::text as role from pg_auth_members where member = 'monitor'::regrole order by 1",
    );
    expect(memberships).toEqual([{ role: "pg_monitor" }, { role: "pg_use_reserved_connections" }]);
    for (const refused of [
      "select * from public.product",
      "insert into public.product values (9, 'x', 1)",
      "create table public.x ()",
      "create temporary table x ()",
      "create schema x",
      "create role x",
      "select pg_read_file('/etc/pgroundwork/postgresql.conf')",
      "copy (select 1) to program 'true'",
      "select pg_reload_conf()",
      "set role shop_app",
    ]) {
      await expect(shop.query("monitor", refused), refused).rejects.toThrow(/permission denied|must be/);
    }
  });

  it("shows no secret in the engine, the logs, the state or the process list", async () => {
    const { stdout } = await shop.succeed("outputs", "--json", "--show-secrets");
    const secrets = [...stdout.matchAll(/"([\w-]{43})"/g)].map(([, secret = ""]) => secret);
    expect(secrets.length).toBeGreaterThan(5);
    const { Image } = await shop.inspected("prometheus");
    const places: Record<string, string> = {
      history: JSON.stringify(await docker.getImage(Image).history()),
      state: (await shop.clone.shell(`cat .pgroundwork/.pulumi/stacks/*/${shop.stack}.json`)).stdout,
      processes: (await shop.clone.shell("ps axww -o args; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"))
        .stdout,
      metrics: (await script("postgres-exporter", "http-get 9187 /metrics")).stdout,
      "server: log": await lastLogLines(docker, shop.server, 10_000),
      "server: log as JSON": (await server("cat /var/lib/pgroundwork/log/*.json")).stdout,
      configuration: JSON.stringify(await (await fetch(`${url.origin}/api/v1/status/config`)).json()),
    };
    for (const role of roles) {
      const { Config, HostConfig } = await shop.inspected(role);
      const container = docker.getContainer(`${shop.prefix}-${role}`);
      places[`${role}: inspect`] = JSON.stringify({ Config, HostConfig });
      places[`${role}: log`] = await lastLogLines(docker, `${shop.prefix}-${role}`, 10_000);
      places[`${role}: processes`] = JSON.stringify(await container.top());
    }
    for (const [place, text] of Object.entries(places)) {
      expect(text.length, place).toBeGreaterThan(20);
      expect(
        secrets.filter((secret) => text.includes(secret)),
        place,
      ).toEqual([]);
    }
    const password = await script("postgres-exporter", "stat -c '%U %a' /etc/pgroundwork/password");
    expect(password.stdout).toBe("prometheus 600\n");
  });

  it("continues with a new password without replacing a container", async () => {
    const before = await ids();
    await shop.configure({ ...settings, passwordVersion: 2 });
    await shop.succeed("up");
    expect(await ids()).toEqual(before);
    expect((await ask("/api/health/database")).status).toBe(401);
    const { stdout } = await shop.succeed("outputs", "--json", "--show-secrets");
    health = (JSON.parse(stdout) as StackOutputs).monitoring?.health ?? health;
    expect((await metrics()).up).toBe(true);
    expect(await isUpAgain()).toEqual([1]);
    // Prometheus reads the new token, too: a scrape with the former one has no sample.
    const now = Date.now() / 1_000;
    await expect
      .poll(() => prometheus.query(`timestamp(pgroundwork_up{job='health'}) > ${now}`), { timeout: 40_000 })
      .toHaveLength(1);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("changes nothing if Grafana's image cannot be pulled, and preview and up say so", async () => {
    const before = await ids();
    // Nothing listens on this port of the engine's machine.
    const grafana = { grafana: true, grafanaImage: "127.0.0.1:9/grafana:12" };
    await shop.configure({ ...settings, monitoring: { retentionDays: 4, ...grafana }, passwordVersion: 2 });
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await shop.pgw(command);
      expect(code, command).toBe(1);
      expect(stderr, command).toContain(
        "127.0.0.1:9/grafana:12 is not in the Docker engine, and it could not be pulled",
      );
      expect(stderr, command).toContain("set monitoring.grafana to false");
    }
    expect(await ids()).toEqual(before);
    await shop.configure({ ...settings, passwordVersion: 2 });
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });

  it("is repaired by up after containers were stopped, or removed with their volumes, by hand", async () => {
    await docker.getContainer(`${shop.prefix}-postgres-exporter`).stop();
    await docker.getContainer(`${shop.prefix}-volume-exporter`).remove({ force: true });
    await docker.getContainer(`${shop.prefix}-prometheus`).remove({ force: true });
    await docker.getVolume(`${shop.prefix}-prometheus-config`).remove();
    expect((await shop.succeed("preview")).stdout).toMatch(/\+ Container monitoring-prometheus\b/);
    await shop.succeed("up");
    expect(await isUpAgain()).toEqual([1]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("reloads changed rules in place, and refuses faulty rules with a message that names them", async () => {
    const { StartedAt } = (await shop.inspected("prometheus")).State;
    const alerts = (await shop.clone.shell("cat infra/monitoring/alerts.yml")).stdout;
    await shop.clone.write("infra/monitoring/alerts.yml", alerts.replace("alert: PostgreSQLDown", "alert: GoneDown"));
    await shop.succeed("up");
    const rules = async () => (await fetch(`${url.origin}/api/v1/rules`)).text();
    expect(await rules()).toContain("GoneDown");

    await shop.clone.write("infra/monitoring/alerts.yml", alerts.replace("pg_up == 0", "pg_up === 0"));
    const { code, stderr } = await shop.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot read its new files:\n.*alerts\.yml: .*"PostgreSQLDown": could not parse expression/);
    expect(await rules()).toContain("GoneDown");

    await shop.clone.write("infra/monitoring/alerts.yml", alerts);
    await shop.succeed("up");
    expect(await rules()).not.toContain("GoneDown");
    expect((await shop.inspected("prometheus")).State.StartedAt).toBe(StartedAt);
  });

  it("is removed when it is switched off, and finds its measurements when it is switched on again", async () => {
    const measured = async () => {
      const [counted] = await prometheus.query("count_over_time(pg_up[1h])");
      return counted?.value ?? 0;
    };
    expect(await measured()).toBeGreaterThan(1);
    await shop.configure({ postgresql: hostileSettings, passwordVersion: 2 });
    await shop.succeed("up");
    const left = await docker.listContainers({ all: true, filters: { name: [shop.prefix] } });
    expect(left.map(({ Names }) => Names)).toEqual([[`/${shop.prefix}-postgres`]]);
    const { Volumes } = await docker.listVolumes({ filters: { name: [shop.prefix] } });
    const volumes = Volumes.map(({ Name }) => Name.slice(shop.prefix.length + 1));
    expect(volumes.sort()).toEqual(["config", "data", "health-data", "log", "prometheus-data", "run"]);

    await shop.configure({ ...settings, monitoring: { prometheusPort: Number(url.port) }, passwordVersion: 2 });
    await shop.succeed("up");
    expect(await measured()).toBeGreaterThan(1);
  });
});
