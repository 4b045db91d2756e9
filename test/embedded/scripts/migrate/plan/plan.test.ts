import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../../scripts/catalog/catalog.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import type { MigrationPlan } from "../../../../../scripts/migrate/plan/plan.ts";
import { scratchFolders } from "../../scratch/own-scratch.ts";
import { databasePerTest } from "../database-per-test.ts";
import { base, plansFor } from "./plans.ts";

const test = databasePerTest();
const { folderOf, query } = test;
const { plan: planFor, planBehindBase } = plansFor(test);
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

describe("the migration plan", () => {
  it("lists files, statements, lines and phases, and the current size of the touched tables", async () => {
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

  it("leaves the live database and the server unchanged", async () => {
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
  });

  it("reports a failure with file, line, caret and what ran before it, and tries nothing after it", async () => {
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

  it("reports a failure at the commit", async () => {
    const plan = await planBehindBase([
      {
        name: "deferred",
        body: `alter table customers add constraint one_name unique (name) deferrable initially deferred;
               insert into customers values (1, 'a'), (2, 'a');`,
      },
    ]);
    expect(plan.failure).toMatchObject({ filename: "000002-deferred.sql", sqlstate: "23505" });
  });

  it("runs the hooks as in a scratch database, and afterAllMigrations only if a file was applied", async () => {
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
        /^A hook fails after the applied files, before the pending ones: after\.sql \(hook afterAllMigrations\):1:20: column "at"/,
      ),
    ]);
    await writeFile(path.join(folder, "after.sql"), "select nothing;");
    const failing = await planFor(folder, { to: "2" });
    expect(failing.failure).toMatchObject({ filename: "after.sql (hook afterAllMigrations)", line: 1, column: 8 });
  });

  it("ends at once when cancelled, whatever is running, and leaves nothing", async () => {
    const before = await scratchFolders();
    const interruption = new AbortController();
    const { signal } = interruption;
    const onProgress = (text: string) => {
      // The statement begins right after this message.
      if (text.startsWith("trying")) setTimeout(() => interruption.abort(new Error("enough")), 500);
    };
    const planning = planBehindBase([{ name: "slow", body: "select pg_sleep(600);" }], { signal, onProgress });
    await expect(planning).rejects.toThrow("enough");
    expect(await scratchFolders()).toEqual(before);
  });

  it("reports a failing concurrent build", async () => {
    const plan = await planBehindBase([
      { name: "twice", body: "insert into customers values (1, 'a'), (2, 'a');" },
      { name: "unique", body: "--! no-transaction\ncreate unique index concurrently one_name on customers (name);" },
    ]);
    expect(plan.failure).toMatchObject({ filename: "000003-unique.sql", sqlstate: "23505" });
  });

  it("warns about a contract phase in one run with its expand phase", async () => {
    const plan = await planBehindBase([
      { name: "add", body: "-- phase: expand\nalter table orders add column state text;" },
      { name: "drop", body: "-- phase: contract\nalter table orders drop column note;" },
    ]);
    expect(plan.warnings).toEqual([
      "000003-drop.sql contracts, but would run together with 000002-add.sql, which expands. Apply 000002-add.sql first (--to). Apply this one when no old version of the application runs any more.",
    ]);
  });

  it("warns about an unknown phase", async () => {
    const plan = await planBehindBase([
      { name: "add", body: "-- phase: expnad\nalter table orders add column state text;" },
    ]);
    expect(plan.files[0]?.phase).toBeNull();
    expect(plan.warnings).toEqual(['000002-add.sql has the unknown phase "expnad". Phases are expand and contract.']);
  });

  it("shows the linter's findings next to their statements, based on the live tables' contents", async () => {
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

  it("ends at the file given by --to", async () => {
    const drafts = ["two", "three"].map((name) => ({ name, body: `create table ${name} (id int);` }));
    const plan = await planBehindBase(drafts, { to: "2" });
    expect(plan.files.map(({ filename }) => filename)).toEqual(["000002-two.sql"]);
  });

  it("tries nothing if the files do not match what is applied", async () => {
    const { folder, write, migrations } = await folderOf([base, { name: "two", body: "create table two (id int);" }]);
    await applyMigrations({ connection, folder, to: "1" });
    await write("000001-base.sql", migrations[0]?.text.replace("note text", "note int") ?? "");
    const plan = await planFor(folder);
    expect(plan.problems).toMatchObject([{ kind: "edited", filename: "000001-base.sql" }]);
    expect(plan.files[0]?.statements[0]?.effects).toBeNull();
  });

  it("is empty if nothing is pending, and then needs no scratch cluster", async () => {
    const plan = await planBehindBase([]);
    expect(plan).toEqual({
      ...{
        problems: [],
        files: [],
        draft: null,
        tables: {},
        warnings: [],
        exceptions: [],
        failure: null,
        triedOn: null,
      },
    });
  });

  it("marks a file as not tried, with the reason, if the scratch cluster lacks its extension", async () => {
    const drafts = [
      { name: "good", body: "create table good (id int);" },
      { name: "far", body: "create extension dblink;" },
      { name: "after", body: "create table after (id int);" },
    ];
    const plan = await planBehindBase(drafts);
    expect(plan.failure).toBeNull();
    const reason = "000003-far.sql: the scratch cluster does not have the extension dblink";
    expect(plan.files.map(({ trial, notTried }) => [trial, notTried])).toEqual([
      ["passed", null],
      ["not tried", reason],
      ["not tried", reason],
    ]);
  });

  it("warns that the files are tried without objects that were made by hand", async () => {
    const { folder } = await folderOf([base, { name: "two", body: "create table two (id int);" }]);
    await applyMigrations({ connection, folder, to: "1" });
    await query("create table by_hand (id int)");
    const { warnings, files } = await planFor(folder);
    expect(files.map(({ trial }) => trial)).toEqual(["passed"]);
    expect(warnings).toEqual([
      "The live schema differs in 1 object from the schema of the applied files (extra table public.by_hand). The trial used the schema of the files: see `migrate verify --schema`.",
    ]);
  });
});
