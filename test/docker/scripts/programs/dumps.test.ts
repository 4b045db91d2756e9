import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createKey } from "../../../../scripts/backup/dump/encryption.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { importPackage, type Kit } from "../../../embedded/scripts/package/entry-points.ts";
import { startServer, type TestServer } from "../../../embedded/server.ts";

let kit: Kit;
let server: TestServer;
let own: string;
/** Environment of a program. No PostgreSQL is on PATH, so that pg_dump comes from the kit's image. */
let env: Record<string, string>;

async function query(sql: string): Promise<unknown[]> {
  return withClient(server.connection("shop"), async (client) => (await client.query(sql)).rows);
}

beforeAll(async () => {
  kit = await importPackage("");
  own = await mkdtemp(join(tmpdir(), "pgw program dumps "));
  server = await startServer();
  await server.createDatabase("shop");
  await query("create table item (id int primary key); insert into item select generate_series(1, 20)");
  const recipient = await createKey(join(own, "key"));
  env = {
    ...{ PATH: "/nonexistent", DATABASE_URL: connectionUrl(server.connection("shop")) },
    ...{ BACKUP_DIR: join(own, "dumps"), BACKUP_RECIPIENTS: recipient, BACKUP_IDENTITY_FILE: join(own, "key") },
  };
});
afterAll(async () => {
  await server?.stop();
  await rm(own, { recursive: true, force: true });
});

it("a program makes, lists, validates and loads an encrypted dump, with the settings of its environment", async () => {
  expect(await kit.listDumps({ env })).toEqual([]);
  const steps: string[] = [];
  const { removed, ...made } = await kit.createDump({ env, onStep: (step) => steps.push(step) });
  expect([made.encrypted, made.database, removed]).toEqual([true, "shop", []]);
  expect(made.tables).toMatchObject([{ table: "public.item", rows: 20 }]);
  expect(made.path).toBe(join(own, "dumps", made.id));
  expect(made.restore).toMatch(
    /^BACKUP_DIR='.*dumps' npx pgw dumps load \S+ --url 'postgresql:\/\/\w+@[\d.]+:\d+\/shop/,
  );
  expect(steps).toContain("dumping shop");
  expect(await kit.listDumps({ env })).toEqual([
    { id: made.id, path: made.path, state: "intact", reasons: [], dump: made },
  ]);
  expect(await kit.validateDump("latest", { env })).toMatchObject({ id: made.id, state: "passed", reasons: [] });
  expect((await kit.listDumps({ env }))[0]?.validation).toMatchObject({ state: "passed" });
  expect(await kit.dumpStats({ env })).toMatchObject([{ database: "shop", dumps: 1, intact: 1, bytes: made.bytes }]);

  await query("delete from item where id > 5");
  const refused = kit.loadDump(made.id, { env });
  await expect(refused).rejects.toThrow(`The database "shop" exists. Loading the dump ${made.id} replaces it.`);
  await expect(kit.loadDump(made.id, { env, replace: "other" })).rejects.toBeInstanceOf(kit.OperationError);
  expect(await query("select count(*)::int from item")).toEqual([{ count: 5 }]);
  const loaded = await kit.loadDump(made.id, { env, replace: "shop" });
  expect(loaded).toMatchObject({ id: made.id, tables: 1, rows: 20 });
  expect(loaded.previous?.tables).toMatchObject([{ rows: 5 }]);
  expect(await query("select count(*)::int from item")).toEqual([{ count: 20 }]);
});

it("a damaged dump fails its validation and is not loaded; one without its key could not be tried", async () => {
  const { id, path } = await kit.createDump({ env, folder: join(own, "others") });
  const folder = { env, folder: join(own, "others") };
  const { BACKUP_IDENTITY_FILE: _, ...withoutKey } = env;
  await expect(kit.validateDump(id, { ...folder, env: withoutKey })).rejects.toThrow("no key was given");
  expect((await kit.listDumps(folder))[0]).not.toHaveProperty("validation");
  await appendFile(join(path, "dump.pgdump.age"), "x");
  expect(await kit.validateDump(id, folder)).toMatchObject({
    state: "failed",
    reasons: [expect.stringContaining("bytes instead of")],
  });
  expect(await kit.listDumps(folder)).toMatchObject([{ state: "damaged" }]);
  await expect(kit.loadDump(id, { ...folder, replace: "shop" })).rejects.toThrow(`The dump ${id} is damaged`);
  await expect(kit.validateDump("latest", folder)).rejects.toThrow("does not have an intact dump");
});

it("dumps are refused before anything connects if the environment has a wrong setting", async () => {
  const wrong = { ...env, DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none", BACKUP_RETENTION_DAYS: "many" };
  await expect(kit.createDump({ env: wrong })).rejects.toThrow('BACKUP_RETENTION_DAYS is "many".');
});
