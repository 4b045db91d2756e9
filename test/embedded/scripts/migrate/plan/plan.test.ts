import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../../scripts/catalog/catalog.ts";
import { exitCode } from "../../../../../scripts/errors/operation-error.ts";
import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import type { MigrationPlan } from "../../../../../scripts/migrate/plan/plan.ts";
import { withClient } from "../../../../../scripts/target/client.ts";
import type { Connection } from "../../../../../scripts/target/connection.ts";
import { databasePerTest, errorOf } from "../database-per-test.ts";
import { base, plansFor } from "./plans.ts";

const test = databasePerTest();
const { folderOf, query } = test;
const { plan: planFor, planBehindBase } = plansFor(test);
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

describe("the plan", () => {
  it("names files, statements, lines and phases, and how large the touched tables are today", async () => {
    const { folder } = await folderOf([
      base,
      {
        name: "widen",
        body: "-- phase: expand\nalter table orders add column state text;\nalter table orders\n  add column b text;",
        headers: ["--! Message: widen"],
      },
    ]);
    await applyMigrations({ connection, folder, to: "1" });
    await query("insert into orders (id) select generate_series(1, 1000)");
    await query("analyze orders");
    const plan = await planFor(folder);
    expect(plan).toMatchObject({
      problems: [],
      failure: null,
      files: [
        {
          filename: "000002-widen.sql",
          message: "widen",
          phase: "expand",
          transactional: true,
          statements: [
            { line: 6, title: "alter table orders add column state text" },
            { line: 7, lastLine: 8, title: "alter table orders add column b text" },
          ],
        },
      ],
      tables: { "public.orders": { rows: 1000 } },
    });
    expect(plan.tables["public.orders"]?.bytes).toBeGreaterThan(40_000);
  });

  it("leaves the live database and the server as they were", async () => {
    const { folder } = await folderOf([
      base,
      { name: "change", body: "alter table orders drop column note; create table extra (id int);" },
      { name: "broken", body: "select 1 / 0;" },
    ]);
    await applyMigrations({ connection, folder, to: "1" });
    const catalog = () => withClient(connection, readCatalog);
    const tracked = "select filename from graphile_migrate.migrations";
    const before = await catalog();
    await planFor(folder);
    expect(await catalog()).toEqual(before);
    expect(await query(tracked)).toEqual([{ filename: "000001.sql" }]);
    expect(await query("select datname from pg_database where datname like 'pgw_scratch%'")).toEqual([]);
  });

  it("tells what fails with file, line and caret, what ran before it, and tries nothing after", async () => {
    const plan = await planBehindBase([
      { name: "good", body: "create table extra (id int);" },
      { name: "bad", body: "create table more (id int);\n\nselect *\n  from nowhere;\ncreate table most (id int);" },
      { name: "after", body: "create table after (id int);" },
    ]);
    expect(plan.failure).toMatchObject({ filename: "000003-bad.sql", sqlstate: "42P01", line: 7, column: 8 });
    expect(plan.failure?.message).toContain(
      [
        '000003-bad.sql:7:8: relation "nowhere" does not exist',
        "  5 | ",
        "  6 | select *",
        "  7 |   from nowhere;",
        "    |        ^",
      ].join("\n"),
    );
    const ran = plan.files.map(({ statements }) => statements.map(({ effects }) => effects !== null));
    expect(ran).toEqual([[true], [true, false, false], [false]]);
  });

  it("tells what fails at the commit", async () => {
    const plan = await planBehindBase([
      {
        name: "deferred",
        body: `alter table customers add constraint one_name unique (name) deferrable initially deferred;
               insert into customers values (1, 'a'), (2, 'a');`,
      },
    ]);
    expect(plan.failure).toMatchObject({ filename: "000002-deferred.sql", sqlstate: "23505" });
  });

  it("runs the hooks as a scratch database has them, those behind the migrations only where some were applied", async () => {
    const settings = { beforeAllMigrations: "before.sql", afterAllMigrations: "after.sql" };
    const files = {
      ".gmrc": JSON.stringify(settings),
      "before.sql": "create table if not exists trace (who text);",
      "after.sql": "insert into trace select 'after' from orders;",
    };
    const { folder } = await folderOf([base, { name: "count", body: "alter table trace add column at date;" }]);
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const none = await planFor(folder);
    expect([none.failure, none.warnings]).toEqual([null, []]);
    await applyMigrations({ connection, folder, to: "1" });
    await writeFile(path.join(folder, "after.sql"), "insert into trace (at) values (now());");
    const plan = await planFor(folder);
    expect(plan.failure).toBeNull();
    expect(plan.warnings).toEqual([
      expect.stringMatching(
        /^Behind the applied files, without the pending ones, a hook does not run: after\.sql \(hook afterAllMigrations\):1:20: column "at"/,
      ),
    ]);
    await writeFile(path.join(folder, "after.sql"), "select nothing;");
    const failing = await planFor(folder, { to: "2" });
    expect(failing.failure).toMatchObject({ filename: "after.sql (hook afterAllMigrations)", line: 1, column: 8 });
  });

  it("ends at once when it is told to, whatever is running, and leaves nothing", async () => {
    const interruption = new AbortController();
    const { signal } = interruption;
    const planning = planBehindBase([{ name: "slow", body: "select pg_sleep(600);" }], { signal });
    const running = "select pid from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active'";
    while ((await query(running, test.server.connection())).length === 0) await sleep(50);
    interruption.abort(new Error("enough"));
    await expect(planning).rejects.toThrow("enough");
    expect(await query("select datname from pg_database where datname like 'pgw_scratch%'")).toEqual([]);
  });

  it("tells a failing concurrent build", async () => {
    const plan = await planBehindBase([
      { name: "twice", body: "insert into customers values (1, 'a'), (2, 'a');" },
      { name: "unique", body: "--! no-transaction\ncreate unique index concurrently one_name on customers (name);" },
    ]);
    expect(plan.failure).toMatchObject({ filename: "000003-unique.sql", sqlstate: "23505" });
  });

  it("warns of a contract in one run with its expand", async () => {
    const plan = await planBehindBase([
      { name: "add", body: "-- phase: expand\nalter table orders add column state text;" },
      { name: "drop", body: "-- phase: contract\nalter table orders drop column note;" },
    ]);
    expect(plan.warnings).toEqual([
      "000003-drop.sql contracts and would run together with 000002-add.sql, which expands: apply that one first (--to), and this one when no old version of the application runs any more.",
    ]);
  });

  it("warns of a phase that there is not", async () => {
    const plan = await planBehindBase([
      { name: "add", body: "-- phase: expnad\nalter table orders add column state text;" },
    ]);
    expect(plan.files[0]?.phase).toBeNull();
    expect(plan.warnings).toEqual(['000002-add.sql has the phase "expnad", which there is not: expand or contract.']);
  });

  it("has the linter's findings beside their statements, judged by what the live tables hold", async () => {
    const body =
      "create index on orders (note);\n-- squawk-ignore ban-drop-column: unused\nalter table customers drop column name;\n-- squawk-ignore ban-drop-table";
    const drafts = [{ name: "change", body }];
    const findings = ({ files }: MigrationPlan) =>
      files[0]?.statements.map((statement) => statement.findings.map(({ rule }) => rule));
    const { folder } = await folderOf([base, ...drafts]);
    await applyMigrations({ connection, folder, to: "1" });
    expect(findings(await planFor(folder))).toEqual([[], ["exception-without-reason"]]);
    await query("insert into orders (id) values (1)");
    const plan = await planFor(folder);
    expect(findings(plan)).toEqual([["require-concurrent-index-creation"], ["exception-without-reason"]]);
    expect(plan.exceptions).toMatchObject([{ rule: "ban-drop-column", reason: "unused" }]);
  });

  it("ends where --to says", async () => {
    const drafts = ["two", "three"].map((name) => ({ name, body: `create table ${name} (id int);` }));
    const plan = await planBehindBase(drafts, { to: "2" });
    expect(plan.files.map(({ filename }) => filename)).toEqual(["000002-two.sql"]);
  });

  it("tries nothing where files do not fit what is applied", async () => {
    const { folder, write, migrations } = await folderOf([base, { name: "two", body: "create table two (id int);" }]);
    await applyMigrations({ connection, folder, to: "1" });
    await write("000001-base.sql", migrations[0]?.text.replace("note text", "note int") ?? "");
    const plan = await planFor(folder);
    expect(plan.problems).toMatchObject([{ kind: "edited", filename: "000001-base.sql" }]);
    expect(plan.files[0]?.statements[0]?.effects).toBeNull();
  });

  it("is empty where nothing is pending, and needs no scratch database then", async () => {
    const plan = await planBehindBase([], { admin: connection });
    expect(plan).toEqual({ problems: [], files: [], tables: {}, warnings: [], exceptions: [], failure: null });
  });

  it("cannot be made by a login that may make no scratch database, and it says which may", async () => {
    const error = await errorOf(
      planBehindBase([{ name: "two", body: "create table two (id int);" }], { admin: connection }),
    );
    expect(error.message).toContain("cannot make a scratch database: permission denied to create database");
    expect(error.remedy).toBe("Name a login that may create databases and extensions in ROOT_DATABASE_URL.");
    expect(error.exitCode).toBe(exitCode.failed);
  });
});
