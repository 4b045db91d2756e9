import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { withDeploymentLock } from "../../../../scripts/ledger/deployment-lock.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { revertMigrations } from "../../../../scripts/migrate/down.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
import { withFile } from "../../../../scripts/sql/file-session.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "../migrate/database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

/**
 * For each kind of change that a file can leave in its session: the statement, and an expression that would show it in
 * the next file.
 */
const left: Record<string, [leave: string, look: string]> = {
  "a search path": ["create schema app; set search_path = app", "current_setting('search_path')"],
  "another setting": ["set work_mem = '99MB'", "current_setting('work_mem')"],
  "a setting of its own": [
    "select set_config('app.tenant', 'x', false)",
    "nullif(current_setting('app.tenant', true), '')",
  ],
  "a time zone": ["set time zone 'Asia/Tokyo'", "current_setting('timezone')"],
  "session characteristics": [
    "set session characteristics as transaction isolation level serializable",
    "current_setting('default_transaction_isolation')",
  ],
  "a role": ["set role none", "current_user"],
  "a temporary table": ["create temporary table kept ()", "to_regclass('pg_temp.kept')"],
  "a cursor": ["declare kept cursor with hold for select 1", "(select count(*) from pg_cursors)"],
  "a prepared statement": ["prepare kept as select 1", "(select count(*) from pg_prepared_statements)"],
  "a channel": ["listen kept", "(select count(*) from pg_listening_channels())"],
  "advisory locks, also taken twice, shared and with two keys": [
    "select pg_advisory_lock(42), pg_advisory_lock(42), pg_advisory_lock_shared(-7), pg_advisory_lock(-1, 2147483647), pg_advisory_lock_shared(-9223372036854775808)",
    "(select count(*) from pg_locks where locktype = 'advisory' and objid in (42, 4294967289, 2147483647, 0))",
  ],
};
const looks = Object.entries(left).map(([what, [, look]]) => `'${what}', (${look})::text`);
const look = `jsonb_build_object(${looks.join(", ")})`;

describe("a migration file", () => {
  it("is not affected by what earlier files left in the session", async () => {
    const see = (name: string): Draft => ({ name, body: `create table public.${name} as select ${look} as seen;` });
    const leaving = Object.values(left).map(([leave], index): Draft => ({ name: `leaves${index}`, body: `${leave};` }));
    const seeing = leaving.map((_, index) => see(`behind${index}`));
    const pairs = leaving.flatMap((file, index) => [file, seeing[index] ?? file]);
    const { folder } = await folderOf([see("alone"), ...pairs]);
    await applyMigrations({ connection, folder });
    const [alone] = await query("select seen from alone");
    for (const { name } of seeing) expect(await query(`select seen from ${name}`)).toEqual([alone]);
  });

  it("runs as the login's role after a file that changed the session authorization", async () => {
    const superuser = test.server.connection(connection.database);
    const see = (name: string): Draft => ({
      name,
      body: `create table ${name} as select session_user::text as login, current_user::text as who;`,
    });
    const { folder } = await folderOf([
      see("alone"),
      { name: "other", body: `set session authorization ${connection.database}_app;` },
      see("behind"),
    ]);
    await applyMigrations({ connection: superuser, folder });
    expect(await query("select * from alone union all select * from behind", superuser)).toEqual([
      { login: "postgres", who: "postgres" },
      { login: "postgres", who: "postgres" },
    ]);
  });

  it("creates its tables where it would alone, also after non-transactional files and in reverse", async () => {
    const drafts: Draft[] = [
      { name: "app", body: "create schema app; create table t (x int); set search_path = app;" },
      { name: "made", body: "create table made (x int);" },
      { name: "path", body: "--! no-transaction\nset search_path = app;" },
      { name: "role", body: "--! no-transaction\nset role none;" },
      { name: "built", body: "--! no-transaction\ncreate index concurrently built on t (x);" },
      { name: "last", body: "create table last_one ();" },
    ];
    const { folder, migrations, write } = await folderOf(drafts);
    for (const { filename } of migrations)
      await write(filename.replace(".sql", ".down.sql"), "set search_path = nowhere; set role none;");
    await applyMigrations({ connection, folder });
    const tables = () =>
      query(
        "select relname, relnamespace::regnamespace::text as schema, relowner::regrole::text as owner from pg_class where relname in ('made', 'built', 'last_one') order by 1",
      );
    const owner = `${connection.database}_owner`;
    expect(await tables()).toEqual(
      ["built", "last_one", "made"].map((relname) => ({ relname, schema: "public", owner })),
    );
    // The result in a scratch database is the same.
    expect(
      (await readSchemaDrift({ connection: connection, admin: test.server.connection(), folder: folder })).differences,
    ).toEqual([]);
    await write("000002-made.down.sql", "drop table made;");
    expect((await revertMigrations({ connection, folder, steps: 5 })).reverted).toHaveLength(5);
    expect(await tables()).toHaveLength(2);
  });

  it("may end with any role or search path: it is recorded, and deferred work uses its own", async () => {
    const body = `
      create schema app;
      create table app.log (who text, zone text);
      create function app.note() returns trigger language plpgsql as $$ begin insert into log values (current_user, current_setting('timezone')); return null; end $$;
      create table app.t (x int);
      create constraint trigger note after insert on app.t deferrable initially deferred for each row execute function app.note();
      set search_path = app;
      set time zone 'Asia/Tokyo';
      insert into t values (1);`;
    const { folder } = await folderOf([
      { name: "own", body },
      { name: "none", body: "set role none; set search_path = app, pg_catalog;" },
    ]);
    await applyMigrations({ connection, folder });
    expect(await query("select who, zone from app.log")).toEqual([
      { who: `${connection.database}_owner`, zone: "Asia/Tokyo" },
    ]);
    expect(await query("select filename from pgroundwork.migration_ledger order by id")).toHaveLength(2);
  });

  it("gets the settings of .gmrc again, whatever the previous file set", async () => {
    const see = "insert into seen select current_setting('app.tenant'), current_setting('statement_timeout');";
    const { folder } = await folderOf([
      { name: "one", body: `create table seen (tenant text, timeout text); ${see} set app.tenant = 'other';` },
      { name: "two", body: see },
    ]);
    await writeFile(path.join(folder, ".gmrc"), JSON.stringify({ pgSettings: { "app.tenant": "it's" } }));
    await applyMigrations({ connection, folder, timeouts: { statementTimeout: "1min" } });
    const row = { tenant: "it's", timeout: "1min" };
    expect(await query("select * from seen")).toEqual([row, row]);
  });

  it("keeps others out even if it releases the deployment lock", async () => {
    const body = "select pg_advisory_unlock_all();";
    const look =
      "create table held as select count(*)::int as locks from pg_locks where locktype = 'advisory' and granted;";
    const { folder } = await folderOf([
      { name: "one", body },
      { name: "two", body: look },
    ]);
    await applyMigrations({ connection, folder });
    expect(await query("select locks from held")).toEqual([{ locks: 2 }]);
  });

  it("is refused if it leaves a transaction open that the kit did not begin", async () => {
    const { folder } = await folderOf([{ name: "open", body: "--! no-transaction\nbegin;" }]);
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toBe("000001-open.sql leaves a transaction open. Its changes since BEGIN are rolled back.");
  });
});

it("a hook that leaves a transaction open is an error, not silently rolled back", async () => {
  const { folder } = await folderOf([{ name: "one", body: "create table one ();" }]);
  await writeFile(path.join(folder, ".gmrc"), JSON.stringify({ beforeAllMigrations: "open.sql" }));
  await writeFile(path.join(folder, "open.sql"), "begin; create table lost ();");
  const error = await errorOf(applyMigrations({ connection, folder }));
  expect(error.message).toBe(
    "open.sql (hook beforeAllMigrations) leaves a transaction open. Its changes since BEGIN are rolled back.",
  );
});

it("a file that releases the deployment lock while another session waits for it is an error", async () => {
  await withClient(connection, async (client) => {
    const work = () =>
      withFile(client, { file: "x.sql" }, async () => {
        await client.query("select pg_advisory_unlock_all()");
        await other.query("select pg_advisory_lock(74768639675)");
      });
    const { default: pg } = await import("pg");
    const other = new pg.Client({ ...connection, ssl: false });
    await other.connect();
    const error = await errorOf(withDeploymentLock(client, work, () => undefined));
    expect(error.message).toBe("The file released the deployment lock, and another session now holds it.");
    await other.end();
  });
});
