import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pRetry from "p-retry";
import pg from "pg";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type { HealthStatus } from "../../../../scripts/health/judge.ts";
import type { StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { type Prometheus, prometheusAt } from "../../prometheus.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";
import { describeStateAlerts } from "./describe-state-alerts.ts";

const docker = dockerClient();
const polling = { timeout: 60_000, interval: 500 };

/** Shortens the waiting times of alert rules. The tests create each condition and keep it until its alert fires. */
function impatient(rules: string): string {
  const shorter: [string, string][] = [
    ["> 1800", "> 1"],
    ["pg_wal_archive_waiting_seconds > 300", "pg_wal_archive_waiting_seconds > 1"],
    ["> 256 * 1024 * 1024", "> 65536"],
    ["< 900", "< 15"],
    ["}) > 300", "}) > 1"],
    ["lock_wait_seconds > 300", "lock_wait_seconds > 3"],
    ["lock_wait_seconds > 30", "lock_wait_seconds > 1"],
    ["prepared_transaction_seconds > 300", "prepared_transaction_seconds > 1"],
    ["> 1024 * 1024 * 1024", "> 65536"],
    ["> 10 * 1024 * 1024 * 1024", "> 1048576"],
    ["[1h])", "[15s])"],
    ["standbys[6h]", "standbys[15s]"],
    ["start_time_seconds[15m]", "start_time_seconds[30s]"],
    ["start_seconds[15m]", "start_seconds[30s]"],
    ["< 86400", "< 15"],
  ];
  let text = rules.replaceAll(/^ +for: .*\n/gm, "");
  for (const [from, to] of shorter) {
    if (!text.includes(from)) throw new Error(`No rule has ${from}.`);
    text = text.replaceAll(from, to);
  }
  return text;
}

describe("the alerts of a running server", () => {
  let shop: DockerStack;
  let prometheus: Prometheus;
  const sessions: pg.Client[] = [];

  beforeAll(async () => {
    // A host could have loaded the program before this test edits it.
    shop = await makeDockerStack({ ownPlugins: true });
    const path = "infra/monitoring/alerts.yml";
    await shop.clone.write(path, impatient(await readFile(join(shop.clone.root, path), "utf8")));
    await shop.clone.shell(
      "sed -i 's/^\\(  scrape_interval\\|  scrape_timeout\\|  evaluation_interval\\): .*/\\1: 3s/' infra/plan/monitoring.ts",
    );
    // The survivor of a deadlock waits this long. With the default of 1 s it could count as a slow statement.
    const postgresql = { deadlock_timeout: "200ms", max_prepared_transactions: 2 };
    await shop.configure({ monitoring: true, maxConnections: 40, postgresql });
    await shop.succeed("up");
    const { monitoring } = JSON.parse((await shop.succeed("outputs", "--json")).stdout) as StackOutputs;
    prometheus = prometheusAt(monitoring?.prometheus ?? "");
    // WAL archiving and logical decoding begin with a restart of the server.
    await superuser("alter system set archive_mode = on");
    await superuser("alter system set archive_command = 'true'");
    await superuser("alter system set wal_level = logical");
    await docker.getContainer(shop.server).restart();
    await vi.waitFor(async () => {
      expect(await prometheus.query("pg_wal_archive_enabled == 1 and on () pg_up == 1")).toHaveLength(1);
      expect(await firing()).toEqual([]);
    }, polling);
  });
  afterEach(() => endSessions());

  const shell = (text: string) => runInContainer(docker, shop.server, { command: ["bash", "-c", text] });
  /** Uses the socket, which still works if TCP connections have run out. */
  const superuser = async (sql: string) => {
    const command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", "shop", "-c", sql];
    const { code, stdout, stderr } = await runInContainer(docker, shop.server, { command });
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const session = async (role = "app"): Promise<pg.Client> => {
    const { stdout } = await shop.succeed("url", "--role", role);
    const url = new URL(stdout.trim());
    const client = await connect(url);
    return client;
  };
  const connect = async (url: URL) => {
    const { searchParams, hostname, port, username, password } = url;
    const client = new pg.Client({
      host: hostname,
      port: Number(port),
      user: username,
      password: decodeURIComponent(password),
      database: "shop",
      ssl: { ca: await readFile(searchParams.get("sslrootcert") ?? "", "utf8") },
    });
    // A server that stops ends the session.
    client.on("error", () => {});
    await client.connect();
    sessions.push(client);
    return client;
  };
  const endSessions = async () => {
    await Promise.all(sessions.splice(0).map((client) => client.end().catch(() => {})));
  };
  const firing = () => prometheus.firing();
  const calm = () => expect.poll(firing, polling).toEqual([]);

  it("do not fire while the server is healthy", async () => {
    expect(await firing()).toEqual([]);
    expect(await prometheus.query("pg_scrape_collector_success == 0")).toEqual([]);
  });

  it("name the role and database of a transaction that stays open, until it ends", async () => {
    const client = await session();
    await client.query("begin");
    await client.query("select 1");
    await expect.poll(firing, polling).toEqual(["PostgreSQLIdleInTransaction", "PostgreSQLLongTransaction"]);
    const [alert] = await prometheus.query('ALERTS{alertname="PostgreSQLLongTransaction"}');
    expect(alert?.labels).toMatchObject({ datname: "shop", usename: "shop_app", severity: "warning" });
    await client.query("rollback");
    await calm();
    await endSessions();
  });

  it("fire at 70 % and at 90 % of the connections, and measuring continues", async () => {
    const url = new URL((await shop.succeed("url", "--role", "app")).stdout.trim());
    while (sessions.length < 23) await connect(url);
    await expect.poll(firing, polling).toEqual(["PostgreSQLConnectionsHigh"]);
    const refused = async (): Promise<string> => {
      try {
        for (;;) await connect(url);
      } catch (error) {
        return String(error);
      }
    };
    expect(await refused()).toMatch(/remaining connection slots are reserved/);
    // Also takes connections that another client released while the server was full.
    const firingWhileFull = async () => {
      await refused();
      return firing();
    };
    const whileFull = ["PostgreSQLConnectionsCritical", "PostgreSQLConnectionsHigh", "PostgreSQLConnectionsRefused"];
    await expect.poll(firingWhileFull, polling).toEqual(whileFull);
    // A monitor that reconnects is accepted, too.
    await docker.getContainer(`${shop.prefix}-postgres-exporter`).restart();
    await expect.poll(() => prometheus.query("pg_up == 1"), polling).toHaveLength(1);
    await expect.poll(firingWhileFull, polling).toEqual(whileFull);
    await endSessions();
    await calm();
  });

  it("report a deadlock in its database", async () => {
    const [one, two] = [await session(), await session()];
    for (const client of [one, two]) await client.query("begin");
    const update = (client: pg.Client, id: number) => client.query(`update product set price = price where id = ${id}`);
    await update(one, 1);
    await update(two, 2);
    const ends = await Promise.allSettled([update(one, 2), update(two, 1)]);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(1);
    await endSessions();
    await expect.poll(firing, polling).toEqual(["PostgreSQLDeadlocks"]);
    const [alert] = await prometheus.query("ALERTS");
    expect(alert?.labels.datname).toBe("shop");
    expect((await prometheus.query("increase(pg_stat_database_deadlocks{datname='shop'}[15m])"))[0]?.value).toBeCloseTo(
      1,
      0,
    );
    // Otherwise the alert would fire for 15 min.
    await superuser("select pg_stat_reset()");
    await shop.clone.shell(
      "sed -i 's/pg_stat_database_deadlocks\\[15m\\]/pg_stat_database_deadlocks[7s]/' infra/monitoring/alerts.yml",
    );
    await shop.succeed("up");
    await calm();
  });

  it("report a damaged page and a statement that exceeds its limit, in their database", async () => {
    await superuser("create extension pg_buffercache");
    await superuser("create table damaged as select generate_series(1, 1000) as id");
    await superuser("checkpoint");
    const file = await superuser("select pg_relation_filepath('damaged')");
    await shell(`printf x | dd of=/var/lib/postgresql/17/data/${file} bs=1 seek=5000 conv=notrunc`);
    await superuser(
      "select pg_buffercache_evict(bufferid) from pg_buffercache where relfilenode = pg_relation_filenode('damaged')",
    );
    await expect(superuser("select count(*) from damaged")).rejects.toThrow("invalid page in block 0");
    await expect.poll(firing, polling).toEqual(["PostgreSQLChecksumFailures", "PostgreSQLDataCorrupted"]);
    const [alert] = await prometheus.query('ALERTS{alertname="PostgreSQLDataCorrupted"}');
    expect(alert?.labels).toMatchObject({ sqlstate: "XX001", database: "shop", severity: "critical" });
    const checked = await shop.pgw("health", "check", "--json");
    expect(checked.code).toBe(5);
    const { subjects } = JSON.parse(checked.stdout) as HealthStatus;
    expect(subjects.find(({ name }) => name === "errors")).toMatchObject({
      level: "critical",
      detail: expect.stringMatching(/ERROR XX001 in database shop at /),
    });
    await superuser("drop table damaged; drop extension pg_buffercache");

    const sorted = "select count(*) from (select generate_series(1, 1000000) as id order by id desc) as sorted";
    await expect(superuser(`set temp_file_limit = '64kB'; set work_mem = '64kB'; ${sorted}`)).rejects.toThrow(
      "temporary file size exceeds",
    );
    await expect.poll(firing, polling).toContain("PostgreSQLResourcesExhausted");
    await calm();
  });

  it("report PANIC, a session that cannot begin, and an internal error, but no wrong password", async () => {
    const url = new URL((await shop.succeed("url", "--role", "app")).stdout.trim());
    url.password = "wrong";
    await expect(connect(url)).rejects.toThrow("password authentication failed");
    await expect
      .poll(() => prometheus.query("pgroundwork_logged_errors_total{severity='FATAL',class='28'}"), polling)
      .toHaveLength(1);
    expect(await firing()).toEqual([]);

    await shell("PGOPTIONS='-c session_preload_libraries=nowhere' psql");
    await expect.poll(firing, polling).toContain("PostgreSQLFatalErrors");
    await expect(
      superuser("do $$ begin raise exception 'e' using errcode = 'internal_error'; end $$"),
    ).rejects.toThrow();
    await expect.poll(firing, polling).toContain("PostgreSQLInternalError");

    // The server has segments in advance, and needs another one soon.
    const { stdout } = await shell(`cd /var/lib/postgresql/17/data && chmod 500 pg_wal
      for n in $(seq 50); do psql -qc 'create table t (); drop table t; select pg_switch_wal()' || break; done
      chmod 700 pg_wal; echo ended after $n`);
    expect(stdout).toMatch(/^ended after/m);
    await expect.poll(firing, polling).toContain("PostgreSQLPanic");
    await expect.poll(() => superuser("select 1").catch(String), polling).toBe("1");
    await expect.poll(firing, polling).toContain("PostgreSQLCrashed");
    expect(await firing()).not.toContain("PostgreSQLRestarted");
    await calm();
  });

  it("report that errors are not known if they are left out of the log", async () => {
    await superuser("alter system set log_min_messages = 'fatal'");
    await superuser("select pg_reload_conf()");
    await expect.poll(firing, polling).toEqual(["PostgreSQLErrorsUnknown"]);
    await superuser("alter system reset log_min_messages");
    await superuser("select pg_reload_conf()");
    await calm();
  });

  it("report WAL archiving that fails or hangs, but not an idle archive", async () => {
    await superuser("alter system set archive_command = 'false'");
    await superuser("select pg_reload_conf()");
    await superuser("select pg_switch_wal()");
    await expect.poll(firing, polling).toEqual(["PostgreSQLArchiveFailing", "PostgreSQLArchiveStale"]);
    expect((await prometheus.query("pg_wal_archive_waiting_segments"))[0]?.value).toBeGreaterThan(0);
    await superuser("alter system set archive_command = 'true'");
    await superuser("select pg_reload_conf()");
    await calm();

    await superuser("alter system set archive_command = 'sleep 600'");
    await superuser("select pg_reload_conf()");
    await superuser("create table moved (); drop table moved");
    await superuser("select pg_switch_wal()");
    await expect.poll(firing, polling).toEqual(["PostgreSQLArchiveStale"]);
    await superuser("alter system set archive_command = 'true'");
    await superuser("select pg_reload_conf()");
    await shell("kill $(grep -lz '^sleep' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3)");
    await calm();
  });

  it("report a replication client that stops reading WAL", async () => {
    await superuser("select pg_create_logical_replication_slot('reader', 'test_decoding')");
    await shell("nohup pg_recvlogical -U postgres -d shop --slot reader --start -f /dev/null >/dev/null 2>&1 &");
    await expect.poll(() => prometheus.query("pg_wal_sender_lag_bytes"), polling).toHaveLength(1);
    await shell("kill -STOP $(grep -lz '^pg_recvlogical' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3)");
    await superuser("create table filled as select generate_series(1, 100000)");
    await expect.poll(firing, polling).toContain("PostgreSQLReplicationLagBytes");
    await shell("kill -KILL $(grep -lz '^pg_recvlogical' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3)");
    await expect.poll(() => superuser("select count(*) from pg_stat_replication"), polling).toBe("0");
    await expect.poll(firing, polling).toContain("PostgreSQLSlotRetainsWal");
    await superuser("select pg_drop_replication_slot('reader')");
    await calm();
  });

  it("name a database whose collation version differs from the recorded one, until it is refreshed", async () => {
    await superuser("update pg_database set datcollversion = '1.0' where datname = 'shop'");
    await expect.poll(firing, polling).toEqual(["PostgreSQLCollationMismatch"]);
    const [alert] = await prometheus.query("ALERTS");
    expect(alert?.labels).toMatchObject({ datname: "shop", severity: "critical" });
    await superuser("alter database shop refresh collation version");
    await calm();
  });

  it("measure the volumes as df does in the server's container", async () => {
    // Other tests write to the same disk between the two measurements.
    const difference = async () => {
      const [measured] = await prometheus.query(
        '(node_filesystem_size_bytes{volume="data"} - node_filesystem_free_bytes) / (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes)',
      );
      const { stdout } = await shell("df --block-size=1 --output=used,avail /var/lib/postgresql | tail -1");
      const [used = 0, available = 0] = stdout.trim().split(/\s+/).map(Number);
      return Math.abs((measured?.value ?? Number.NaN) - used / (used + available));
    };
    await expect.poll(difference, { timeout: 120_000 }).toBeLessThan(0.005);
  });

  it("show the age of transaction IDs and its limit as PostgreSQL does", async () => {
    const ages = await prometheus.query("pg_database_wraparound_age_datfrozenxid_seconds{datname='shop'}");
    const age = Number(await superuser("select age(datfrozenxid) from pg_database where datname = 'shop'"));
    expect(Math.abs((ages[0]?.value ?? 0) - age)).toBeLessThan(20);
    expect((await prometheus.query("pg_settings_autovacuum_freeze_max_age"))[0]?.value).toBe(200_000_000);
    expect((await prometheus.query("pg_settings_autovacuum_multixact_freeze_max_age"))[0]?.value).toBe(400_000_000);
  });

  describeStateAlerts(() => ({ shop, prometheus, shell, superuser, session, endSessions }));

  it("do not take an exporter that does not answer for a healthy server", async () => {
    const exporters = ["postgres-exporter", "volume-exporter"].map((role) =>
      docker.getContainer(`${shop.prefix}-${role}`),
    );
    // Docker's freezer gives up early on a busy machine.
    for (const exporter of exporters) await pRetry(() => exporter.pause(), { retries: 5, minTimeout: 1_000 });
    await expect.poll(firing, polling).toEqual(["PostgreSQLStorageUnknown", "PostgreSQLUnknown"]);
    for (const exporter of exporters) await exporter.unpause();
    await calm();
  });

  it("report a restart, and a stopped server until up has started it", async () => {
    await docker.getContainer(shop.server).restart();
    await expect.poll(firing, polling).toContain("PostgreSQLRestarted");
    await docker.getContainer(shop.server).stop();
    await expect.poll(firing, polling).toEqual(["PostgreSQLDown"]);
    await shop.succeed("up");
    await calm();
  });
});
