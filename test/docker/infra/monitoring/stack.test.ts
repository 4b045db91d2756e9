import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { lastLogLines } from "../../../../scripts/docker/container-log.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type { Sifted } from "../../../../scripts/doctor/baseline.ts";
import type { HealthStatus } from "../../../../scripts/health/judge.ts";
import type * as answers from "../../../../scripts/health/server/answers.ts";
import type { HealthServerOutput, StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { type Prometheus, prometheusAt } from "../../prometheus.ts";
import { httpReceiver, type Received, type Receiver } from "../../receivers.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";
import { describeStackAlerts, passedDrill, recordDrills } from "./describe-stack-alerts.ts";

const docker = dockerClient();
const polling = { timeout: 90_000, interval: 500 };
const token = "a-token-that-no-one-may-see";

/** Alertmanager's JSON, as far as the tests read it. */
interface Payload {
  status: string;
  alerts: { labels: Record<string, string>; annotations: Record<string, string> }[];
}

interface Panel {
  title: string;
  targets: { expr: string }[];
}

// One stack with everything that the monitoring can have: receivers, backups, dumps, jobs, and a receiver of WAL.
describe("the monitoring of a stack with receivers, backups and jobs", () => {
  let shop: DockerStack;
  let prometheus: Prometheus;
  let health: HealthServerOutput;
  let webhook: Receiver<Received> & { answer: number };

  beforeAll(async () => {
    const bridge = (await docker.getNetwork("bridge").inspect()) as { IPAM: { Config: { Gateway: string }[] } };
    const host = bridge.IPAM.Config[0]?.Gateway ?? "172.17.0.1";
    webhook = await httpReceiver(host);
    shop = await makeDockerStack({ ownPlugins: true });
    await shop.clone.write(
      "migrations/shop/database.json",
      JSON.stringify({
        seedSets: ["reference", "dev"],
        jobs: { tidy: { schedule: "0 3 * * *", command: "select 1" } },
      }),
    );
    // Prometheus and the health server measure often, alerts fire at once, and messages do not wait for others.
    await shop.clone.shell(`sed -i '/^ *for: /d' infra/monitoring/alerts.yml infra/monitoring/health-alerts.yml
      # A new certificate is valid for a year.
      sed -i 's/ < 2 \\* 86400/ < 400 * 86400/; s/ < 14 \\* 86400/ < 400 * 86400/' infra/monitoring/health-alerts.yml
      # Messages that were accepted before do not hide for minutes that one is refused.
      sed -i '/receiver_name!="test"/s/5m/15s/' infra/monitoring/alerts.yml
      sed -i 's/^\\(  scrape_interval\\|  scrape_timeout\\|  evaluation_interval\\): .*/\\1: 3s/' infra/plan/monitoring.ts
      sed -i 's/group_wait: "30s", group_interval: "5m"/group_wait: "1s", group_interval: "3s"/' infra/plan/alerts.ts
      sed -i 's/rest: 60 }/rest: 20 }/' scripts/stack/alert-silence.ts`);
    const address = `http://${host}:${webhook.port}`;
    await shop.configure({
      ...{ memory: 512, maxConnections: 30, backups: { dumps: true }, postgresql: { wal_level: "logical" } },
      monitoring: {
        healthLimits: { interval: "2s", connections: [50, 99] },
        alerts: {
          webhook: { url: `${address}/alerts`, token },
          heartbeat: { url: `${address}/heartbeat`, minutes: 1 },
        },
      },
    });
    await shop.succeed("up");
    // Otherwise the container makes the first dumps a minute later, and until then it is not known how old they are.
    await runInContainer(docker, `${shop.prefix}-backup`, { command: ["scheduled-dump", "run"] });
    const { stdout } = await shop.succeed("outputs", "--json", "--show-secrets");
    const { monitoring } = JSON.parse(stdout) as StackOutputs;
    if (monitoring?.health === undefined) throw new Error("the stack has no health server");
    health = monitoring.health;
    prometheus = prometheusAt(monitoring.prometheus);
  });
  afterAll(() => webhook?.stop());

  const shell = (text: string) => runInContainer(docker, shop.server, { command: ["bash", "-c", text] });
  const superuser = async (sql: string) => {
    const command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "shop", "-c", sql];
    const { code, stderr } = await runInContainer(docker, shop.server, { command });
    if (code !== 0) throw new Error(stderr);
  };
  const messages = (name: string) =>
    webhook.messages
      .map(({ body }) => body as Payload)
      .filter(({ alerts: [first] }) => first?.labels.alertname === name);
  const states = (name: string) => messages(name).map(({ status }) => status);

  it("shows a value in every panel of the dashboards", async () => {
    // A receiver of WAL with a slot.
    await superuser("select pg_create_logical_replication_slot('reader', 'test_decoding')");
    await shell("nohup pg_recvlogical -U postgres -d shop --slot reader --start -f /dev/null >/dev/null 2>&1 &");
    await expect(shop.query("app", "select 1 / 0")).rejects.toThrow("division by zero");
    await recordDrills(shop, passedDrill);
    const folder = join(cloneRoot, "infra/monitoring/grafana/dashboards");
    const panels: (Panel & { dashboard: string })[] = [];
    for (const dashboard of await readdir(folder)) {
      const { panels: own } = JSON.parse(await readFile(join(folder, dashboard), "utf8")) as { panels: Panel[] };
      panels.push(...own.map((panel) => ({ ...panel, dashboard })));
    }
    expect(panels.length).toBeGreaterThan(40);
    const queries = panels.flatMap(({ dashboard, title, targets }) =>
      targets.map(({ expr }) => ({ panel: `${dashboard} ${title}`, expr: filled(expr) })),
    );
    const started = Date.now() / 1_000;
    /** Returns the panels without a finite value that was measured after the start of this test. */
    const empty = async () => {
      await shop.query("app", "select count(*) from public.product");
      const found = await Promise.all(
        queries.map(async ({ panel, expr }) => {
          const samples = await prometheus.query(expr);
          return samples.some(({ value }) => Number.isFinite(value)) ? [] : [panel];
        }),
      );
      return found.flat();
    };
    const measured = async () => (await prometheus.query(`min(timestamp(up)) > ${started + 10}`)).length;
    await expect.poll(measured, polling).toBe(1);
    await expect.poll(empty, { ...polling, interval: 3_000 }).toEqual([]);
  });

  /** Fills in Grafana's variables as it does for an hour and all databases. */
  function filled(expr: string): string {
    return expr.replaceAll("$__rate_interval", "1m").replaceAll("$database", ".+");
  }

  const ask = async (path: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${health.token}` };
    return (await fetch(`${health.url}${path}`, { headers })).json();
  };
  /** Returns whether the server answers the health server, and the state of its backups. */
  const backups = async () => {
    const { up, subjects } = (await ask("/v1/database/metrics")) as z.infer<typeof answers.metrics>;
    return { up, ...subjects.find(({ name }) => name === "backups") };
  };

  it("has a health server that knows the backups from the metrics of their container", async () => {
    const created = await shop.succeed("backup", "create", "--json");
    const { backup } = JSON.parse(created.stdout) as { backup: { finishedAt: string } };
    const lastBackup = async () => {
      const answer = (await ask("/api/admin/database-health")) as z.infer<typeof answers.adminHealth>;
      return Date.parse(answer.lastBackup ?? "");
    };
    await expect.poll(lastBackup, polling).toBe(Date.parse(backup.finishedAt));
    expect(await backups()).toMatchObject({ up: true, level: "ok" });
    const inSidecar = (text: string) =>
      runInContainer(docker, `${shop.prefix}-backup`, { command: ["bash", "-c", text] });
    const folder = "/var/lib/pgbackrest/backup/main";
    await inSidecar(`chmod 500 ${folder}; backup-job incr; chmod 750 ${folder}`);
    const failed = { level: "critical", detail: expect.stringContaining("run of type incr failed") };
    await expect.poll(backups, polling).toMatchObject(failed);
    await expect.poll(() => prometheus.firing(), polling).toContain("PostgreSQLBackupFailed");
    expect((await inSidecar("backup-job incr")).code).toBe(0);
    await expect.poll(backups, polling).toMatchObject({ level: "ok" });
    const command = ["touch", "/var/lib/pgroundwork/metrics/x"];
    const { stderr } = await runInContainer(docker, `${shop.prefix}-health`, { command });
    expect(stderr).toContain("Read-only file system");
  });

  it("knows how full the disk of the data volume is, in its container and from the machine of the command", async () => {
    const { stdout } = await shell("df --block-size=1 --output=size,used,avail /var/lib/postgresql | tail -n 1");
    const [bytes = 0, used = 0, free = 0] = stdout.trim().split(/\s+/).map(Number);
    const { storage, subjects } = (await ask("/v1/database/metrics")) as z.infer<typeof answers.metrics>;
    // Other tests write to the same disk between two measurements.
    const expected = { percent: (100 * used) / (used + free), free };
    const difference = ({ percent, free: bytesFree }: typeof expected) =>
      Math.max(Math.abs(percent - expected.percent), (100 * Math.abs(bytesFree - expected.free)) / bytes);
    expect(difference({ percent: storage.diskPercent ?? Number.NaN, free: storage.diskFreeBytes ?? 0 })).toBeLessThan(
      3,
    );
    expect(subjects.find(({ name }) => name === "storage")?.level).toBe(levelOf(expected.percent));
    const page = await fetch(health.url, { headers: { authorization: `Bearer ${health.token}` } });
    const html = await page.text();
    expect(html).toMatch(/Free on the server&#39;s machine: [\d.]+ GB of [\d.]+ GB on the disk .*on \d+ processors\./);
    expect(html).toMatch(/When the disk is full is not known: only \d+ hours were measured/);

    const checked = await shop.pgw("health", "check", "--json");
    const { subjects: seen } = JSON.parse(checked.stdout) as HealthStatus;
    const detail = seen.find(({ name }) => name === "storage")?.detail ?? "";
    const [, percent, gigabytes] = /^(\d+) % used, ([\d.]+) GB free$/.exec(detail) ?? [];
    expect(difference({ percent: Number(percent), free: Number(gigabytes) * 1024 ** 3 }), detail).toBeLessThan(3);

    const exporter = docker.getContainer(`${shop.prefix}-volume-exporter`);
    await exporter.stop();
    const storageSubject = async () => {
      const answer = (await ask("/v1/database/metrics")) as z.infer<typeof answers.metrics>;
      return answer.subjects.find(({ name }) => name === "storage");
    };
    const unknown = { level: "unknown", detail: expect.stringContaining("the volume exporter does not answer") };
    await expect.poll(storageSubject, polling).toMatchObject(unknown);
    await exporter.start();
    await expect.poll(storageSubject, polling).toMatchObject({ level: levelOf(expected.percent) });
  });

  it("reports the end of the certificate, invalid indexes, tables behind vacuum, and a health server that is stopped", async () => {
    const firing = () => prometheus.firing();
    const certificate = ["PostgreSQLCertificateCritical", "PostgreSQLCertificateExpires"];
    await expect.poll(firing, polling).toEqual(expect.arrayContaining(certificate));
    const [end] = await prometheus.query("pgroundwork_server_certificate_expiry_timestamp_seconds - time()");
    expect((end?.value ?? 0) / 86_400).toBeCloseTo(365, 0);
    webhook.answer = 500;
    await superuser(`create table dead (id int) with (autovacuum_enabled = false);
      insert into dead select generate_series(1, 10001); delete from dead; create index dead_id on dead (id);
      update pg_index set indisvalid = false where indexrelid = 'dead_id'::regclass`);
    const tables = ["PostgreSQLInvalidIndexes", "PostgreSQLVacuumBehind"];
    await expect.poll(firing, polling).toEqual(expect.arrayContaining(tables));
    for (const { labels } of await prometheus.query('ALERTS{alertname=~"PostgreSQL(Inv|Vac).*"}'))
      expect(labels.database).toBe("shop");
    await expect.poll(firing, polling).toContain("PostgreSQLAlertsNotSent");
    webhook.answer = 200;
    await superuser("drop table dead");
    const container = docker.getContainer(`${shop.prefix}-health`);
    await container.stop();
    await expect.poll(firing, polling).toContain("HealthServerUnknown");
    await container.start();
    await expect.poll(firing, polling).not.toContain("HealthServerUnknown");
  });

  it("gives Prometheus metrics in which its own parser finds no fault", async () => {
    const headers = { authorization: `Bearer ${health.token}` };
    const response = await fetch(`${health.url}/v1/database/metrics?format=prometheus`, { headers });
    const input = await response.text();
    expect(input).toContain("\npgroundwork_database_bytes{");
    const check = (text: string) =>
      runInContainer(docker, `${shop.prefix}-prometheus`, { command: ["promtool", "check", "metrics"], input: text });
    expect(await check(input)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect((await check(`${input}pgroundwork_up 1\n`)).code).not.toBe(0);
  });

  describeStackAlerts(() => ({ shop, prometheus }));

  /** Returns the state of a disk at the limits of the settings. */
  function levelOf(percent: number): string {
    return percent >= 95 ? "critical" : percent >= 80 ? "warning" : "ok";
  }

  it("has a history of statements that doctor compares, in the health container, too", async () => {
    const { stdout } = await shop.pgw("doctor", "--only", "slower-statement", "--json");
    const { checks } = JSON.parse(stdout) as Sifted;
    expect(checks).toEqual([
      expect.objectContaining({
        database: null,
        unknown: [expect.stringMatching(/^only \d+ days of statements were recorded, not 4$/)],
      }),
    ]);
  });

  it("sends a test alert on request, and says whether its receiver accepted it", async () => {
    const { stdout } = await shop.succeed("health", "test-alert");
    expect(stdout).toMatch(/webhook +accepted/);
    const [message] = messages("PostgreSQLTestAlert");
    expect(message?.alerts[0]?.labels).toMatchObject({ project: "pgroundwork", stack: shop.stack });
    webhook.answer = 500;
    const refused = await shop.pgw("health", "test-alert", "--timeout", "3", "--json");
    webhook.answer = 200;
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      accepted: false,
      receivers: [{ channel: "webhook", accepted: false, reason: expect.stringContaining("500") }],
    });
  });

  it("reports a stopped server once, and its end, although up has repaired it", async () => {
    await docker.getContainer(shop.server).stop();
    await expect.poll(() => states("PostgreSQLDown"), polling).toEqual(["firing"]);
    expect(await backups()).toMatchObject({ up: false, level: "ok" });
    await shop.succeed("up");
    await expect.poll(() => states("PostgreSQLDown"), polling).toEqual(["firing", "resolved"]);
    const [message] = messages("PostgreSQLDown");
    expect(message?.alerts[0]).toMatchObject({
      labels: { project: "pgroundwork", stack: shop.stack, severity: "critical" },
      annotations: { runbook: "infra/monitoring/runbook.md#postgresqldown", value: "pg_up is 0" },
    });
  });

  it("is silent about what begins during up, until shortly after up has ended", async () => {
    const silences = async () => {
      const command = ["amtool", "--alertmanager.url=http://127.0.0.1:9093", "silence", "query", "--output=json"];
      const { stdout } = await runInContainer(docker, `${shop.prefix}-alertmanager`, { command });
      return JSON.parse(stdout) as unknown[];
    };
    // The silence of the last `up` has ended.
    await expect.poll(silences, polling).toEqual([]);
    const finished = shop.pgw("up");
    await expect.poll(silences, polling).toMatchObject([{ comment: "pgw up", createdBy: "pgroundwork" }]);
    // A fault that `up` does not correct.
    await superuser("update pg_database set datcollversion = '1.0' where datname = 'shop'");
    await expect.poll(() => prometheus.firing(), polling).toContain("PostgreSQLCollationMismatch");
    expect(await silences()).not.toEqual([]);
    expect(states("PostgreSQLCollationMismatch")).toEqual([]);
    await finished;
    await expect.poll(() => states("PostgreSQLCollationMismatch"), polling).toEqual(["firing"]);
    expect(await silences()).toEqual([]);
    await superuser("alter database shop refresh collation version");
    await expect.poll(() => states("PostgreSQLCollationMismatch"), polling).toEqual(["firing", "resolved"]);
  });

  it("requests the heartbeat's URL while it works", async () => {
    webhook.messages.splice(0);
    const beats = () => webhook.messages.filter(({ path }) => path === "/heartbeat").length;
    await expect.poll(beats, polling).toBeGreaterThan(0);
  });

  it("keeps the receivers' secrets in files that only its process can read", async () => {
    const role = `${shop.prefix}-alertmanager`;
    const inside = (text: string) => runInContainer(docker, role, { command: ["bash", "-c", text] });
    expect((await inside("stat -c '%U %a' /etc/pgroundwork/secrets/webhook-token")).stdout).toBe("prometheus 600\n");
    const { HostConfig, Config } = await shop.inspected("alertmanager");
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ["ALL"], PortBindings: {} });
    const health = async () => (await shop.inspected("alertmanager")).State.Health?.Status;
    await expect.poll(health, { timeout: 100_000, interval: 500 }).toBe("healthy");
    const places: Record<string, string> = {
      inspect: JSON.stringify({ HostConfig, Config }),
      log: await lastLogLines(docker, role, 10_000),
      processes: JSON.stringify(await docker.getContainer(role).top()),
      configuration: (await inside("cat /etc/pgroundwork/alertmanager.yml; http-get 9093 /api/v2/status")).stdout,
      state: (await shop.clone.shell(`cat .pgroundwork/.pulumi/stacks/*/${shop.stack}.json`)).stdout,
      outputs: (await shop.succeed("outputs", "--json")).stdout,
    };
    for (const [place, text] of Object.entries(places)) {
      expect(text.length, place).toBeGreaterThan(20);
      expect(text, place).not.toContain(token);
    }
  });

  it("reports a statement of an application that takes more than a second on average", async () => {
    for (let calls = 0; calls < 8; calls += 1) await shop.query("app", "select pg_sleep(1.05)");
    await expect.poll(() => prometheus.firing(), polling).toContain("PostgreSQLStatementSlow");
    await expect.poll(() => states("PostgreSQLStatementSlow"), polling).toEqual(["firing"]);
    expect(await prometheus.firing()).not.toContain("PostgreSQLStatementVerySlow");
    const [message] = messages("PostgreSQLStatementSlow");
    const { statement = "", datname } = message?.alerts[0]?.labels ?? {};
    expect(datname).toBe("shop");
    const text = "select query from pgroundwork_monitoring.pg_stat_statements where queryid::text = $1";
    const found = await shop.query<{ query: string }>("superuser", text.replace("$1", `'${statement}'`));
    expect(found[0]?.query).toBe("select pg_sleep($1)");
  });
});
