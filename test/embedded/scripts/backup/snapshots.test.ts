import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  dropSnapshot,
  listSnapshots,
  restoreSnapshot,
  saveSnapshot,
} from "../../../../scripts/backup/snapshot/snapshots.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { startServer, type TestServer } from "../../server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  for (const name of ["shop", "other"]) {
    await server.createDatabase(name);
    await query("create table item (id int); insert into item values (1)", server.as("migrator", name));
  }
});
afterAll(() => server?.stop());

async function query<Row extends object>(sql: string, connection: Connection = server.connection()): Promise<Row[]> {
  return withClient(connection, async (client) => (await client.query<Row>(sql)).rows);
}
const place = (database = "shop") => ({ maintenance: server.connection(), database });
const items = async (database = "shop") =>
  (await query<{ id: number }>("select id from item order by id", server.as("app", database))).map(({ id }) => id);
const copies = async () =>
  (
    await query<{ name: string }>(
      "select datname as name from pg_database where datname ~ 'snapshot|pgw_|shop_' order by 1",
    )
  ).map(({ name }) => name);
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: OperationError) => `${error.exitCode}: ${error.message}`,
  );

describe("a snapshot", () => {
  it("brings the database back with its privileges and settings, as often as it is restored, and ends sessions", async () => {
    await query(
      "alter database shop set work_mem to '7MB'; alter role shop_app in database shop set search_path to public, pg_temp",
    );
    const properties = () =>
      query(`select datacl::text[] as acl, pg_get_userbyid(datdba) as owner,
                    (select json_agg(setconfig order by setrole) from pg_db_role_setting where setdatabase = d.oid) as settings
               from pg_database d where datname = 'shop'`);
    const before = await properties();
    const saved = await saveSnapshot(place(), "first", "snapshot");
    expect(saved).toMatchObject({ kind: "snapshot", of: "shop", name: "first", database: "shop_snapshot_first" });
    expect(await listSnapshots(place("other"))).toEqual([]);
    for (const id of [2, 3]) {
      await query(`insert into item values (${id})`, server.as("app", "shop"));
      const session = query("select pg_sleep(60)", server.as("app", "shop")).catch((error: Error) => error.message);
      while ((await query("select from pg_stat_activity where datname = 'shop' and query ~ 'pg_sleep'")).length === 0);
      const { terminated, sessions } = await restoreSnapshot(place(), "first");
      expect([terminated, await session]).toEqual([1, expect.stringMatching(/terminat/)]);
      expect(sessions).toEqual([
        { pid: expect.any(Number), role: "shop_app", application: "pgroundwork", address: expect.any(String) },
      ]);
      expect(await items()).toEqual([1]);
    }
    expect(await properties()).toEqual(before);
    expect(await copies()).toEqual(["shop_snapshot_first"]);
    expect(await refusal(query("select 1", server.connection("shop_snapshot_first")))).toMatch(
      /not currently accepting/,
    );
  });

  it("is that of its own database: another database has none of this name, nor a database of such a name", async () => {
    expect(await refusal(restoreSnapshot(place("other"), "first"))).toBe(
      '2: The database "other" has no snapshot or branch "first". There are none.',
    );
    await query("create database other_snapshot_mine");
    expect(await refusal(restoreSnapshot(place("other"), "mine"))).toMatch(/^2: /);
    expect(await refusal(dropSnapshot(place("other"), "mine"))).toMatch(/^2: /);
    expect(await refusal(saveSnapshot(place("other"), "mine", "snapshot"))).toBe(
      '3: The server already has a database "other_snapshot_mine".',
    );
    await query("drop database other_snapshot_mine");
  });

  it.each(["", "A", "a-b", "1", "x".repeat(60)])("cannot have the name '%s'", async (name) => {
    expect(await refusal(saveSnapshot(place(), name, "snapshot"))).toMatch(/^2: ".*" cannot be the name of a snapshot/);
  });

  it("is refused with the sessions named if they are to be kept, and is saved once there are none", async () => {
    await withClient({ ...server.as("app", "shop") }, async (client) => {
      await client.query("set application_name to report");
      expect(await refusal(saveSnapshot(place(), "calm", "snapshot", "keep"))).toBe(
        '3: The database "shop" is in use: report (shop_app).',
      );
      expect((await client.query("select 1 as alive")).rows).toEqual([{ alive: 1 }]);
    });
    expect(await saveSnapshot(place(), "calm", "snapshot", "keep")).toMatchObject({ terminated: 0 });
    await dropSnapshot(place(), "calm");
    expect(await copies()).toEqual(["shop_snapshot_first"]);
  });

  it("is saved by one command at a time; the next one drops what a killed one left", async () => {
    await query("create database pgw_copy_000000000000");
    await withClient(server.connection(), async (client) => {
      await client.query("select pg_advisory_lock(74768639676)");
      expect(await refusal(saveSnapshot(place(), "second", "snapshot"))).toMatch(/^3: Another command is copying/);
    });
    await saveSnapshot(place(), "second", "snapshot");
    expect(await copies()).toEqual(["shop_snapshot_first", "shop_snapshot_second"]);
    for (const name of ["first", "second"]) await dropSnapshot(place(), name);
    expect(await copies()).toEqual([]);
  });
});

describe("a branch", () => {
  it("is a database of its own for the same roles, and is dropped with its sessions", async () => {
    await saveSnapshot(place(), "feature", "branch");
    const app = { ...server.as("app", "shop"), database: "shop_feature" };
    await query("insert into item values (9)", app);
    expect([await items(), (await query("select id from item", app)).length]).toEqual([[1], 2]);
    const monitor = query("select 1", { ...server.as("readonly", "other"), database: "shop_feature" });
    expect(await refusal(monitor)).toMatch(/no CONNECT privilege/);
    expect((await listSnapshots(place())).map(({ kind, name }) => [kind, name])).toEqual([["branch", "feature"]]);
    await dropSnapshot(place(), "feature");
    expect(await copies()).toEqual([]);
  });
});
