import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { OperationError } from "../../../../scripts/errors/operation-error.ts";
import { type CommitOptions, commitMigration } from "../../../../scripts/migrate/authoring/commit.ts";
import { newMigration } from "../../../../scripts/migrate/authoring/new.ts";
import { uncommitMigration } from "../../../../scripts/migrate/authoring/uncommit.ts";
import { readKnownStatus } from "../../../../scripts/migrate/verify.ts";
import { inDatabase } from "../../../../scripts/target/connection.ts";
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
const databases = () =>
  test.query<{ datname: string }>("select datname from pg_database where datname ~ 'scratch'", admin());

/** Begins a migration and writes it. */
async function draft(message: string, up: string, down: string | undefined): Promise<void> {
  await newMigration(folder, message);
  await writeFile(file("current.sql"), `--! Message: ${message}\n\n${up}\n`);
  if (down !== undefined) await writeFile(file("current.down.sql"), `${down}\n`);
}

beforeEach(async () => {
  ({ folder } = await test.folderOf([{ name: "first", body: "create table first (id int primary key);" }]));
});

describe("a migration that is begun", () => {
  it("has its message in current.sql and a place for its way back", async () => {
    expect(await newMigration(folder, "Add a second table")).toBe(file("current.sql"));
    expect(await read("current.sql")).toBe("--! Message: Add a second table\n\n-- Enter migration here\n");
    expect(await read("current.down.sql")).toContain("Enter the way back here");
  });

  it("is not begun over one that is being written", async () => {
    await draft("one", "create table one ();", "drop table one;");
    const error = await errorOf<OperationError>(newMigration(folder, "two"));
    expect([error.message, error.exitCode]).toEqual([
      `${file("current.sql")} is not blank: a migration is being written there.`,
      3,
    ]);
    expect(await read("current.sql")).toContain("create table one");
  });

  it("is refused a message that graphile-migrate would refuse", async () => {
    const error = await errorOf<OperationError>(newMigration(folder, "two\nlines"));
    expect([error.message, error.exitCode]).toEqual([
      "The message of the migration cannot be used: it has control characters.",
      2,
    ]);
  });
});

describe("a migration that is committed", () => {
  it("is the file that graphile-migrate's own commit writes, to the byte, and is applied", async () => {
    const body = "create table second (\n  id int references first (id)\n);\n\ncreate index on second (id);";
    await draft("Add: a *second* table!", body, "drop table second;");
    expect(await commit()).toEqual({
      filename: "000002-add-a-second-table.sql",
      applied: ["000001-first.sql", "000002-add-a-second-table.sql"],
      resumed: false,
    });
    expect(await committed()).toEqual([
      "000001-first.sql",
      "000002-add-a-second-table.down.sql",
      "000002-add-a-second-table.sql",
    ]);
    expect((await stat(file("committed", "000002-add-a-second-table.sql"))).mode & 0o777).toBe(0o440);
    expect(await read("current.sql")).toBe("-- Enter migration here\n");
    expect(await readdir(folder)).not.toContain("current.down.sql");
    expect(await databases()).toEqual([]);

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

  it("goes on from the files of current/, as graphile-migrate has them", async () => {
    await mkdir(file("current"));
    await writeFile(file("current", "001-a.sql"), "create table a ();\n");
    await writeFile(file("current", "002-b.sql"), "create table b ();\n");
    await writeFile(file("current.down.sql"), "drop table b;\ndrop table a;\n");
    expect((await commit({ message: "both" })).filename).toBe("000002-both.sql");
    expect(await read("committed", "000002-both.sql")).toContain("--! split: 002-b.sql\ncreate table b ();");
  });

  it("needs a way back, or the reason why there is none", async () => {
    await draft("gone", "drop table first;", undefined);
    const error = await errorOf<OperationError>(commit());
    expect([error.message, error.exitCode]).toEqual([
      "The migration has no way back: current.down.sql is not there, or blank.",
      2,
    ]);
    await commit({ irreversible: "the rows are gone" });
    expect(await read("committed", "000002-gone.down.sql")).toBe("--! Irreversible: the rows are gone\n");
  });

  it("is refused where its way back leaves something, and nothing is written", async () => {
    await draft("two", "create table two (id int); create table three (id int);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toContain(
      "current.down.sql does not take back what the migration made:\n- table public.three is left",
    );
    expect(error.exitCode).toBe(5);
    expect(await committed()).toEqual(["000001-first.sql"]);
    expect(await read("current.sql")).toContain("create table two");
    expect((await readKnownStatus(test.connection, folder)).applied).toEqual([]);
    expect(await databases()).toEqual([]);
  });

  it("is refused where it fails, with file, line and caret, and nothing is written", async () => {
    await draft("two", "create table two (id int);\ninsert into tow values (1);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toContain('current.sql:4:13: relation "tow" does not exist');
    expect(error.remedy).toContain("Tried in a scratch database");
    expect(await committed()).toEqual(["000001-first.sql"]);
  });

  it("is taken back where the database itself refuses it", async () => {
    await commit({ message: "none" }).catch(() => {});
    await test.query("create table two ()");
    await draft("two", "create table two (id int);", "drop table two;");
    const error = await errorOf<OperationError>(commit());
    expect(error.message).toContain('relation "two" already exists');
    expect(await committed()).toEqual(["000001-first.sql"]);
    expect(await read("current.sql")).toContain("create table two");
    expect(await read("current.down.sql")).toBe("drop table two;\n");
  });

  it("is finished by the next commit where the first was killed before it emptied current.sql", async () => {
    await draft("two", "create table two ();", "drop table two;");
    const [up, down] = [await read("current.sql"), await read("current.down.sql")];
    await commit();
    await writeFile(file("current.sql"), up);
    await writeFile(file("current.down.sql"), down);
    expect(await commit()).toEqual({ filename: "000002-two.sql", applied: [], resumed: true });
    expect(await committed()).toHaveLength(3);
    expect(await read("current.sql")).toBe("-- Enter migration here\n");
  });

  it("says that there is nothing where current.sql is blank", async () => {
    const error = await errorOf<OperationError>(commit());
    expect([error.message, error.exitCode]).toEqual([
      `${file("current.sql")} is blank: there is nothing to commit.`,
      2,
    ]);
  });
});

describe("a migration that is uncommitted", () => {
  it("is undone, and committing it again makes the same hash", async () => {
    await draft("two", "create table two ();", "drop table two;");
    await commit();
    const first = await read("committed", "000002-two.sql");
    expect(await uncommit()).toEqual({ filename: "000002-two.sql", undone: true });
    expect(await test.query("select to_regclass('two') as two")).toEqual([{ two: null }]);
    expect(await read("current.sql")).toBe("--! Message: two\n\ncreate table two ();\n");
    expect(await read("current.down.sql")).toBe("drop table two;\n");
    expect(await committed()).toEqual(["000001-first.sql"]);
    await commit();
    expect(await read("committed", "000002-two.sql")).toBe(first);
  });

  it("stays where another one is being written, or it has no way back", async () => {
    await draft("two", "create table two ();", undefined);
    await commit({ irreversible: "why not" });
    const error = await errorOf<OperationError>(uncommit());
    expect([error.message, error.exitCode]).toEqual([
      "Not everything can be undone, so nothing was:\n- 000002-two.sql is irreversible: why not",
      3,
    ]);
    await draft("three", "create table three ();", "drop table three;");
    expect((await errorOf<OperationError>(uncommit())).message).toContain("is not blank");
    expect(await committed()).toHaveLength(3);
  });

  it("is only moved where it is not applied, its file read-only or not", async () => {
    await chmod(file("committed", "000001-first.sql"), 0o440);
    expect(await uncommit()).toEqual({ filename: "000001-first.sql", undone: false });
    expect(await committed()).toEqual([]);
    expect(await read("current.sql")).toBe("create table first (id int primary key);\n");
  });
});
