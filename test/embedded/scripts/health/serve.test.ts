import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { judge } from "../../../../scripts/health/judge.ts";
import { Monitor } from "../../../../scripts/health/monitor.ts";
import { Probe } from "../../../../scripts/health/probe.ts";
import { prometheusText } from "../../../../scripts/health/prometheus.ts";
import { ratesBetween } from "../../../../scripts/health/rates.ts";
import { adminPerformance } from "../../../../scripts/health/server/answers.ts";
import { dashboardPath, endpoints } from "../../../../scripts/health/server/openapi.ts";
import { type HealthServer, serveHealth } from "../../../../scripts/health/server/serve.ts";
import { defaultSettings } from "../../../../scripts/health/settings.ts";
import { takeSnapshot } from "../../../../scripts/health/snapshot.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { revertMigrations } from "../../../../scripts/migrate/down.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../server.ts";
import { samplesOf } from "./prometheus-parser.ts";

let server: TestServer;
let health: HealthServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "health-"));
  server = await startServer({ shared_preload_libraries: "pg_stat_statements", max_connections: "20" });
  await withClient(server.connection(), (client) => client.query("create extension pg_stat_statements"));
  health = await serve({});
  // On a busy machine the first probe can take longer than its limit.
  await becomes(200);
});
afterAll(async () => {
  await health?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

function serve(options: Partial<Parameters<typeof serveHealth>[0]>): Promise<HealthServer> {
  const settings = { ...defaultSettings, collectorMs: 2_000 };
  const standard = { connection: server.connection(), settings, port: 0, version: "1.0.0" };
  return serveHealth({ ...standard, historyFile: join(folder, "history.json"), ...options });
}

/** Asks whether the database serves. The answer comes within a second; a busy machine may take three. */
async function state(query = ""): Promise<{ status: number; body: { status: string; reasons: string[] } }> {
  const started = performance.now();
  const response = await fetch(`${health.url}/api/health/database${query}`);
  const body = (await response.json()) as { status: string; reasons: string[] };
  expect(performance.now() - started).toBeLessThan(3_000);
  return { status: response.status, body };
}

const status = async () => (await state()).status;
const becomes = (wanted: number) => vi.waitFor(async () => expect(await status()).toBe(wanted), { timeout: 30_000 });

/** The dashboard is the application's, and has its own test. */
const answering = endpoints.filter(({ path }) => path !== dashboardPath);

/** Checks the answers of all endpoints of a server that answers 503. Each keeps its form, and hides no failure. */
async function expectAnswersOf503(url = health.url, query = "", expected: object = { status: "critical" }) {
  const asked = answering.map(async ({ path, answer }) => {
    const response = await fetch(`${url}${path}${path === databasePath ? query : ""}`);
    expect(response.status, path).toBe(path === databasePath ? 503 : 200);
    const body: unknown = await response.json();
    expect(answer.safeParse(body), path).toMatchObject({ success: true });
    if (path === databasePath) expect(body).toMatchObject({ ...expected, reasons: [expect.any(String)] });
  });
  await Promise.all(asked);
}

const databasePath = "/api/health/database";

describe("the health server", () => {
  it.each(answering.map(({ path, answer }) => [path, answer] as const))(
    "answers %s as /openapi.json says",
    async (path, answer) => {
      const response = await fetch(`${health.url}${path}?detailed=true`);
      expect(response.status).toBe(200);
      expect(answer.safeParse(await response.json())).toMatchObject({ success: true });
      const description = (await (await fetch(`${health.url}/openapi.json`)).json()) as { paths: object };
      expect(Object.keys(description.paths)).toContain(path);
    },
  );

  it("tells browsers to store nothing, to load nothing and to trust the type, also with a refusal", async () => {
    for (const [path, method] of [
      ["/", "GET"],
      ["/health", "GET"],
      ["/nowhere", "GET"],
      ["/health", "POST"],
    ] as const) {
      const { headers } = await fetch(`${health.url}${path}`, { method });
      expect(headers.get("cache-control"), path).toBe("no-store");
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("referrer-policy"), path).toBe("no-referrer");
      const policy = headers.get("content-security-policy");
      expect(policy, path).toContain("default-src 'none'");
      expect(policy, path).toContain("frame-ancestors 'none'");
      expect(policy, path).not.toContain("script");
    }
  });

  it("answers Prometheus with valid samples of current values", async () => {
    const response = await fetch(`${health.url}/api/health/database/metrics?format=prometheus`);
    const samples = samplesOf(await response.text());
    expect(samples.get("pgroundwork_up")).toBe(1);
    expect(samples.get('pgroundwork_collector_success{collector="sessions"}')).toBe(1);
    expect(samples.get("pgroundwork_connections")).toBeGreaterThan(0);
    expect(samples.get('pgroundwork_database_bytes{database="postgres"}')).toBeGreaterThan(1_000_000);
    // Nothing is archived here.
    expect(samples.has("pgroundwork_archive_failing")).toBe(false);
  });

  it("counts errors by class and database from the server's log", async () => {
    const connection = server.connection();
    const monitor = new Monitor(connection, { ...defaultSettings, collectorMs: 2_000 });
    const probe = new Probe(connection, 1_000);
    onTestFinished(() => probe.close());
    await monitor.observe(0);
    await withClient(server.connection(), (client) => client.query("select 1 / 0").catch(() => {}));
    const missing = new pg.Client(clientConfig(server.connection("nowhere")));
    await missing.connect().catch(() => {});
    await vi.waitFor(async () => {
      const text = await prometheusText(await monitor.observe(0), await probe.ask());
      const samples = samplesOf(text);
      const count = (labels: string) => samples.get(`pgroundwork_logged_errors{${labels}}`);
      expect(count('severity="ERROR",class="22",sqlstate="",database="postgres"')).toBe(1);
      expect(count('severity="FATAL",class="3D",sqlstate="",database=""')).toBe(1);
    }, 10_000);
  });

  it("runs one set of queries for ten readers at once", async () => {
    await withClient(server.connection(), async (client) => {
      // The other health server of this file counts as another role.
      await client.query("create role reader superuser login password 'reader'");
      const connection = { ...server.connection(), user: "reader", password: "reader" };
      const other = await serve({ connection, historyFile: undefined });
      try {
        const read = () => fetch(`${other.url}/v1/database/metrics`).then((response) => response.json());
        const answers = (await Promise.all(Array.from({ length: 10 }, read))) as { takenAt: string }[];
        expect(new Set(answers.map(({ takenAt }) => takenAt)).size).toBe(1);
        const { rows } = await client.query(
          `select sum(calls)::int as calls from pg_stat_statements
            where userid = 'reader'::regrole and query ~ 'pg_postmaster_start_time.*isWritable'`,
        );
        expect(rows).toEqual([{ calls: 1 }]);
      } finally {
        await other.stop();
      }
    });
  });

  it("lists ten statements, and the sum of the others", async () => {
    await withClient(server.connection(), async (client) => {
      for (let columns = 1; columns <= 12; columns += 1) await client.query(`select 1${", 1".repeat(columns)}`);
    });
    const other = await serve({ historyFile: undefined });
    try {
      const answer = await (await fetch(`${other.url}/api/admin/performance-metrics`)).json();
      const { topStatements, otherStatements } = adminPerformance.parse(answer);
      expect(topStatements).toHaveLength(10);
      expect(otherStatements?.statements).toBeGreaterThanOrEqual(2);
      const detailed = (await (await fetch(`${other.url}/v1/database/metrics?detailed=true`)).json()) as {
        detailed: { parts: { statements: { value: { calls: number } } } };
      };
      const listed = topStatements?.reduce((sum, { calls }) => sum + calls, 0) ?? 0;
      expect(listed + (otherStatements?.calls ?? 0)).toBe(detailed.detailed.parts.statements.value.calls);
    } finally {
      await other.stop();
    }
  });

  it("refuses other methods, other hosts and other sites, and goes on after garbage", async () => {
    expect((await fetch(`${health.url}/health`, { method: "POST", body: "x" })).status).toBe(405);
    expect((await fetch(`${health.url}/health`, { headers: { origin: "http://evil.example" } })).status).toBe(403);
    const { port } = new URL(health.url);
    const raw = async (text: string) => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.end(text);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      await once(socket, "close");
      return Buffer.concat(chunks).toString().split("\r\n")[0];
    };
    expect(await raw("GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")).toContain(" 421 ");
    expect(await raw("\u0000\u0001 nonsense\r\n\r\n")).toContain(" 400 ");
    expect(await raw(`GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).toMatch(/ 4\d\d /);
    expect(await raw("GET //[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).toContain(" 400 ");
    expect((await fetch(`${health.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${health.url}/health`)).status).toBe(200);
  });

  it("needs a token if other machines can reach it", async () => {
    const token = "a-token-of-24-characters";
    await expect(serve({ host: "0.0.0.0" })).rejects.toThrow(/a token is necessary/);
    await expect(serve({ host: "0.0.0.0", token: "short" })).rejects.toThrow(/has 5 characters/);
    const open = await serve({ host: "0.0.0.0", token, historyFile: undefined });
    try {
      const url = open.url.replace("0.0.0.0", "127.0.0.1");
      const get = async (authorization?: string) =>
        (await fetch(`${url}/api/health/database`, authorization === undefined ? {} : { headers: { authorization } }))
          .status;
      expect(await get()).toBe(401);
      expect(await get("Bearer another-token-of-24-char")).toBe(401);
      expect(await get(`Bearer ${token}`)).toBe(200);
      expect(await get(`Basic ${Buffer.from(`me:${token}`).toString("base64")}`)).toBe(200);
      expect((await fetch(`${url}/health`)).status).toBe(200);
    } finally {
      await open.stop();
    }
  });

  it("serves a dashboard only with a token, else 501 with the reason, and 503 if the database fails", async () => {
    const token = "a-token-of-24-characters";
    const get = async (options: Partial<Parameters<typeof serveHealth>[0]>, given = token) => {
      const own = await serve({ historyFile: undefined, ...options });
      try {
        const response = await fetch(`${own.url}${dashboardPath}`, { headers: { authorization: `Bearer ${given}` } });
        return [response.status, await response.json()];
      } finally {
        await own.stop();
      }
    };
    const dashboard = { read: async () => ({ users: "7" }) };
    expect(await get({ dashboard, token })).toEqual([200, { users: "7" }]);
    expect((await get({ dashboard, token }, "another-token-of-24-char"))[0]).toBe(401);
    expect(await get({ dashboard })).toEqual([
      501,
      { error: { message: "It is served only with a token: set PGW_HEALTH_TOKEN." } },
    ]);
    expect(await get({ token })).toEqual([501, { error: { message: "This health server has no dashboard." } }]);
    const failing = { read: () => Promise.reject(new Error("a secret of the database")) };
    const [status, body] = await get({ dashboard: failing, token });
    const message = "The database did not answer the dashboard's queries. The health server's log has the reason.";
    expect([status, body]).toEqual([503, { error: { message } }]);
  });

  it("shows no text of a statement and no secret", async () => {
    await withClient(server.connection(), (client) => client.query("select 'a secret of the application'"));
    for (const path of [...endpoints.map((each) => each.path), "/"]) {
      const text = await (await fetch(`${health.url}${path}?detailed=true`)).text();
      expect(text).not.toContain("a secret");
      expect(text).not.toContain(String(server.connection().password));
    }
  });
});

describe("pgw health check", () => {
  const check = (...args: string[]) => {
    const { host, port, user, password } = server.connection();
    const env = { ...process.env, PGPASSWORD: password };
    const url = `postgresql://${user}@${host}:${port}/postgres`;
    const command = ["scripts/pgw.ts", "health", "check", "--url", url, ...args];
    return promisify(execFile)(process.execPath, command, { cwd: cloneRoot, env }).then(
      (done) => ({ code: 0, ...done }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };

  it("prints one line for each subject, and JSON on request", async () => {
    const { code, stdout } = await check();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^server +ok +PostgreSQL 17\./m);
    expect(stdout).toMatch(/^connections +ok +\d+ of 17 used/m);
    const json = JSON.parse((await check("--json")).stdout) as { level: string; subjects: { name: string }[] };
    expect(json).toMatchObject({
      level: "ok",
      subjects: expect.arrayContaining([expect.objectContaining({ name: "storage" })]),
    });
  });

  it("exits with 2 for an unknown subject", async () => {
    expect(await check("--require", "disk")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Subjects: server"),
    });
  });
});

it("statements of other roles are counted as hidden from an ordinary role, and the kit's own are left out", async () => {
  await withClient(server.connection(), async (client) => {
    await client.query("create role plain login password 'plain'");
    const settings = { ...defaultSettings, collectorMs: 2_000 };
    const read = async (user: string, password: string) =>
      (await takeSnapshot({ ...server.connection(), user, password }, settings)).parts.statements;
    const { user, password } = server.connection();
    const all = await read(user, password ?? "");
    const { rows } = await client.query<{ id: string }>(
      "select queryid::text as id from pg_stat_statements where query ^@ '/* pgroundwork */' and calls > 0",
    );
    const own = rows.map(({ id }) => id);
    expect(own.length).toBeGreaterThan(5);
    expect(all).toMatchObject({ known: true, value: { hidden: 0 } });
    if (!all.known) throw new Error(all.reason);
    expect(all.value.top.filter(({ id }) => own.includes(id))).toEqual([]);
    const plain = await read("plain", "plain");
    expect(plain).toMatchObject({ known: true, value: { hidden: expect.any(Number) } });
    expect(plain.known ? plain.value.hidden : 0).toBeGreaterThan(5);
  });
});

it("pgw health serve listens where its options say, keeps its history there, and ends with the signal", async () => {
  const { host, port, user, password } = server.connection();
  const history = join(folder, "served.json");
  const token = "a-token-of-16-characters";
  const url = `postgresql://${user}@${host}:${port}/postgres`;
  const options = ["--url", url, "--port", "0", "--host-name", "health.example", "--history", history];
  const command = spawn(process.execPath, ["scripts/pgw.ts", "health", "serve", ...options], {
    cwd: cloneRoot,
    env: { ...process.env, PGPASSWORD: password, PGW_HEALTH_TOKEN: token, MONITORING_INTERVAL: "1s" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(command, "exit");
  try {
    let said = "";
    command.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await vi.waitFor(() => expect(said).toMatch(/http:\/\/127\.0\.0\.1:\d+/), { timeout: 30_000 });
    const [, listening] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? [];
    const ask = (name: string, headers = {}) =>
      new Promise<number>((resolve, reject) => {
        const request = { port: Number(listening), path: "/v1/database/metrics", headers: { host: name, ...headers } };
        get(request, (response) => resolve(response.resume().statusCode ?? 0)).on("error", reject);
      });
    const authorization = `Bearer ${token}`;
    expect(await ask("health.example")).toBe(401);
    expect(await ask("health.example", { authorization })).toBe(200);
    expect(await ask("elsewhere.example", { authorization })).not.toBe(200);
    await vi.waitFor(async () => expect(JSON.parse(await readFile(history, "utf8")).entries).not.toEqual([]), {
      timeout: 30_000,
    });
  } finally {
    command.kill("SIGINT");
  }
  expect(await exited).toEqual([0, null]);
});

it("the state of migrations counts those that are applied now, and names interrupted ones", async () => {
  await withClient(server.connection(), (client) => client.query("create database migrated"));
  const connection = { ...server.connection(), database: "migrated" };
  const files = await committedFolderOf([
    { name: "a", body: "create table a (x int);" },
    { name: "b", body: "create table b (x int);" },
  ]);
  await files.write("000002-b.down.sql", "drop table b;");
  const migrations = async () => {
    const snapshot = await takeSnapshot(connection, { ...defaultSettings, collectorMs: 30_000 });
    return judge(snapshot, ratesBetween(undefined, snapshot), defaultSettings).subjects.find(
      ({ name }) => name === "migrations",
    );
  };
  expect(await migrations()).toMatchObject({ level: "not-applicable", detail: "none of the kit's" });
  await applyMigrations({ connection, folder: files.folder });
  await revertMigrations({ connection, folder: files.folder });
  expect(await migrations()).toMatchObject({
    level: "unknown",
    detail: "1 applied, last 000001-a.sql; not compared with files, which are not here",
  });
  await applyMigrations({ connection, folder: files.folder });
  expect(await migrations()).toMatchObject({
    level: "unknown",
    detail: "2 applied, last 000002-b.sql; not compared with files, which are not here",
  });
  await withClient(connection, (client) =>
    client.query("update pgroundwork.migration_ledger set finished_at = null where id = 1"),
  );
  expect(await migrations()).toMatchObject({
    level: "warning",
    detail: "2 applied, last 000002-b.sql; 1 running or interrupted: see migrate status",
  });
  await files.remove();
});

it("the statements and migrations of all observed databases are read, and one that cannot be read is unknown", async () => {
  await withClient(server.connection(), (client) => client.query("create database observed"));
  const observed = { ...server.connection(), database: "observed" };
  await withClient(observed, (client) => client.query("create table far (x int); select count(*) from far"));
  const compareMigrations = async () => ({ pending: ["000001-a.sql"], problems: [] });
  const databases = [
    { connection: server.connection() },
    { connection: observed, compareMigrations },
    { connection: { ...observed, database: "gone" } },
  ];
  const settings = { ...defaultSettings, collectorMs: 30_000, databases };
  const snapshot = await takeSnapshot(server.connection(), settings);
  const { subjects } = judge(snapshot, ratesBetween(undefined, snapshot), settings);
  expect(subjects.filter(({ name }) => name === "migrations")).toEqual([
    { name: "migrations", database: "postgres", level: "not-applicable", detail: "none of the kit's" },
    { name: "migrations", database: "observed", level: "warning", detail: expect.stringContaining("1 pending") },
    { name: "migrations", database: "gone", level: "unknown", detail: expect.stringContaining('"gone"') },
  ]);
  const alone = await takeSnapshot(server.connection(), { ...settings, databases: [{ connection: observed }] });
  const calls = ({ parts }: typeof snapshot) => (parts.statements.known ? parts.statements.value.calls : Number.NaN);
  expect(calls(alone)).toBeGreaterThan(0);
  expect(calls(snapshot)).toBeGreaterThan(calls(alone));
  const refused = await takeSnapshot({ ...observed, database: "gone" }, settings);
  expect(refused).toMatchObject({ parts: { server: { value: { database: "postgres" } } } });
  expect(refused).not.toHaveProperty("unreachable");
  expect(refused.databases).toMatchObject({
    postgres: { migrations: { known: true } },
    gone: { migrations: { known: false } },
  });
  const silent = await takeSnapshot({ ...observed, port: 1 }, settings);
  expect(silent.databases).toMatchObject({ postgres: { migrations: { known: false } } });
});

describe("/api/health/database", () => {
  it("is 200 on a primary that serves, and 503 if a replica is wanted", async () => {
    expect(await state()).toMatchObject({ status: 200, body: { status: "healthy", reasons: [] } });
    await expectAnswersOf503(health.url, "?role=replica", { role: "primary" });
    expect((await state("?role=none")).status).toBe(400);
  });

  it("is 503 while transactions are read-only", async () => {
    await withClient(server.connection(), async (client) => {
      await client.query("alter system set default_transaction_read_only = on");
      await client.query("select pg_reload_conf()");
      await becomes(503);
      expect((await state()).body.reasons).toEqual(["transactions are read-only"]);
      await expectAnswersOf503(health.url, "", { writable: false });
      await client.query("set transaction_read_only = off; set default_transaction_read_only = off");
      await client.query("alter system reset default_transaction_read_only");
      await client.query("select pg_reload_conf()");
      await becomes(200);
    });
  });

  it("is 503 while applications can open no connection, and says so", async () => {
    const clients: pg.Client[] = [];
    const isRefused = (error: { code?: string }) => {
      // too_many_connections
      if (error.code !== "53300") throw error;
      return false;
    };
    try {
      for (let open = 0; open < 17; open++) {
        const client = new pg.Client(clientConfig(server.connection()));
        client.on("error", () => {});
        // The server's last connections may be in use by the health server.
        if (!(await client.connect().then(() => true, isRefused))) break;
        clients.push(client);
      }
      await becomes(503);
      expect((await state()).body.reasons).toEqual([expect.stringMatching(/(1[7-9]|20) of 17 connections are used/)]);
      await expectAnswersOf503(health.url, "", { connections: { maximum: 17 } });
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
    await becomes(200);
  });

  it("is 503 within an interval after the login is refused, and shows no value from before", async () => {
    await withClient(server.connection(), (client) => client.query("create role watcher login password 'watcher'"));
    const connection = { ...server.connection(), user: "watcher", password: "watcher" };
    const settings = { ...defaultSettings, intervalMs: 1_000 };
    const other = await serve({ connection, settings, historyFile: undefined });
    try {
      const get = async (path: string) => fetch(`${other.url}${path}`);
      expect((await get("/api/health/database")).status).toBe(200);
      await withClient(server.connection(), (client) => client.query("alter role watcher nologin"));
      const refused = async () => expect((await get("/api/health/database")).status).toBe(503);
      await vi.waitFor(refused, { timeout: 5_000 });
      await expectAnswersOf503(other.url, "", { role: null, connections: null });
      const samples = samplesOf(await (await get("/v1/database/metrics?format=prometheus")).text());
      expect(samples.get("pgroundwork_up")).toBe(0);
      expect(samples.has("pgroundwork_connections")).toBe(false);
    } finally {
      await other.stop();
    }
  });

  it("is 503 while the server is paused", async () => {
    const pids = [server.pid, ...(await childrenOf(server.pid))];
    // A session can have ended meanwhile.
    const stopped = pids.filter((pid) => signalled(pid, "SIGSTOP"));
    try {
      await becomes(503);
      expect((await state()).body).toMatchObject({
        status: "critical",
        reasons: [expect.stringMatching(/did not answer/)],
      });
      await expectAnswersOf503();
      const metrics = (await (await fetch(`${health.url}/v1/database/metrics`)).json()) as {
        up: boolean;
        connections: unknown;
      };
      expect(metrics).toMatchObject({ up: false, connections: null });
    } finally {
      for (const pid of stopped) signalled(pid, "SIGCONT");
    }
    await becomes(200);
  });

  it("is 503 after the server was killed, and 200 for a replica when it runs in recovery", async () => {
    const binary = await readlink(`/proc/${server.pid}/exe`);
    const children = await childrenOf(server.pid);
    process.kill(server.pid, "SIGKILL");
    await becomes(503);
    expect((await fetch(`${health.url}/health`)).status).toBe(200);
    const { body } = await state();
    expect(body).toMatchObject({ status: "critical", role: null });
    await expectAnswersOf503();
    const samples = samplesOf(
      await (await fetch(`${health.url}/api/health/database/metrics?format=prometheus`)).text(),
    );
    expect(samples.get("pgroundwork_up")).toBe(0);
    expect(samples.has("pgroundwork_connections")).toBe(false);

    // No server starts while a process of the killed one is left.
    await vi.waitFor(() => expect(children.filter(exists)).toEqual([]), { timeout: 10_000 });
    const { uid, gid } = await stat(server.dataDirectory);
    const signal = join(server.dataDirectory, "standby.signal");
    await writeFile(signal, "");
    const standby = spawn(binary, ["-D", server.dataDirectory], { uid, gid, cwd: "/", stdio: "ignore" });
    const exited = once(standby, "exit");
    try {
      await vi.waitFor(async () => expect((await state("?role=replica")).status).toBe(200), { timeout: 20_000 });
      expect((await state("?role=primary")).body.reasons).toEqual(["the server is a replica, not a primary"]);
      // The snapshot of the primary is recent, but not of this server any more.
      const metrics = await (await fetch(`${health.url}/v1/database/metrics?detailed=true`)).json();
      expect(metrics).toMatchObject({ up: true, detailed: { parts: { server: { value: { role: "replica" } } } } });
    } finally {
      standby.kill("SIGQUIT");
      await exited;
    }
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=", "--ppid", String(pid)]);
  return stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [Number(line)]));
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Sends a signal. Returns false if the process has ended. */
function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
