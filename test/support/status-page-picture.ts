import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { withClient } from "../../scripts/connection/client.ts";
import { serveHealth } from "../../scripts/health/server/serve.ts";
import { defaultSettings } from "../../scripts/health/settings.ts";
import { startBenchServer } from "../bench/server.ts";
import { cloneRoot } from "../clone-root.ts";

/*
 * Takes the picture of the status page in scripts/README.md: of a real server, with a history of a month.
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
  const connection = await server.createDatabase();
  const work = "create extension pg_stat_statements; create table orders as select g as id from generate_series(1, 100000) g";
  await withClient(connection, (client) => client.query(work));
  await withClient(connection, async (client) => {
    for (let run = 0; run < 200; run += 1) await client.query("select count(*) from orders where id < $1", [run * 500]);
  });
  const historyFile = join(scratch, "history.json");
  await writeFile(historyFile, JSON.stringify(aMonth()));
  const settings = { ...defaultSettings, collectorMs: 5_000 };
  const health = await serveHealth({ connection, settings, port: 0, historyFile, version: "0.1.0" });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 960, height: 1200 } });
    await page.goto(health.url, { waitUntil: "networkidle" });
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
    await health.stop();
  }
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}

/** Returns a history of a day's snapshots and of a month's space, in the format of the file. */
function aMonth() {
  const now = Date.now();
  const hour = Math.floor(now / 3_600_000);
  const wave = (index: number, length: number) => 1 + Math.sin((2 * Math.PI * index) / length);
  const entries = Array.from({ length: 288 }, (_, index) => ({
    ...{ at: new Date(now - (288 - index) * 300_000).toISOString(), level: "ok", systemIdentifier: null },
    ...{ role: "primary", connections: Math.round(20 * wave(index, 288)), databaseBytes: 7e9 + index * 1e6 },
    ...{ diskFreeBytes: null, transactionsPerSecond: 300 * wave(index, 288), cacheHitRatio: 0.99 },
    ...{ meanStatementMs: 1 + wave(index, 48), troubled: [] },
  }));
  const space = Array.from({ length: 719 }, (_, index) => ({
    ...{ hour: hour - 719 + index, diskFreeBytes: 4e11 - index * 2e8, databaseBytes: 2e9 + index * 7e6 },
  }));
  const hours = Array.from({ length: 719 }, (_, index) => [hour - 719 + index, 120, index === 400 ? 118 : 120]);
  return { version: 1, hours, statements: [], space, entries };
}
