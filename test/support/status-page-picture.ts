import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { chromium } from "playwright-core";
import { withClient } from "../../scripts/connection/client.ts";
import { type Connection, clientConfig, inDatabase } from "../../scripts/connection/connection.ts";
import { serveHealth } from "../../scripts/health/server/serve.ts";
import { defaultSettings } from "../../scripts/health/settings.ts";
import { startBenchServer } from "../bench/server.ts";
import { cloneRoot } from "../clone-root.ts";

/*
 * Takes the picture of the status page in scripts/README.md: of a real server, on which a session waits for a lock.
 * Only its history is made up.
 *
 *   node test/support/status-page-picture.ts [CHROMIUM]
 */

const [executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
const picture = join(cloneRoot, "scripts", "health", "status-page.png");

const scratch = await mkdtemp(join(tmpdir(), "status-page-"));
// PostgreSQL's account, which is used under root, needs to enter the folder.
await chmod(scratch, 0o755);
const server = await startBenchServer(join(scratch, "server"), { shared_preload_libraries: "pg_stat_statements" });
try {
  await withClient(server.superuser, (client) => client.query("create database shop"));
  const connection = inDatabase(server.superuser, "shop");
  const work =
    "create extension pg_stat_statements; create table orders as select g as id from generate_series(1, 100000) g";
  await withClient(connection, (client) => client.query(work));
  await withClient(connection, async (client) => {
    for (let run = 0; run < 200; run += 1) await client.query("select count(*) from orders where id < $1", [run * 500]);
  });
  const historyFile = join(scratch, "history.json");
  await writeFile(historyFile, JSON.stringify(aMonth()));
  const settings = { ...defaultSettings, collectorMs: 5_000 };
  const holder = await openSession(connection, "nightly report", "begin; lock table orders");
  const waiter = await openSession(connection, "checkout", "begin");
  waiter.query("lock table orders").catch(() => {});
  await setTimeout(35_000);
  const health = await serveHealth({ connection, settings, port: 0, historyFile, version: "0.1.0" });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 800 } });
    await page.goto(health.url, { waitUntil: "networkidle" });
    await page.screenshot({ path: picture, fullPage: true });
  } finally {
    await browser.close();
    await health.stop();
    for (const client of [holder, waiter]) client.end().catch(() => {});
  }
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}

/** Opens a session of an application. */
async function openSession(connection: Connection, application: string, sql: string): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(connection, application));
  client.on("error", () => {});
  await client.connect();
  await client.query(sql);
  return client;
}

/** Returns a history of a day's snapshots and of a month's space, in the format of the file. */
function aMonth() {
  const now = Date.now();
  const hour = Math.floor(now / 3_600_000);
  // Busy by day, quiet by night, and never smooth.
  const load = (index: number) => 0.3 + Math.max(0, Math.sin((2 * Math.PI * index) / 288)) + 0.4 * Math.random();
  const entries = Array.from({ length: 288 }, (_, index) => ({
    ...{ at: new Date(now - (288 - index) * 300_000).toISOString(), level: "ok", systemIdentifier: null },
    ...{ role: "primary", connections: Math.round(3 + 20 * load(index)), databaseBytes: 31e6 + index * 1e4 },
    ...{ diskFreeBytes: null, transactionsPerSecond: 300 * load(index), cacheHitRatio: 0.99 },
    ...{ meanStatementMs: 1 + load(index), troubled: [] },
  }));
  const space = Array.from({ length: 719 }, (_, index) => ({
    ...{ hour: hour - 719 + index, diskFreeBytes: 5e10 - index * 4e7, databaseBytes: 1e7 + index * 3e4 },
  }));
  const hours = Array.from({ length: 719 }, (_, index) => [hour - 719 + index, 120, index === 400 ? 118 : 120]);
  return { version: 1, hours, statements: [], space, entries };
}
