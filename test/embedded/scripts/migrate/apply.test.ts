import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exitCode, type OperationError } from "../../../../scripts/errors/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import {
  chain,
  committedFolderOf,
  type Draft,
  type TestFolder,
} from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer } from "../../server.ts";

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;
let made: TestFolder | undefined;
let number = 0;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = `apply${++number}`;
  await server.createDatabase(database);
  connection = server.as("migrator", database);
});
afterEach(async () => {
  await made?.remove();
  made = undefined;
});

async function folderOf(drafts: readonly Draft[]): Promise<TestFolder> {
  made = await committedFolderOf(drafts);
  return made;
}

async function query<T extends object>(sql: string, as = connection): Promise<T[]> {
  return withClient(as, async (client) => (await client.query<T>(sql)).rows);
}

async function errorOf<T extends OperationError>(work: Promise<unknown>): Promise<T> {
  return work.then(
    () => {
      throw new Error("no error was thrown");
    },
    (error: T) => error,
  );
}

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
  it("runs every pending file once, as the owner, and then has nothing to do", async () => {
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

  it("records hash, checksums, direction, duration, role, host, version and run in a ledger that nobody else may read", async () => {
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
      query("select * from pgroundwork.migration_ledger", server.as("app", connection.database)),
    );
    expect(denied.message).toBe("permission denied for schema pgroundwork");
  });

  it("stops at a failed third file of five: two stay recorded, and the error has line, caret, SQLSTATE and detail", async () => {
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
        "  The files before it stay applied; correct this one (it was never applied) and run again.",
      ].join("\n"),
    );
    expect(error.sqlstate).toBe("23505");
    expect(await tracked()).toEqual(["000001.sql", "000002.sql"]);
    expect(await query("select to_regclass('three') as three")).toEqual([{ three: null }]);
    expect(await query("select filename from pgroundwork.migration_ledger order by id")).toHaveLength(2);
  });

  it("points into the file at what the server cannot parse, behind header lines and placeholders", async () => {
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

  it("shows the statement in a function that failed", async () => {
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

  it("reports a connection that is lost in the middle with the file's name, and keeps the files before it", async () => {
    const { folder } = await folderOf([
      five[0] as Draft,
      { name: "lost", body: "create table lost (); select pg_terminate_backend(pg_backend_pid());" },
    ]);
    const error = await errorOf<SqlFileError>(
      applyMigrations({ connection: server.connection(connection.database), folder }),
    );
    expect(error.message.split("\n")[0]).toMatch(
      /^000002-lost\.sql.*: (terminating connection due to administrator command|Connection terminated.*)$/,
    );
    expect(
      await query("select filename from graphile_migrate.migrations", server.connection(connection.database)),
    ).toEqual([{ filename: "000001.sql" }]);
  });

  it("runs a file whose hash is invalid with AllowInvalidHash, as graphile-migrate does", async () => {
    const { folder, write } = await folderOf([]);
    const [file] = chain([{ name: "odd", headers: ["--! AllowInvalidHash"], body: "create table odd ();" }]);
    await write("000001-odd.sql", (file?.text ?? "").replace("table odd", "table even"));
    await applyMigrations({ connection, folder });
    expect(await query("select to_regclass('even')::text as even")).toEqual([{ even: "even" }]);
    expect(await readStatus(connection, folder)).toMatchObject({ known: true, pending: [], problems: [] });
  });

  it("replaces placeholders of .gmrc and sets its pgSettings", async () => {
    const { folder } = await folderOf([
      {
        name: "p",
        body: "create table p as select ':DATABASE_NAME' as d, ':DATABASE_OWNER' as o, ':GREETING' as g, current_setting('shop.x') as x;",
      },
    ]);
    const settings = {
      placeholders: { ":GREETING": "hello" },
      databaseOwner: "someone",
      pgSettings: { "shop.x": "y" },
    };
    await writeFile(path.join(folder, ".gmrc"), `// JSON with comments\n${JSON.stringify(settings)}`);
    await applyMigrations({ connection, folder });
    expect(await query("select * from p")).toEqual([{ d: connection.database, o: "someone", g: "hello", x: "y" }]);
  });

  it("refuses faulty settings in .gmrc before anything runs", async () => {
    const { folder } = await folderOf(five.slice(0, 1));
    await writeFile(
      path.join(folder, ".gmrc"),
      JSON.stringify({ placeholders: { ":PGW_TEST_UNSET": "!ENV" }, nonsense: 1 }),
    );
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toBe(
      `${folder}/.gmrc: Errors occurred during settings validation:\n` +
        "- Setting 'placeholders': Could not find environmental variable 'PGW_TEST_UNSET'\n" +
        "- The following config settings were not understood: 'nonsense'",
    );
    expect(error.exitCode).toBe(exitCode.usage);
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });
});

describe("a folder that does not fit what is applied", () => {
  it("is refused with every problem by name and both hashes, and nothing runs", async () => {
    const { folder, migrations, write } = await folderOf([five[0], five[1], five[3]] as Draft[]);
    await applyMigrations({ connection, folder });
    const [one, two, three] = migrations;
    const text = (one?.text ?? "").replace("primary key", "primary kex");
    await write("000001-one.sql", text);
    await rm(path.join(folder, "committed", "000002-two.sql"));
    const [added] = chain([{ name: "added", body: "create table added ();" }], 0);
    await write("000000-added.sql", added?.text ?? "");
    const [next] = chain([{ name: "next", body: "create table next ();" }], 4, three?.hash);
    await write("000004-next.sql", next?.text ?? "");
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message.split("\n")).toEqual([
      "The committed migrations do not fit what is applied:",
      expect.stringMatching(
        new RegExp(`^- 000001-one\\.sql was edited after it was applied: applied ${one?.hash}, now sha1:[0-9a-f]{40}$`),
      ),
      `- 000002-two.sql is applied (${two?.hash}) and its file is missing`,
      `- 000000-added.sql (${added?.hash}) is not applied and stands before files that are`,
    ]);
    expect(await query("select to_regclass('next') as next, to_regclass('added') as added")).toEqual([
      { next: null, added: null },
    ]);
  });

  it("is found out when the hash of an edited file was made to fit again", async () => {
    const { folder, write } = await folderOf(five.slice(0, 1));
    await applyMigrations({ connection, folder });
    const [fitted] = chain([{ name: "one", body: "create table one (id bigint primary key);" }]);
    await write("000001-one.sql", fitted?.text ?? "");
    const status = await readStatus(connection, folder);
    expect(status).toMatchObject({ problems: [{ kind: "edited", filename: "000001-one.sql", found: fitted?.hash }] });
  });

  it("is found out when a byte outside graphile-migrate's hash changed", async () => {
    const { folder, write, migrations } = await folderOf(five.slice(0, 1));
    await applyMigrations({ connection, folder });
    await write("000001-one.sql", (migrations[0]?.text ?? "").replace("\n\n", "\n--! Message: new\n\n"));
    const status = await readStatus(connection, folder);
    expect(status).toMatchObject({
      problems: [{ kind: "edited", filename: "000001-one.sql", expected: expect.stringMatching(/^sha256:/) }],
    });
  });
});

describe("files that cannot run in a transaction", () => {
  const table: Draft = { name: "t", body: "create table t (x int); insert into t values (1), (1);" };

  it("build an index concurrently, with a ledger row that was opened before and closed after", async () => {
    const { folder } = await folderOf([
      table,
      { name: "i", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" },
    ]);
    await applyMigrations({ connection, folder });
    expect(await query("select indisvalid from pg_index where indexrelid = 't_x'::regclass")).toEqual([
      { indisvalid: true },
    ]);
    expect(
      await query(
        "select finished_at > started_at as closed, duration_ms > 0 as timed from pgroundwork.migration_ledger where filename like '%-i.sql'",
      ),
    ).toEqual([{ closed: true, timed: true }]);
    expect(await tracked()).toEqual(["000001.sql", "000002.sql"]);
  });

  it("stay pending and are marked interrupted when they fail", async () => {
    const { folder } = await folderOf([
      table,
      { name: "i", body: "--! no-transaction\ncreate unique index concurrently t_x on t (x);" },
    ]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message.split("\n")[0]).toBe('000002-i.sql:5:1: could not create unique index "t_x"');
    expect(error.remedy).toContain("invalid index");
    expect(await readStatus(connection, folder)).toMatchObject({
      pending: [{ filename: "000002-i.sql", interrupted: true }],
      problems: [],
    });
  });

  it("with more than one statement are refused before any file runs", async () => {
    const { folder } = await folderOf([table, { name: "i", body: "--! no-transaction\nvacuum t; vacuum t;" }]);
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toBe(
      "A file outside a transaction holds exactly one statement:\n- 000002-i.sql has --! no-transaction and 2 statements",
    );
    expect(await query("select to_regclass('t') as t")).toEqual([{ t: null }]);
  });
});
