import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import pg from "pg";
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { type HealthServer, serveHealth } from "../../../../scripts/health/server/serve.ts";
import { defaultSettings } from "../../../../scripts/health/settings.ts";
import { startServer, type TestServer } from "../../server.ts";

/** Path of Chromium (Debian: apt-get install chromium); undefined if it is not installed. */
const executablePath = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => {
  try {
    return [execFileSync("which", [name], { encoding: "utf8" }).trim()];
  } catch {
    return [];
  }
})[0];

/** At most 63 bytes with what follows, as names in PostgreSQL. */
const markup = `"><img src=//e.example onerror=document.title='own'>`;
const database = `${markup}<b>shop`;

describe.skipIf(executablePath === undefined)("the status page in Chromium", () => {
  let server: TestServer;
  let health: HealthServer;
  let browser: Browser;
  let folder: string;
  const sessions: pg.Client[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "page-"));
    server = await startServer();
    await withClient(server.connection(), (client) => client.query(`create database ${pg.escapeIdentifier(database)}`));
    // One session waits for a table that another one with markup in its application name has locked.
    const open = async () => {
      const client = new pg.Client(clientConfig(server.connection(database), markup));
      client.on("error", () => {});
      await client.connect();
      sessions.push(client);
      return client;
    };
    const [holder, waiter] = [await open(), await open()];
    await holder.query("create table public.held ()");
    await holder.query("begin; lock table public.held");
    waiter.query("begin; lock table public.held").catch(() => {});
    await vi.waitFor(async () => {
      const { rows } = await holder.query("select from pg_locks where not granted");
      expect(rows).toHaveLength(1);
    });
    const historyFile = join(folder, "history.json");
    await writeFile(historyFile, JSON.stringify(aDayOfHistory()));
    const settings = { ...defaultSettings, collectorMs: 5_000 };
    health = await serveHealth({
      connection: server.connection(database),
      settings,
      port: 0,
      historyFile,
      version: "1",
    });
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    await health?.stop();
    for (const client of sessions) client.end().catch(() => {});
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens the page and collects what it logs, asks for and shows in dialogs. */
  async function open(options: BrowserContextOptions) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const [problems, requests]: [string[], string[]] = [[], []];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("dialog", (dialog) => problems.push(dialog.message()));
    page.on("request", (request) => requests.push(new URL(request.url()).origin));
    const response = await page.goto(health.url, { waitUntil: "networkidle" });
    expect(response?.status()).toBe(200);
    return { context, page, problems, requests };
  }

  it.each(["light", "dark"] as const)(
    "fits a phone of 360 pixels and is accessible in %s colours",
    async (colorScheme) => {
      const { context, page, problems, requests } = await open({ viewport: { width: 360, height: 740 }, colorScheme });
      expect(problems).toEqual([]);
      expect(new Set(requests)).toEqual(new Set([health.url]));
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width).toBeLessThanOrEqual(360);
      expect(await page.locator("svg").count()).toBe(4);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      const paper = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(paper).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)");
      await context.close();
    },
  );

  it("shows markup in the names of databases and applications as text", async () => {
    const { context, page, problems, requests } = await open({});
    const text = await page.locator("tbody").first().innerText();
    expect(text).toContain(`read in database ${database}`);
    expect(text).toContain(`(${markup})`);
    const blockers = page.getByRole("region", { name: "Sessions for which others wait" });
    expect(await blockers.locator("tbody tr td").nth(1).innerText()).toBe(markup);
    const sizes = page.getByRole("region", { name: "Databases" });
    expect(await sizes.getByRole("rowheader").allInnerTexts()).toContain(database);
    expect(await page.locator("img, script, b, iframe").count()).toBe(0);
    expect(await page.title()).not.toBe("own");
    expect([problems, new Set(requests)]).toEqual([[], new Set([health.url])]);
    await context.close();
  });

  it("loads itself again only for a reader who chose that", async () => {
    const { context, page } = await open({});
    const refresh = page.locator("meta[http-equiv=refresh]");
    expect(await refresh.count()).toBe(0);
    await page.getByRole("link", { name: "Refresh every 30 s" }).click();
    expect(await refresh.getAttribute("content")).toBe("30");
    await page.getByRole("link", { name: "Stop refreshing" }).click();
    expect(await refresh.count()).toBe(0);
    await context.close();
  });

  it("is complete without JavaScript", async () => {
    const { context, page } = await open({ javaScriptEnabled: false });
    expect(await page.locator("tbody tr").count()).toBeGreaterThan(8);
    const sections = ["Sessions", "Statements", "Storage", "Migrations", "Backups", "Jobs", "Deploys"];
    expect(await page.getByRole("heading", { level: 2 }).allInnerTexts()).toEqual(sections);
    const storage = page.locator("section", { hasText: "Storage" });
    expect(await storage.innerText()).toContain("At the growth in the last 47 hours, the disk is full on ");
    await context.close();
  });
});

/** History with a snapshot every five minutes, in the format of the history's file. */
function aDayOfHistory() {
  const now = Date.now();
  const entries = Array.from({ length: 288 }, (_, index) => ({
    ...{ at: new Date(now - (288 - index) * 300_000).toISOString(), level: "ok" },
    ...{ systemIdentifier: null, role: "primary", connections: index % 20, databaseBytes: 1e8 + index * 1e5 },
    ...{ diskFreeBytes: null, transactionsPerSecond: index % 7, cacheHitRatio: null, meanStatementMs: index % 3 },
  }));
  const hour = Math.floor(now / 3_600_000);
  const space = Array.from({ length: 47 }, (_, index) => ({
    ...{ hour: hour - 47 + index, diskFreeBytes: 1e12 - index * 1e9, databaseBytes: 1e8 + index * 1e6 },
  }));
  return { version: 1, hours: [], statements: [], space, entries };
}
