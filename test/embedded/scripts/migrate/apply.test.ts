import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { lintCommitted } from "../../../../scripts/migrate/lint/committed.ts";
import { pendingMigrations, readStatus } from "../../../../scripts/migrate/verify.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import { chain, type Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const tracked = () =>
  query<{ filename: string }>("select filename from graphile_migrate.migrations order by 1").then((rows) =>
    rows.map((row) => row.filename),
  );

const five: Draft[] = [
  { name: "one", body: "create table one (id int primary key);" },
  { name: "two", body: "insert into one values (1);" },
  { name: "three", body: "create table three (id int);\n\ninsert into one\nvalues (2), (1);" },
  { name: "four", body: "create table four (id int);" },
  { name: "five", body: "create table five (id int);" },
];

describe("applying migrations", () => {
  it("runs every pending file once as the owner, and then has nothing to do", async () => {
    const { folder } = await folderOf(five.slice(0, 2));
    const events: string[] = [];
    const onEvent = (event: { kind: string; filename?: string }) => events.push(`${event.kind} ${event.filename}`);
    const { applied } = await applyMigrations({ connection, folder, onEvent });
    expect(applied.map((each) => each.filename)).toEqual(["000001-one.sql", "000002-two.sql"]);
    expect(events).toEqual([
      "started 000001-one.sql",
      "applied 000001-one.sql",
      "started 000002-two.sql",
      "applied 000002-two.sql",
    ]);
    expect((await applyMigrations({ connection, folder, onEvent })).applied).toEqual([]);
    expect(events).toHaveLength(4);
    expect(await query("select tableowner from pg_tables where tablename = 'one'")).toEqual([
      { tableowner: `${connection.database}_owner` },
    ]);
  });

  it("records hash, checksums, direction, duration, role, host, version and run in a private ledger", async () => {
    const { folder, write, migrations } = await folderOf(five.slice(0, 1));
    await write("000001-one.down.sql", "drop table one;");
    const runId = "6b7a3c4e-0d3f-4d53-9f0e-0d6f0d0b7c11";
    await applyMigrations({ connection, folder, runId });
    const [row] = await query<Record<string, unknown>>("select * from pgroundwork.migration_ledger");
    expect(row).toMatchObject({
      filename: "000001-one.sql",
      direction: "up",
      hash: migrations[0]?.hash,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      down_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      duration_ms: expect.any(Number),
      applied_by: `${connection.database}_migrator`,
      host: expect.stringMatching(/./),
      kit_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      run_id: runId,
      finished_at: expect.any(Date),
    });
    const denied = await errorOf(
      query("select * from pgroundwork.migration_ledger", test.server.as("app", connection.database)),
    );
    expect(denied.message).toBe("permission denied for schema pgroundwork");
  });

  it("stops at the third of five files with line, caret, SQLSTATE and detail; two stay recorded", async () => {
    const { folder } = await folderOf(five);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.text).toBe(
      [
        '000003-three.sql:6:1: duplicate key value violates unique constraint "one_pkey"',
        "  4 | create table three (id int);",
        "  5 | ",
        "  6 | insert into one",
        "    | ^",
        "  SQLSTATE 23505",
        "  Detail: Key (id)=(1) already exists.",
        "  The files before it stay applied. Correct this one (it was never applied) and run again.",
      ].join("\n"),
    );
    expect(error.sqlstate).toBe("23505");
    expect(await tracked()).toEqual(["000001.sql", "000002.sql"]);
    expect(await query("select to_regclass('three') as three")).toEqual([{ three: null }]);
    expect(await query("select filename from pgroundwork.migration_ledger order by id")).toHaveLength(2);
  });

  it("suggests baseline if the first file meets an existing table, and records nothing", async () => {
    await query("create table one (id int primary key)");
    const { folder } = await folderOf(five.slice(0, 2));
    await expect(applyMigrations({ connection, folder })).rejects.toMatchObject({
      sqlstate: "42P07",
      hint: `No migration is recorded as applied, but this object already exists. If the schema is the one that the files create, record them as applied: \`npm run pgw -- migrate baseline --database ${connection.database}\`. Otherwise move the object and its data out of the way or correct this file, then run again.`,
    });
    expect(await tracked()).toEqual([]);
  });

  it("shows the position of an error in the file, after header lines and placeholders", async () => {
    const { folder } = await folderOf([
      { name: "bad", headers: ["--! Message: bad"], body: "select ':DATABASE_NAME', nope;" },
    ]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message).toBe(
      [
        '000001-bad.sql:5:26: column "nope" does not exist',
        "  3 | --! Message: bad",
        "  4 | ",
        "  5 | select ':DATABASE_NAME', nope;",
        "    |                          ^",
        "  SQLSTATE 42703",
      ].join("\n"),
    );
  });

  it("shows the failed statement inside a function", async () => {
    const body = "select 1;\ndo $$ begin\n  perform 1 from nowhere;\nend $$;";
    const { folder } = await folderOf([{ name: "bad", body }]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message.split("\n")).toEqual([
      '000001-bad.sql:5:1: relation "nowhere" does not exist',
      "  3 | ",
      "  4 | select 1;",
      "  5 | do $$ begin",
      "    | ^",
      "  SQLSTATE 42P01",
      "  Where: PL/pgSQL function inline_code_block line 2 at PERFORM",
      "  In the statement:",
      "  1 | SELECT 1 from nowhere",
      "    |               ^",
    ]);
  });

  it("reports a constraint that fails at the commit, and records nothing", async () => {
    const body =
      "create table d (id int primary key, up int references d deferrable initially deferred);\ninsert into d values (1, 2);";
    const { folder } = await folderOf([{ name: "d", body }]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message).toContain(
      '000001-d.sql, at its commit: insert or update on table "d" violates foreign key constraint "d_up_fkey"',
    );
    expect(await tracked()).toEqual([]);
  });

  it("does not record a file that ends its transaction itself and then fails", async () => {
    const { folder } = await folderOf([{ name: "own", body: "create table own (id int);\ncommit;\nselect 1 / 0;" }]);
    const error = await errorOf(applyMigrations({ connection, folder, allow: ["000001-own.sql"] }));
    expect(error.message).toMatch(/^000001-own\.sql:6:1: division by zero\n/);
    expect(await tracked()).toEqual([]);
    expect(await query("select filename from pgroundwork.migration_ledger")).toEqual([]);
  });

  it.each([
    ["ends its transaction itself", "create table own (id int);\ncommit;\ninsert into own values (1);"],
    ["goes on in another one", "create table own (id int);\ncommit;\nbegin;\ninsert into own values (1);"],
  ])("records a file once if it %s, is allowed to, and succeeds", async (_what, body) => {
    const { folder } = await folderOf([{ name: "own", body }, five[0] as Draft]);
    await applyMigrations({ connection, folder, allow: ["000001-own.sql"] });
    expect(await tracked()).toHaveLength(2);
    expect(await query("select filename from pgroundwork.migration_ledger order by id")).toEqual([
      { filename: "000001-own.sql" },
      { filename: "000002-one.sql" },
    ]);
    expect(await query("select id from own")).toEqual([{ id: 1 }]);
  });

  it("records a file that forgets all settings", async () => {
    const { folder } = await folderOf([{ name: "own", body: "create table own (id int);\nreset all;" }]);
    await applyMigrations({ connection, folder });
    expect(await tracked()).toHaveLength(1);
  });

  it("refuses pending files that cannot run as they are, with every place, before anything runs", async () => {
    const { folder } = await folderOf([
      five[0] as Draft,
      { name: "ends", body: "create table two ();\ncommit;" },
      { name: "marked", body: "--! no-transation\nvacuum;" },
      { name: "copied", body: "copy one from stdin;\n1\n\\." },
    ]);
    await writeFile(
      path.join(folder, "committed", "000005-latin.sql"),
      Buffer.from("--! Previous: -\n--! Hash: sha1:0\n--! AllowInvalidHash\n\nselect '\u00e9';\n", "latin1"),
    );
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.exitCode).toBe(5);
    expect(error.message.split("\n").filter((line) => line.startsWith("- "))).toEqual([
      expect.stringMatching(/^- 000005-latin\.sql follows nothing/),
      "- 000002-ends.sql:5:1: COMMIT ends the transaction of the file",
      '- 000003-marked.sql:4:1: the line "--! no-transation" is unknown',
      "- 000004-copied.sql:4:1: COPY one FROM stdin reads rows from the client, as psql sends them",
      "- 000005-latin.sql: it is not UTF-8: byte 0xE9 at byte offset 63 (line 5); save it as UTF-8",
    ]);
    const preview = await pendingMigrations(undefined, folder);
    expect(preview.known && preview.problems).toHaveLength(5);
    expect((await errorOf(lintCommitted(folder, undefined))).message).toContain("000002-ends.sql:5:1: COMMIT");
    expect(await query("select to_regclass('one') as one, to_regnamespace('graphile_migrate') as schema")).toEqual([
      { one: null, schema: null },
    ]);
  });

  it("reports a file that drops the records of migrations in a way that shows only when it runs", async () => {
    const body = "create table one ();\ndo $$ begin execute 'drop schema graphile_migrate cascade'; end $$;";
    const { folder } = await folderOf([{ name: "drops", body }]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message.split("\n")[0]).toBe(
      '000001-drops.sql drops or changes the tables that record migrations: relation "graphile_migrate.migrations" does not exist',
    );
    expect(error.hint).toMatch(/^Leave the schemas graphile_migrate and pgroundwork to the kit\. The files before it/);
    expect(await tracked()).toEqual([]);
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it.each([
    ["revoke all on schema graphile_migrate from OWNER cascade;", "drops or changes the tables that record migrations"],
    ["set transaction read only;", "makes its transaction read-only, so it cannot be recorded."],
  ])("reports a file that keeps its record from being written: %s", async (body, message) => {
    const owner = `${connection.database}_owner`;
    const { folder } = await folderOf([{ name: "locks", body: body.replace("OWNER", owner) }]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message.split(/[:\n]/)[0]).toBe(`000001-locks.sql ${message}`);
    expect(await tracked()).toEqual([]);
  });

  it("reports a file that ends with another role, if work that it deferred fails as this role", async () => {
    const superuser = test.server.connection(connection.database);
    const body = [
      "create table secret (x int); create table d (x int);",
      "create function look() returns trigger language plpgsql as $$ begin perform from secret; return null; end $$;",
      "create constraint trigger t after insert on d deferrable initially deferred for each row execute function look();",
      `insert into d values (1);\nset role ${connection.database}_app;`,
    ].join("\n");
    const { folder } = await folderOf([{ name: "role", body }]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection: superuser, folder }));
    expect(error.message).toContain("000001-role.sql, at its commit: permission denied for table secret");
    expect(error.hint).toContain(
      `The file ends with another role (line 8: set role ${connection.database}_app), and its deferred work ran as this role.`,
    );
  });

  it("reports a lost connection with the file's name, and keeps earlier files", async () => {
    const { folder } = await folderOf([
      five[0] as Draft,
      { name: "lost", body: "create table lost (); select pg_terminate_backend(pg_backend_pid());" },
    ]);
    const error = await errorOf<SqlFileError>(
      applyMigrations({ connection: test.server.connection(connection.database), folder }),
    );
    expect(error.message.split("\n")[0]).toMatch(
      /^000002-lost\.sql.*: (terminating connection due to administrator command|Connection terminated.*)$/,
    );
    expect(
      await query("select filename from graphile_migrate.migrations", test.server.connection(connection.database)),
    ).toEqual([{ filename: "000001.sql" }]);
  });

  it("refuses a role without the privilege, and names the role that has it", async () => {
    const { folder } = await folderOf(five.slice(0, 1));
    const app = test.server.as("app", connection.database);
    const error = await errorOf(applyMigrations({ connection: app, folder }));
    expect(error.text).toBe(
      `${app.user}@${app.host}:${app.port}/${app.database} cannot record migrations: permission denied for database ${app.database}.\n` +
        "  Migrate with the migrator role (<database>_migrator).",
    );
  });

  it("names the statement that hands over a schema of another owner", async () => {
    const { folder } = await folderOf(five.slice(0, 1));
    const superuser = test.server.connection(connection.database);
    await query("create schema graphile_migrate", superuser);
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toContain("cannot record migrations: permission denied for schema graphile_migrate.");
    const statement = `ALTER SCHEMA graphile_migrate OWNER TO "${connection.database}_owner";`;
    expect(error.hint).toContain(`To change the owner, run as a superuser in this database: ${statement}`);
    await query(statement, superuser);
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(1);
  });

  it("says what to set if a session can create nothing, and does not blame the file", async () => {
    const { folder } = await folderOf(five.slice(0, 1));
    const superuser = test.server.connection(connection.database);
    await query(`alter database "${connection.database}" set search_path = 'nowhere'`, superuser);
    const nowhere = await errorOf(applyMigrations({ connection, folder }));
    expect(nowhere.message).toContain("no schema has been selected to create in");
    expect(nowhere.hint).toMatch(/ALTER DATABASE … RESET search_path;.* Then run again\.$/);
    await query(`alter database "${connection.database}" reset search_path`, superuser);
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(1);
  });

  it("runs a file with an invalid hash and AllowInvalidHash, as graphile-migrate does", async () => {
    const { folder, write } = await folderOf([]);
    const [file] = chain([{ name: "odd", headers: ["--! AllowInvalidHash"], body: "create table odd ();" }]);
    await write("000001-odd.sql", (file?.text ?? "").replace("table odd", "table even"));
    await applyMigrations({ connection, folder });
    expect(await query("select to_regclass('even')::text as even")).toEqual([{ even: "even" }]);
    expect(await readStatus(connection, folder)).toMatchObject({ known: true, pending: [], problems: [] });
  });
});
