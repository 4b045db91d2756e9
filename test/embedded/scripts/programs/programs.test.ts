import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";
import { importPackage, type Kit } from "../package/entry-points.ts";

const test = databasePerTest();
let kit: Kit;
beforeAll(async () => {
  kit = await importPackage("");
});

const env = () => ({ DATABASE_URL: connectionUrl(test.connection), SLOW_QUERY_THRESHOLD: "2s" });
const unreachable = { env: { DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none" } };

it("a program gets metrics and the state of a server, which is unknown or critical if it cannot be reached", async () => {
  const { parts } = await kit.collectMetrics({ env: env() });
  expect(parts.connections).toMatchObject({ known: true });
  const { level, subjects } = await kit.healthStatus({ env: env() });
  expect(level).not.toBe("unknown");
  expect(subjects.find(({ name }) => name === "connections")).toMatchObject({ level: "ok" });
  const away = await kit.collectMetrics(unreachable);
  expect(away.unreachable).toContain("nothing listens");
  expect(away.parts.connections).toMatchObject({ known: false });
  expect(["unknown", "critical"]).toContain((await kit.healthStatus(unreachable)).level);
  const wrong = kit.healthStatus({ env: { ...env(), SLOW_QUERY_THRESHOLD: "soon" } });
  await expect(wrong).rejects.toBeInstanceOf(kit.OperationError);
});

it("a program monitors a server until it stops", async () => {
  const seen: string[] = [];
  const running = kit.startMonitoring({ env: env(), settings: { intervalMs: 50 } }, ({ status }) =>
    seen.push(status.level),
  );
  await expect.poll(() => seen.length, { timeout: 60_000 }).toBeGreaterThan(1);
  expect(running.last()?.status.level).toBe(seen.at(-1));
  running.stop();
  const stopped = seen.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(seen.length).toBe(stopped);
});

it("a program infers the map of JSON, imports it by a map of its own, lists and verifies the run, and rolls it back", async () => {
  await test.query("create table item (id integer primary key, name text)");
  const folder = await mkdtemp(join(tmpdir(), "pgw program import "));
  const path = join(folder, "item.json");
  await writeFile(path, '[{"id": 1, "name": "tea"}, {"id": 2, "name": "salt"}]');
  const { connection } = test;
  const inferred = await kit.inferImportMap({ kind: "json", path, database: "shop", connection });
  expect(inferred).toMatchObject({ leftOut: [], map: { tables: [{ to: "item", from: "item" }] } });
  const map = kit.importMap({ tables: [{ to: "item", from: "item", columns: { id: "id", name: "name" } }] });
  const { report } = await kit.importSource({ kind: "json", path, map, database: "shop", connection });
  expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 2, rejected: 0 }] });
  expect(await test.query("select name from item order by id")).toEqual([{ name: "tea" }, { name: "salt" }]);
  expect(await kit.listImports({ connection })).toMatchObject([{ id: report.run, sourcePath: path }]);
  expect((await kit.verifyImport({ connection, database: "shop", path })).result).toMatchObject({ verified: true });
  await test.query("update item set name = 'sugar' where id = 2");
  const { equal, changes } = await kit.compareImport({ connection, database: "shop" });
  expect([equal, changes.map(({ kind, key }) => `${kind}: ${key}`)]).toEqual([false, ["changed in the target: 2"]]);
  const to = join(folder, "out");
  expect((await kit.exportImport({ connection, database: "shop", to })).files).toEqual(["item.json"]);
  expect(await readFile(join(to, "item.json"), "utf8")).toBe('[{"id": 1, "name": "tea"}, {"id":2,"name":"sugar"}]');
  await test.query("update item set name = 'salt' where id = 2");
  await kit.rollbackImport({ connection });
  expect(await test.query("select name from item")).toEqual([]);
  await rm(folder, { recursive: true });
});

it("a program validates the data of a database", async () => {
  const { folder } = await test.folderOf([{ name: "a", body: "create table a (x int);" }]);
  const { connection } = test;
  await kit.migrate({ database: folder, connection });
  const validated = await kit.validateDatabase({ connection, database: folder });
  expect(validated.findings).toEqual([]);
  expect(validated.tables).toContainEqual({ table: "public.a", rows: 0 });
});
