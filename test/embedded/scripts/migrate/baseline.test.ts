import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import { type Connection, connectionUrl } from "../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations, initialiseTracking } from "../../../../scripts/migrate/apply.ts";
import { type BaselineOptions, baseline } from "../../../../scripts/migrate/baseline.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import { cloneRoot } from "../../../clone-root.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
let admin: Connection;
beforeEach(() => {
  connection = test.connection;
  admin = test.server.connection();
});

const drafts: Draft[] = [
  { name: "one", body: "create table one (id int primary key, name text);" },
  { name: "index", body: "--! no-transaction\ncreate index concurrently one_name on one (name);" },
  { name: "two", body: "create table two (id int primary key references one);" },
];
const schema = `create table one (id int primary key, name text);
  create index one_name on one (name);
  create table two (id int primary key references one);`;

const adopt = (folder: string, options: Partial<BaselineOptions> = {}) =>
  baseline({ connection, admin, folder, ...options });
const names = ["000001-one.sql", "000002-index.sql", "000003-two.sql"];
function runInOtherProcess(target: Connection, sql: string): void {
  const program = `const { default: pg } = await import("pg");
    const client = new pg.Client(process.env.TARGET);
    await client.connect(); await client.query(process.env.STATEMENT); await client.end();`;
  const env = { ...process.env, TARGET: connectionUrl(target), STATEMENT: sql };
  execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: cloneRoot, env });
}
const tracked = () => query("select to_regclass('graphile_migrate.migrations') as tracking");

describe("migrate baseline", () => {
  it("records the files of an existing schema, and runs none", async () => {
    await query(`${schema} insert into one values (1, 'kept')`);
    const { folder, migrations } = await folderOf(drafts);
    expect(await adopt(folder)).toMatchObject({ files: names, recorded: true, differences: [], otherTools: [] });
    expect(await query("select name from one")).toEqual([{ name: "kept" }]);
    expect(await query("select filename, hash, previous_hash from graphile_migrate.migrations order by 1")).toEqual(
      migrations.map(({ hash }, index) => ({
        filename: `00000${index + 1}.sql`,
        hash,
        previous_hash: migrations[index - 1]?.hash ?? null,
      })),
    );
    expect(
      await query(
        "select filename, direction, outcome, duration_ms, finished_at = started_at as is_instant from pgroundwork.migration_ledger order by id",
      ),
    ).toEqual(
      names.map((filename) => ({
        filename,
        direction: "up",
        outcome: "baseline",
        duration_ms: null,
        is_instant: true,
      })),
    );
    expect(await readStatus(connection, folder)).toMatchObject({ pending: [], problems: [] });
    expect((await applyMigrations({ connection, folder })).applied).toEqual([]);
  });

  it("records up to the given file, and up applies the rest", async () => {
    await query("create table one (id int primary key, name text)");
    const { folder } = await folderOf(drafts);
    expect(await adopt(folder, { to: "1" })).toMatchObject({ files: ["000001-one.sql"], recorded: true });
    const { applied } = await applyMigrations({ connection, folder });
    expect(applied.map(({ filename }) => filename)).toEqual(names.slice(1));
  });

  it("records nothing and lists the differences if the schema differs, unless that is accepted", async () => {
    await query(`${schema} alter table one alter name type varchar(20); drop index one_name; create table extra ()`);
    const { folder } = await folderOf(drafts);
    const refused = await adopt(folder);
    expect(refused).toMatchObject({ recorded: false });
    expect(refused.differences.map(({ what, kind, name }) => `${what} ${kind} ${name}`)).toEqual([
      "different column public.one.name",
      "missing index public.one_name",
      "extra table public.extra",
    ]);
    expect(await tracked()).toEqual([{ tracking: null }]);
    expect(await adopt(folder, { acceptDifferences: true })).toMatchObject({ recorded: true });
    expect(await readStatus(connection, folder)).toMatchObject({ pending: [], problems: [] });
  });

  it("only compares in a dry run", async () => {
    await query(schema);
    const { folder } = await folderOf(drafts);
    expect(await adopt(folder, { dryRun: true })).toMatchObject({ files: names, recorded: false, differences: [] });
    expect(await tracked()).toEqual([{ tracking: null }]);
  });

  it("refuses if a migration is already recorded", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder, to: "1" });
    const error = await errorOf(adopt(folder));
    expect(error.exitCode).toBe(exitCode.notAllowed);
    expect(error.message).toMatch(/ already has 1 recorded migration\.$/);
  });

  it("upgrades a ledger of an earlier version", async () => {
    await query(schema);
    const { folder } = await folderOf(drafts);
    await initialiseTracking({ connection, folder });
    await query("alter table pgroundwork.migration_ledger drop column outcome");
    expect(await adopt(folder)).toMatchObject({ recorded: true });
    expect(await query("select distinct outcome from pgroundwork.migration_ledger")).toEqual([{ outcome: "baseline" }]);
  });

  it.each([
    ["dbmate or Rails", "create table schema_migrations (version varchar primary key)", "('20240101'), ('20240202')"],
    [
      "golang-migrate",
      "create table schema_migrations (version bigint primary key, dirty boolean not null)",
      "(7, false)",
    ],
    [
      "node-pg-migrate",
      "create table pgmigrations (id serial primary key, name text, run_on timestamp)",
      "(1, 'first', now()), (2, 'a-second', now())",
    ],
    [
      "Flyway",
      "create table flyway_schema_history (installed_rank int primary key, script text, success boolean)",
      "(1, 'V1__one.sql', true), (2, 'V2__two.sql', true)",
    ],
  ])("names what %s recorded, and does not count its table as a difference", async (tool, table, rows) => {
    const name = /create table (\w+)/.exec(table)?.[1] ?? "";
    await query(`${schema} ${table}; insert into ${name} values ${rows}`);
    const { folder } = await folderOf(drafts);
    const { recorded, otherTools } = await adopt(folder);
    expect(recorded).toBe(true);
    const newest = {
      "dbmate or Rails": "20240202",
      "golang-migrate": "7",
      "node-pg-migrate": "a-second",
      Flyway: "V2__two.sql",
    };
    expect(otherTools).toEqual([
      {
        tool,
        table: `public.${name}`,
        migrations: tool === "golang-migrate" ? 1 : 2,
        newest: newest[tool as keyof typeof newest],
        companions: [],
      },
    ]);
  });

  it("says if it may not read what another tool recorded", async () => {
    await query(schema);
    await query(
      "create table schema_migrations (version text); revoke all on schema_migrations from public",
      test.server.connection(connection.database),
    );
    const { folder } = await folderOf(drafts);
    expect(await adopt(folder)).toMatchObject({
      recorded: true,
      otherTools: [{ tool: "dbmate or Rails", migrations: null, newest: null }],
    });
  });

  it("records nothing if the schema changes after the comparison", async () => {
    await query(schema);
    const { folder } = await folderOf(drafts);
    // The signal is checked several times, the last time between the comparison and the record. Each check adds a
    // column.
    let asked = 0;
    const signal = {
      aborted: false,
      throwIfAborted: () => runInOtherProcess(connection, `alter table two add column late_${++asked} text`),
    } as unknown as AbortSignal;
    const refused = await errorOf(adopt(folder, { signal, acceptDifferences: true }));
    expect(refused.exitCode).toBe(exitCode.notAllowed);
    expect(refused.message).toContain("changed after this command read it. This command changed nothing");
    expect(refused.message).toContain(`\n  new   column public.two.late_${asked}: `);
    expect(await tracked()).toEqual([{ tracking: null }]);
  });

  it("needs no login that can create databases", async () => {
    await query(schema);
    const { folder } = await folderOf(drafts);
    expect(await adopt(folder, { admin: undefined })).toMatchObject({ recorded: true });
  });

  it("records nothing and gives the reason if it cannot compare, unless that is accepted", async () => {
    await query(schema);
    const { folder } = await folderOf([...drafts, { name: "far", body: "create extension dblink;" }]);
    const refused = await adopt(folder);
    expect(refused).toMatchObject({
      recorded: false,
      differences: [],
      notCompared: "000004-far.sql: the scratch cluster does not have the extension dblink",
    });
    expect(await tracked()).toEqual([{ tracking: null }]);
    expect(await adopt(folder, { acceptDifferences: true })).toMatchObject({ recorded: true });
  });
});
