import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { withObserver } from "../../../../scripts/connection/observer.ts";
import { createMonitoring, missingMonitoring } from "../../../../scripts/databases/monitoring-schema.ts";
import { outdatedExtension } from "../../../../scripts/doctor/checks/outdated-extension.ts";
import { defaultThresholds } from "../../../../scripts/doctor/thresholds.ts";
import { judge } from "../../../../scripts/health/judge.ts";
import { ratesBetween } from "../../../../scripts/health/rates.ts";
import { defaultSettings } from "../../../../scripts/health/settings.ts";
import { takeSnapshot } from "../../../../scripts/health/snapshot.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { recordComparison } from "../../../../scripts/migrate/compare-records.ts";
import { committedFolderOf, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer, type TestServer } from "../../server.ts";

let server: TestServer;
let folder: TestFolder;

/** A database with a migration and, if its `statements` says so, with pg_stat_statements in schema public. */
async function makeDatabase(statements: "none" | "in public" = "none"): Promise<string> {
  const name = `shop_${randomUUID().slice(0, 8)}`;
  await server.createDatabase(name);
  if (statements === "in public") await asSuperuser(name, "create extension pg_stat_statements schema public");
  await applyMigrations({ connection: server.as("migrator", name), folder: folder.folder });
  return name;
}

const rolesOf = (name: string) => ({ monitor: "monitor", owner: `${name}_owner` });
const missing = (name: string) =>
  withClient(server.connection(name), async (client) =>
    (await missingMonitoring(client, rolesOf(name), false)).map((step) => step.name),
  );
const create = (name: string) =>
  withClient(server.connection(name), (client) => createMonitoring(client, rolesOf(name)));
const asSuperuser = (name: string, sql: string) =>
  withClient(server.connection(name), (client) => client.query(sql).then(({ rows }) => rows));
const asMonitor = (name: string): Connection => ({ ...server.connection(name), user: "monitor" });
const query = (connection: Connection, sql: string) =>
  withClient(connection, (client) => client.query(sql).then(({ rows }) => rows));

/** Expected state of migrations that were read, in a database whose files are not known. */
const notCompared = (read: string) => ({
  level: "unknown",
  detail: `${read}; not compared with files, which are not here`,
});

/** State of the subjects that need the schema, as `monitor` sees it. */
async function health(name: string, files?: string) {
  const compareMigrations = files === undefined ? undefined : recordComparison(files);
  const settings = { ...defaultSettings, collectorMs: 5_000, ...(compareMigrations && { compareMigrations }) };
  const snapshot = await takeSnapshot(asMonitor(name), settings);
  const { subjects } = judge(snapshot, ratesBetween(undefined, snapshot), settings);
  const of = (subject: string) => subjects.find((each) => each.name === subject);
  return { queries: of("queries"), migrations: of("migrations") };
}

beforeAll(async () => {
  server = await startServer({ shared_preload_libraries: "pg_stat_statements" });
  folder = await committedFolderOf([{ name: "a", body: "create table public.secret_plan (id int)" }]);
});
afterAll(async () => {
  await folder?.remove();
  await server?.stop();
});

describe("the monitoring schema", () => {
  it("lets monitor see queries and migrations, and a second creation finds nothing missing", async () => {
    const name = await makeDatabase();
    expect(await health(name)).toMatchObject({
      queries: { level: "unknown", detail: expect.stringContaining("not installed") },
      migrations: { level: "unknown", detail: expect.stringContaining("no schema pgroundwork_monitoring") },
    });
    expect((await create(name)).created).toEqual([
      "schema pgroundwork_monitoring",
      "extension pg_stat_statements",
      "function pgroundwork_monitoring.migrations",
      "privileges of monitor on schema pgroundwork_monitoring",
    ]);
    expect(await missing(name)).toEqual([]);
    expect(await create(name)).toEqual({ created: [], refused: [], exists: true });
    expect(await health(name)).toMatchObject({
      queries: { level: "ok" },
      migrations: notCompared("1 applied, last 000001-a.sql"),
    });
  });

  it("has views if the database has pg_stat_statements elsewhere, and monitor counts statements of all roles", async () => {
    const name = await makeDatabase("in public");
    await create(name);
    expect(await missing(name)).toEqual([]);
    await query(server.as("app", name), "select 4711 as counted");
    const rows = await query(
      asMonitor(name),
      "select calls::int from pgroundwork_monitoring.pg_stat_statements where query = 'select $1 as counted'",
    );
    expect(rows).toEqual([{ calls: 1 }]);
    expect((await health(name)).queries).toMatchObject({ level: "ok" });
  });

  it.each(["app", "readonly", "migrator"] as const)("shows %s neither statements nor records", async (role) => {
    const name = await makeDatabase("in public");
    await create(name);
    for (const object of ["pg_stat_statements", "pg_stat_statements_info", "migrations()"])
      await expect(query(server.as(role, name), `select * from pgroundwork_monitoring.${object}`)).rejects.toThrow(
        "permission denied for schema pgroundwork_monitoring",
      );
  });

  it("is created again where it was dropped or changed by hand, and loses privileges that were added", async () => {
    const name = await makeDatabase("in public");
    await create(name);
    await asSuperuser(
      name,
      `drop view pgroundwork_monitoring.pg_stat_statements_info;
       create or replace function pgroundwork_monitoring.migrations() returns
         table (tracking_name text, hash text, applied_at timestamptz, filename text, direction text, sha256 text,
                accepted_sha256 text, started_at timestamptz, finished_at timestamptz)
         language plpgsql security definer set search_path = '' as 'begin return; end';
       grant usage, create on schema pgroundwork_monitoring to ${name}_app;
       grant select on pgroundwork_monitoring.pg_stat_statements to public`,
    );
    expect(await health(name)).toMatchObject({ queries: { level: "unknown" }, migrations: { level: "unknown" } });
    expect(await missing(name)).toEqual([
      "view pgroundwork_monitoring.pg_stat_statements_info",
      "function pgroundwork_monitoring.migrations",
      "privileges of monitor on schema pgroundwork_monitoring",
    ]);
    await create(name);
    expect(await missing(name)).toEqual([]);
    expect(await health(name)).toMatchObject({
      queries: { level: "ok" },
      migrations: notCompared("1 applied, last 000001-a.sql"),
    });
    const rows = await asSuperuser(
      name,
      `select has_schema_privilege('${name}_app', 'pgroundwork_monitoring', 'usage') as app,
              has_table_privilege('${name}_app', 'pgroundwork_monitoring.pg_stat_statements', 'select') as public`,
    );
    expect(rows).toEqual([{ app: false, public: false }]);
  });

  it("is refused if the owner of the database made a schema of this name, and monitor reads nothing there", async () => {
    const name = await makeDatabase("in public");
    await query(
      server.as("migrator", name),
      `create schema pgroundwork_monitoring;
       create function pgroundwork_monitoring.trap() returns bigint language plpgsql as $$ begin raise 'the trap ran'; end $$;
       create view pgroundwork_monitoring.pg_stat_statements as select pgroundwork_monitoring.trap() as calls;
       create view pgroundwork_monitoring.pg_stat_statements_info as select now() as stats_reset;
       create function pgroundwork_monitoring.migrations() returns bigint language sql as 'select pgroundwork_monitoring.trap()';
       grant usage on schema pgroundwork_monitoring to public;
       grant select on all tables in schema pgroundwork_monitoring to public;
       grant execute on all functions in schema pgroundwork_monitoring to public`,
    );
    await expect(missing(name)).rejects.toThrow(`belongs to "${name}_owner", but the stack creates it`);
    await expect(create(name)).rejects.toThrow(`belongs to "${name}_owner"`);
    const { queries, migrations } = await health(name);
    expect([queries?.level, migrations?.level]).toEqual(["unknown", "unknown"]);
    expect(migrations?.detail).toContain(`belongs to "${name}_owner"`);
    expect(`${queries?.detail}${migrations?.detail}`).not.toContain("trap ran");
  });

  it("is not used if the owner of the database makes its function run as the caller", async () => {
    const name = await makeDatabase();
    await create(name);
    await withClient(server.connection(name), async (client) => {
      await client.query(`set session authorization ${name}_owner`);
      // It owns the function, but may not use its name.
      await expect(client.query("alter function pgroundwork_monitoring.migrations() security invoker")).rejects.toThrow(
        "permission denied for schema",
      );
    });
    await asSuperuser(name, "alter function pgroundwork_monitoring.migrations() security invoker");
    expect((await health(name)).migrations).toMatchObject({
      level: "unknown",
      detail: expect.stringContaining("was changed"),
    });
    expect(await missing(name)).toContain("function pgroundwork_monitoring.migrations");
  });

  it.each(["monitor", "postgres"])(
    "records that became a view are unknown to %s, and its code does not run",
    async (role) => {
      const name = await makeDatabase();
      await create(name);
      await query(
        server.as("migrator", name),
        `create function public.trap() returns bigint language plpgsql as $$ begin raise 'the trap ran'; end $$;
       alter table pgroundwork.migration_ledger rename to former;
       create view pgroundwork.migration_ledger as select *, public.trap() as trap from pgroundwork.former`,
      );
      const snapshot = await takeSnapshot({ ...server.connection(name), user: role }, defaultSettings);
      expect(snapshot.parts.migrations).toEqual({
        known: false,
        reason: "not plain tables, and therefore not read: pgroundwork.migration_ledger",
      });
      await expect(query(asMonitor(name), "select * from pgroundwork_monitoring.migrations()")).rejects.toThrow(
        "not plain tables",
      );
    },
  );

  it("has the records that exist, if one of the two tables does not", async () => {
    const name = await makeDatabase();
    await create(name);
    await asSuperuser(name, "alter table pgroundwork.migration_ledger rename to former");
    expect((await health(name)).migrations).toMatchObject(notCompared("1 applied, last 000001.sql"));
    await asSuperuser(
      name,
      `alter table pgroundwork.former rename to migration_ledger;
       update pgroundwork.migration_ledger set finished_at = null;
       drop table graphile_migrate.migrations`,
    );
    expect((await health(name)).migrations).toMatchObject({
      level: "warning",
      detail: expect.stringContaining("0 applied, last none; 1 running or interrupted"),
    });
  });

  it("is complete for a login that is no superuser, without what the server refuses", async () => {
    const [name, login] = [`managed_${randomUUID().slice(0, 8)}`, `login_${randomUUID().slice(0, 8)}`];
    await asSuperuser(
      "postgres",
      `create role ${login} login createrole createdb password 'test-password-of-every-role'`,
    );
    const admin = { ...server.connection(), user: login };
    await query(admin, `create role ${name}_owner; grant ${name}_owner to ${login} with inherit true, set true`);
    await query(admin, `create database ${name} owner ${name}_owner`);
    const inDatabase = { ...admin, database: name };
    const result = await withClient(inDatabase, (client) => createMonitoring(client, rolesOf(name)));
    expect(result.created).toContain("function pgroundwork_monitoring.migrations");
    expect(result.refused).toEqual([expect.stringMatching(/^extension pg_stat_statements: permission denied/)]);
    const steps = await withClient(inDatabase, (client) => missingMonitoring(client, rolesOf(name), false));
    expect(steps).toEqual([]);
    expect((await health(name)).queries).toMatchObject({ level: "unknown" });
    expect(await query(asMonitor(name), "select * from pgroundwork_monitoring.migrations()")).toEqual([]);
    // It may create nothing in the database postgres.
    const nothing = await withClient(admin, (client) =>
      createMonitoring(client, { monitor: "monitor", owner: undefined }),
    );
    expect(nothing).toEqual({ created: [], refused: [], exists: false });
  });
});

it("the doctor's statements update pg_stat_statements although the monitoring schema has views of it", async () => {
  const name = `old_${randomUUID().slice(0, 8)}`;
  await server.createDatabase(name);
  await asSuperuser(name, "create extension pg_stat_statements schema public version '1.10'");
  await create(name);
  await expect(asSuperuser(name, "alter extension pg_stat_statements update")).rejects.toThrow("depend on it");
  const limits = { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 };
  const find = () =>
    withObserver(server.connection(name), { applicationName: "test", ...limits }, (observer) =>
      outdatedExtension.find(observer, defaultThresholds, { statements: { known: false, reason: "" } }),
    );
  const { problems } = await find();
  expect(problems.map(({ object }) => object)).toEqual(["pg_stat_statements"]);
  for (const statement of problems[0]?.fix?.statements ?? []) await asSuperuser(name, statement);
  expect((await find()).problems).toEqual([]);
  expect(await missing(name)).toEqual([]);
  expect((await health(name)).queries).toMatchObject({ level: "ok" });
});

describe("the state of migrations, as monitor sees it", () => {
  let name: string;
  beforeAll(async () => {
    name = await makeDatabase();
    await create(name);
  });

  it("has no pending files if all are applied", async () => {
    expect((await health(name, folder.folder)).migrations).toMatchObject({
      level: "ok",
      detail: "1 applied, last 000001-a.sql, none pending",
    });
  });

  it("names files that are not applied, and applied files that were edited or are missing", async () => {
    const drafts = [
      { name: "a", body: "create table public.secret_plan (id int)" },
      { name: "b", body: "select 1" },
    ];
    const more = await committedFolderOf(drafts);
    const other = await committedFolderOf([{ name: "a", body: "select 2" }]);
    const empty = await committedFolderOf([]);
    try {
      expect((await health(name, more.folder)).migrations).toMatchObject({
        level: "warning",
        detail: expect.stringContaining("1 pending: 000002-b.sql"),
      });
      expect((await health(name, other.folder)).migrations).toMatchObject({
        level: "warning",
        detail: expect.stringContaining("differs from the files: 000001-a.sql (edited)"),
      });
      expect((await health(name, empty.folder)).migrations).toMatchObject({
        level: "warning",
        detail: expect.stringContaining("000001-a.sql (missing)"),
      });
      await more.write("000003-c.txt.sql", "nonsense");
      expect((await health(name, more.folder)).migrations).toMatchObject({ level: "warning" });
    } finally {
      for (const each of [more, other, empty]) await each.remove();
    }
  });
});
