import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { inDatabase } from "../../../../scripts/connection/connection.ts";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { draftCacheTriggers } from "../../../../scripts/migrate/authoring/cache-triggers.ts";
import {
  type CommitFileOptions,
  type CommitOptions,
  commitFile,
  commitMigration,
} from "../../../../scripts/migrate/authoring/commit.ts";
import { clearDraft } from "../../../../scripts/migrate/authoring/draft.ts";
import { readDraftSummary } from "../../../../scripts/migrate/authoring/draft-file.ts";
import { newMigration } from "../../../../scripts/migrate/authoring/new.ts";
import { uncommitMigration } from "../../../../scripts/migrate/authoring/uncommit.ts";
import { findRepairs, repair } from "../../../../scripts/migrate/repair/repair.ts";
import { readKnownStatus } from "../../../../scripts/migrate/verify.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";
import { graphileCli } from "./processes.ts";

const test = databasePerTest();
let folder: string;

const file = (...names: string[]) => path.join(folder, ...names);
const read = (...names: string[]) => readFile(file(...names), "utf8");
const committed = async () => (await readdir(file("committed"))).sort();
const admin = () => test.server.connection();
const commit = (options: Partial<CommitOptions> = {}) =>
  commitMigration({ connection: test.connection, admin: admin(), folder, ...options });
const uncommit = () => uncommitMigration({ connection: test.connection, folder });

/** Begins a migration and writes it. */
async function draft(message: string, up: string, down: string | undefined): Promise<void> {
  await newMigration(folder, message);
  await writeFile(file("current.sql"), `--! Message: ${message}\n\n${up}\n`);
  if (down !== undefined) await writeFile(file("current.down.sql"), `${down}\n`);
}

beforeEach(async () => {
  ({ folder } = await test.folderOf([{ name: "first", body: "create table first (id int primary key);" }]));
});

describe("a new migration", () => {
  it("has its message in current.sql and a place for its down migration", async () => {
    expect(await newMigration(folder, "Add a second table")).toBe(file("current.sql"));
    expect(await read("current.sql")).toBe("--! Message: Add a second table\n\n-- Enter migration here\n");
    expect(await read("current.down.sql")).toContain("Enter the down migration here");
  });

  it("is refused while another one is being written", async () => {
    await draft("one", "create table one ();", "drop table one;");
    const error = await errorOf<OperationError>(newMigration(folder, "two"));
    expect([error.message, error.exitCode]).toEqual([
      `${file("current.sql")} is not empty: it contains an uncommitted migration.`,
      3,
    ]);
    expect(await read("current.sql")).toContain("create table one");
  });

  it("is refused if graphile-migrate would refuse its message", async () => {
    const error = await errorOf<OperationError>(newMigration(folder, "two\nlines"));
    expect([error.message, error.exitCode]).toEqual([
      "The message of the migration cannot be used: it contains control characters.",
      2,
    ]);
  });
});

describe("the draft of triggers for result caches", () => {
  const draftOf = (...tables: string[]) =>
    withClient(test.connection, (client) => draftCacheTriggers(client, folder, tables));
  const triggers = () =>
    test.query<{ name: string }>(
      "select tgrelid::regclass || ' ' || tgname as name from pg_trigger where tgparentid = 0 and not tgisinternal order by 1",
    );

  it("reports changes of tables and of partitions once committed, and its down migration removes all of it", async () => {
    await draft(
      "more",
      "create table parts (id int) partition by range (id);\ncreate table part partition of parts default;",
      "drop table parts;",
    );
    await commit();
    expect(await draftOf("first", "public.parts", "first")).toEqual({
      path: file("current.sql"),
      tables: ["public.first", "public.parts"],
      present: [],
    });
    expect(await commit()).toMatchObject({ filename: "000003-report-changes-of-first-parts-to-caches.sql" });
    expect(await triggers()).toEqual([
      { name: "first notify_cache_change" },
      { name: "parts notify_cache_change" },
      { name: "parts notify_cache_change_truncate" },
    ]);
    expect(await draftOf("first")).toMatchObject({ tables: [], present: ["public.first"] });
    await draft("third", "create table third ();", "drop table third;");
    await commit();
    // The function exists, so this migration does not create it, and its down migration leaves it.
    await draftOf("third", "first");
    await commit();
    expect((await uncommit()).reverted).toBe(true);
    expect(await read("current.down.sql")).toBe("drop trigger notify_cache_change on public.third;\n");
    await clearDraft(folder);
    expect((await uncommit()).reverted).toBe(true);
    await clearDraft(folder);
    expect((await uncommit()).reverted).toBe(true);
    expect(await triggers()).toEqual([]);
    expect(await test.query("select from pg_proc where proname = 'notify_cache_change'")).toEqual([]);
  });

  it("is refused for what is not a table, and while another migration is being written", async () => {
    await test.query("create view seen as select 1 as one");
    await applyMigrations({ connection: test.connection, folder });
    const error = await errorOf<OperationError>(draftOf("first", "seen", "missing"));
    expect([error.message, error.exitCode]).toEqual([
      "These are not tables: public.seen (a view or another relation), public.missing (does not exist).",
      2,
    ]);
    await expect(draftOf("First")).rejects.toThrow('"First" is not the name of a table that needs no quotes.');
    await draft("one", "create table one ();", "drop table one;");
    await expect(draftOf("first")).rejects.toThrow("current.sql is not empty");
    expect(await read("current.sql")).toContain("create table one");
  });
});

describe("committing a migration", () => {
  it("writes the same bytes as graphile-migrate's own commit, and applies the file", async () => {
    const body = "create table second (\n  id int references first (id)\n);\n\ncreate index on second (id);";
    await draft("Add: a *second* table!", body, "drop table second;");
    expect(await commit()).toEqual({
      filename: "000002-add-a-second-table.sql",
      applied: ["000001-first.sql", "000002-add-a-second-table.sql"],
      resumed: false,
      warnings: [],
    });
    expect(await committed()).toEqual([
      "000001-first.sql",
      "000002-add-a-second-table.down.sql",
      "000002-add-a-second-table.sql",
    ]);
    expect((await stat(file("committed", "000002-add-a-second-table.sql"))).mode & 0o777).toBe(0o440);
    expect(await read("current.sql")).toBe("-- Enter migration here\n");
    expect(await readdir(folder)).not.toContain("current.down.sql");

    const ours = await read("committed", "000002-add-a-second-table.sql");
    const twin = await test.folderOf([{ name: "first", body: "create table first (id int primary key);" }]);
    await writeFile(path.join(twin.folder, "current.sql"), `--! Message: Add: a *second* table!\n\n${body}\n`);
    await writeFile(path.join(twin.folder, ".gmrc"), JSON.stringify({ migrationsFolder: "." }));
    const name = `${test.connection.database}_theirs`;
    for (const each of [name, `${name}_shadow`]) await test.query(`create database ${each}`, admin());
    const theirs = inDatabase(admin(), name);
    const cli = await graphileCli(theirs, twin.folder, ["commit"], {
      shadow: inDatabase(admin(), `${name}_shadow`),
      root: admin(),
    });
    expect(cli.code, cli.output).toBe(0);
    expect(ours).toBe(await readFile(path.join(twin.folder, "committed", "000002-add-a-second-table.sql"), "utf8"));
  });

  it("includes the files of current/, as graphile-migrate does", async () => {
    await mkdir(file("current"));
    await writeFile(file("current", "001-a.sql"), "create table a ();\n");
    await writeFile(file("current", "002-b.sql"), "create table b ();\n");
    await writeFile(file("current.down.sql"), "drop table b;\ndrop table a;\n");
    expect((await commit({ message: "both" })).filename).toBe("000002-both.sql");
    expect(await read("committed", "000002-both.sql")).toContain("--! split: 002-b.sql\ncreate table b ();");
  });

  it("inserts included files, reports errors at their own lines, and uncommit restores the draft", async () => {
    await mkdir(file("fixtures", "views"), { recursive: true });
    const view = file("fixtures", "views", "two.sql");
    const up = "create table two ();\n--!include views/two.sql";
    await draft("two", up, "--!include views/two.down.sql\ndrop table two;");
    await writeFile(file("fixtures", "views", "two.down.sql"), "drop view v;\n");
    await writeFile(view, "-- a view\ncreate view v as select nope from two;\n");
    const failed = await errorOf<OperationError>(commit());
    expect(failed.message).toContain('fixtures/views/two.sql:2:25: column "nope" does not exist\n  1 | -- a view\n');
    await writeFile(view, "create view v as table two;\ncommit;\n");
    const refused = await errorOf<OperationError>(commit());
    expect(refused.message).toContain("- fixtures/views/two.sql:2:1: COMMIT ends the transaction of the file");
    expect(await committed()).toEqual(["000001-first.sql"]);
    await writeFile(view, "create view v as table two;\n");
    await commit();
    expect((await read("committed", "000002-two.sql")).split("\n\n")[1]).toBe(
      "create table two ();\n--! Included views/two.sql\ncreate view v as table two;\n--! EndIncluded views/two.sql\n",
    );
    expect(await uncommit()).toEqual({ filename: "000002-two.sql", reverted: true });
    expect(await read("current.sql")).toBe(`--! Message: two\n\n${up}\n`);
    expect(await read("current.down.sql")).toBe("--!include views/two.down.sql\ndrop table two;\n");
  });

  it("is refused if a file begins with a byte order mark, which would hide its message or break its first word", async () => {
    const mark = "it begins with a byte order mark; save it as UTF-8 without one";
    for (const name of ["current.sql", "current.down.sql"]) {
      await writeFile(file("current.sql"), "--! Message: two\n\ncreate table two ();\n");
      await writeFile(file("current.down.sql"), "drop table two;\n");
      await writeFile(file(name), `\uFEFF${await read(name)}`);
      expect((await errorOf<OperationError>(commit())).message).toContain(`${name}: ${mark}`);
    }
    expect(await committed()).toEqual(["000001-first.sql"]);
  });

  it("needs a down migration, or the reason why there is none", async () => {
    await draft("gone", "drop table first;", undefined);
    const error = await errorOf<OperationError>(commit());
    expect([error.message, error.exitCode]).toEqual([
      "The migration has no down migration: current.down.sql is missing or empty.",
      2,
    ]);
    await commit({ irreversible: "the rows are gone" });
    expect(await read("committed", "000002-gone.down.sql")).toBe("--! Irreversible: the rows are gone\n");
  });

  it("is refused if the down migration leaves something, and nothing is written", async () => {
    await draft("two", "create table two (id int); create table three (id int);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toContain(
      "current.down.sql does not revert everything that the migration created:\n- table public.three is left",
    );
    expect(error.exitCode).toBe(5);
    expect(await committed()).toEqual(["000001-first.sql"]);
    expect(await read("current.sql")).toContain("create table two");
    expect((await readKnownStatus(test.connection, folder)).applied).toEqual([]);
  });

  it("is refused with the step of the trial and the statement if the migration fails only in its second run", async () => {
    await draft("rows", "create table two (id int);\n\ninsert into first values (7);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toMatch(
      /^The migration ran, and its down migration ran\. Then the migration failed in its second run:\ncurrent\.sql:5:1: duplicate key/,
    );
    expect(error.message).toContain("  5 | insert into first values (7);\n    | ^\n");
    expect(error.hint).toMatch(/^The down migration probably leaves something that the second run meets, such as rows/);
    await writeFile(file("current.down.sql"), "drop table two;\ndrop table three;\n");
    expect((await errorOf<OperationError>(commit())).message).toMatch(
      /^The migration ran\. Then its down migration failed:\ncurrent\.down\.sql:2:1: table "three" does not exist/,
    );
    expect(await committed()).toEqual(["000001-first.sql"]);
  });

  it("is refused with file, line and caret if the migration fails, and nothing is written", async () => {
    await draft("two", "create table two (id int);\ninsert into tow values (1);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toContain('current.sql:4:13: relation "tow" does not exist');
    expect(error.hint).toContain("This was a trial in a scratch cluster");
    expect(await committed()).toEqual(["000001-first.sql"]);
  });

  it("is reverted if the database itself refuses the migration", async () => {
    await commit({ message: "none" }).catch(() => {});
    await test.query("create table two ()");
    await draft("two", "create table two (id int);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    // The committed file is gone by then.
    expect(error.message).toContain('current.sql:3:1: relation "two" already exists');
    expect(await committed()).toEqual(["000001-first.sql"]);
    expect(await read("current.sql")).toContain("create table two");
    expect(await read("current.down.sql")).toBe("drop table two;\n");
  });

  it("stays committed and open if it fails outside a transaction, because part of it may be applied", async () => {
    await applyMigrations({ connection: test.connection, folder });
    await test.query("insert into first values (1)");
    const body = `do $$ begin create table half (); commit;
      if exists (select from first) then raise exception 'boom'; end if; end $$;`;
    await draft("half", `--! no-transaction\n${body}`, "drop table half;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toMatch(/^000002-half\.sql:6:1: boom\n/);
    expect(error.message).toContain(
      "\ncommitted/000002-half.sql stays committed, and current.sql is empty: part of it may be applied.",
    );
    expect(error.hint).toContain("`migrate repair --done 000002-half.sql`");
    expect(await test.query("select to_regclass('half') is not null as half")).toEqual([{ half: true }]);
    expect(await committed()).toEqual(["000001-first.sql", "000002-half.down.sql", "000002-half.sql"]);
    expect(await readDraftSummary(folder)).toBeNull();
    expect(await readKnownStatus(test.connection, folder)).toMatchObject({
      ...{ pending: [{ filename: "000002-half.sql", interrupted: true }], problems: [] },
    });

    await uncommit();
    const unfinished = await errorOf<OperationError>(commit());
    expect(unfinished.message).toContain("- 000002-half.sql does not exist, but was started outside a transaction");
    const repairs = { connection: test.connection, admin: admin(), folder };
    await repair(repairs, await findRepairs(repairs));
    await test.query("drop table half; delete from first");
    expect(await commit()).toMatchObject({ filename: "000002-half.sql", applied: ["000002-half.sql"] });
  });

  it("stays committed if it is applied and a hook fails after it", async () => {
    await writeFile(file(".gmrc"), JSON.stringify({ afterAllMigrations: { _: "command", command: "exit 1" } }));
    await draft("two", "create table two ();", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toContain(
      "committed/000002-two.sql stays committed, and current.sql is empty: it is applied.",
    );
    expect((await readKnownStatus(test.connection, folder)).problems).toEqual([]);
    expect(await committed()).toHaveLength(3);
  });

  it("is refused if current.sql or current.down.sql is a FIFO, without waiting for its writer", async () => {
    await promisify(execFile)("mkfifo", [file("current.sql"), file("current.down.sql")]);
    const fault = (name: string) => `'${file(name)}' exists but is not a file.`;
    expect((await errorOf<OperationError>(commit())).message).toBe(fault("current.sql"));
    expect(await readDraftSummary(folder)).toMatchObject({ statements: null, unreadable: fault("current.sql") });
    await rm(file("current.sql"));
    await writeFile(file("current.sql"), "create table two ();\n");
    expect((await errorOf<OperationError>(commit())).message).toBe(fault("current.down.sql"));
  });

  it("is completed by the next commit if it was killed before it emptied current.sql", async () => {
    await draft("two", "create table two ();", "drop table two;");
    const [up, down] = [await read("current.sql"), await read("current.down.sql")];
    await commit();
    await writeFile(file("current.sql"), up);
    await writeFile(file("current.down.sql"), down);
    expect(await commit()).toEqual({ filename: "000002-two.sql", applied: [], resumed: true, warnings: [] });
    expect(await committed()).toHaveLength(3);
    expect(await read("current.sql")).toBe("-- Enter migration here\n");
  });

  it("is refused if current.sql is blank", async () => {
    const error = await errorOf<OperationError>(commit());
    expect([error.message, error.exitCode]).toEqual([
      `${file("current.sql")} is empty: there is nothing to commit.`,
      2,
    ]);
  });
});

describe("committing a migration without applying it", () => {
  const write = (options: Partial<CommitFileOptions> = {}) =>
    commitFile({ database: test.connection, admin: admin(), folder, ...options });

  it("tries it and writes the same files, and the database stays as it is", async () => {
    await draft("two", "create table two ();", "drop table two;");
    expect(await write()).toEqual({ filename: "000002-two.sql", resumed: false, warnings: [], notTried: null });
    expect(await committed()).toEqual(["000001-first.sql", "000002-two.down.sql", "000002-two.sql"]);
    expect(await read("current.sql")).toBe("-- Enter migration here\n");
    expect((await readKnownStatus(test.connection, folder)).applied).toEqual([]);
  });

  it("is refused if the migration or its down migration fails, and nothing is written", async () => {
    await draft("two", "create table two ();", "drop table tow;");
    expect((await errorOf<OperationError>(write())).message).toContain('current.down.sql:1:1: table "tow" does not');
    expect(await committed()).toEqual(["000001-first.sql"]);
    expect(await read("current.sql")).toContain("create table two");
  });

  it("writes the files and says that they were not tried if there is no database", async () => {
    await draft("two", "create table two ();", "drop table two;");
    expect(await write({ database: inDatabase(test.connection, "nowhere") })).toMatchObject({
      filename: "000002-two.sql",
      notTried: expect.stringMatching(/nowhere.*does not exist$/) as string,
    });
    await draft("three", "create table three ();", "drop table three;");
    expect(await write({ database: { reason: "the stack is not up" } })).toMatchObject({
      ...{ filename: "000003-three.sql", notTried: "the stack is not up" },
    });
    expect(await committed()).toHaveLength(5);
  });

  it("is refused without a database, too, if a committed file was edited", async () => {
    await draft("two", "create table two ();", "drop table two;");
    await writeFile(file("committed", "000001-first.sql"), `${await read("committed", "000001-first.sql")}-- more\n`);
    const error = await errorOf<OperationError>(write({ database: { reason: "the stack is not up" } }));
    expect(error.message).toContain("000001-first.sql was edited after it was committed");
    expect(await committed()).toEqual(["000001-first.sql"]);
  });

  it("is refused if the login is wrong, because the database is there", async () => {
    await draft("two", "create table two ();", "drop table two;");
    const error = await errorOf<OperationError>(write({ database: { ...test.connection, password: "wrong" } }));
    expect(error.message).toContain("password");
    expect(await committed()).toEqual(["000001-first.sql"]);
  });
});

describe("uncommitting a migration", () => {
  it("reverts it, and committing it again makes the same hash", async () => {
    await draft("two", "create table two ();", "drop table two;");
    await commit();
    const first = await read("committed", "000002-two.sql");
    expect(await uncommit()).toEqual({ filename: "000002-two.sql", reverted: true });
    expect(await test.query("select to_regclass('two') as two")).toEqual([{ two: null }]);
    expect(await read("current.sql")).toBe("--! Message: two\n\ncreate table two ();\n");
    expect(await read("current.down.sql")).toBe("drop table two;\n");
    expect(await committed()).toEqual(["000001-first.sql"]);
    await commit();
    expect(await read("committed", "000002-two.sql")).toBe(first);
  });

  it("is refused while another one is being written, or without a down migration", async () => {
    await draft("two", "create table two ();", undefined);
    await commit({ irreversible: "why not" });
    const error = await errorOf<OperationError>(uncommit());
    expect([error.message, error.exitCode]).toEqual([
      "Some of these migrations cannot be reverted, so nothing was reverted:\n- 000002-two.sql is irreversible: why not",
      3,
    ]);
    await draft("three", "create table three ();", "drop table three;");
    expect((await errorOf<OperationError>(uncommit())).message).toContain("is not empty");
    expect(await committed()).toHaveLength(3);
  });

  it("only moves a file that is not applied, even if it is read-only", async () => {
    await chmod(file("committed", "000001-first.sql"), 0o440);
    expect(await uncommit()).toEqual({ filename: "000001-first.sql", reverted: false });
    expect(await committed()).toEqual([]);
    expect(await read("current.sql")).toBe("create table first (id int primary key);\n");
  });
});
