import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  collectMetrics,
  healthStatus,
  importSource,
  listImports,
  OperationError,
  rollbackImport,
  startMonitoring,
  verifyImport,
} from "pgroundwork";
import { expect, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";

const test = databasePerTest();
const env = () => ({ DATABASE_URL: connectionUrl(test.connection), SLOW_QUERY_THRESHOLD: "2s" });
const unreachable = { env: { DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none" } };

it("a program gets metrics and the state of a server, which is unknown or critical if it cannot be reached", async () => {
  const { parts } = await collectMetrics({ env: env() });
  expect(parts.connections).toMatchObject({ known: true });
  const { level, subjects } = await healthStatus({ env: env() });
  expect(level).not.toBe("unknown");
  expect(subjects.find(({ name }) => name === "connections")).toMatchObject({ level: "ok" });
  const away = await collectMetrics(unreachable);
  expect(away.unreachable).toContain("nothing listens");
  expect(away.parts.connections).toMatchObject({ known: false });
  expect(["unknown", "critical"]).toContain((await healthStatus(unreachable)).level);
  const wrong = healthStatus({ env: { ...env(), SLOW_QUERY_THRESHOLD: "soon" } });
  await expect(wrong).rejects.toBeInstanceOf(OperationError);
});

it("a program monitors a server until it stops", async () => {
  const seen: string[] = [];
  const running = startMonitoring({ env: env(), settings: { intervalMs: 50 } }, ({ status }) =>
    seen.push(status.level),
  );
  await expect.poll(() => seen.length, { timeout: 60_000 }).toBeGreaterThan(1);
  expect(running.last()?.status.level).toBe(seen.at(-1));
  running.stop();
  const stopped = seen.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(seen.length).toBe(stopped);
});

it("a program imports JSON by a map, lists and verifies the run, and rolls it back", async () => {
  await test.query("create table item (id integer primary key, name text)");
  const folder = await mkdtemp(join(tmpdir(), "pgw program import "));
  const path = join(folder, "items.json");
  await writeFile(path, '[{"id": 1, "name": "tea"}, {"id": 2, "name": "salt"}]');
  const map = { tables: [{ to: "item", from: "items", columns: { id: "id", name: "name" } }] };
  const { connection } = test;
  const { report } = await importSource({ kind: "json", path, map, database: "shop", connection });
  expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 2, rejected: 0 }] });
  expect(await test.query("select name from item order by id")).toEqual([{ name: "tea" }, { name: "salt" }]);
  expect(await listImports({ connection })).toMatchObject([{ id: report.run, sourcePath: path }]);
  expect((await verifyImport({ connection, database: "shop", path })).result).toMatchObject({ verified: true });
  await rollbackImport({ connection });
  expect(await test.query("select name from item")).toEqual([]);
  await rm(folder, { recursive: true });
});
