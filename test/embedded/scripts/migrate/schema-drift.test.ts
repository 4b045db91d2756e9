import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { exitCode } from "../../../../scripts/errors/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
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

describe("the schema of a database", () => {
  it("is what its applied files make, those that are pending left out", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder, to: "2" });
    expect(await readSchemaDrift(connection, admin, folder)).toMatchObject({ migrations: 2, differences: [] });
    await applyMigrations({ connection, folder });
    expect(await readSchemaDrift(connection, admin, folder)).toMatchObject({ migrations: 3, differences: [] });
  });

  it("that was changed by hand is told object by object, and left as it is", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    await query("alter table two add column by_hand text; drop index one_name; create table extra (id int)");
    const { differences } = await readSchemaDrift(connection, admin, folder);
    expect(differences.map(({ what, kind, name }) => `${what} ${kind} ${name}`)).toEqual([
      "extra column public.two.by_hand",
      "missing index public.one_name",
      "extra table public.extra",
    ]);
    expect(await query("select to_regclass('extra')::text as extra")).toEqual([{ extra: "extra" }]);
    expect(await query("select datname from pg_database where datname like 'pgw_scratch%'")).toEqual([]);
  });

  it("is made with the hooks of a new environment, afterReset among them", async () => {
    const { folder } = await folderOf([{ name: "one", body: "create table one (id int references base);" }]);
    await writeFile(
      path.join(folder, ".gmrc"),
      JSON.stringify({ afterReset: ["base.sql", "!root.sql"], afterAllMigrations: "after.sql" }),
    );
    await writeFile(path.join(folder, "base.sql"), "create table base (id int primary key);");
    await writeFile(
      path.join(folder, "root.sql"),
      "create schema made_by_root; comment on schema made_by_root is ':DATABASE_OWNER';",
    );
    await writeFile(path.join(folder, "after.sql"), "create view seen as select * from one;");
    await query("create table base (id int primary key)");
    await query(
      `create schema made_by_root; comment on schema made_by_root is '${connection.user}'`,
      test.server.connection(connection.database),
    );
    await applyMigrations({ connection, folder });
    expect((await readSchemaDrift(connection, admin, folder)).differences).toEqual([]);
  });

  it("is not compared where the files do not fit what is applied", async () => {
    const { folder, write, migrations } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    await write("000001-one.sql", migrations[0]?.text.replace("name text", "name int") ?? "");
    const error = await errorOf(readSchemaDrift(connection, admin, folder));
    expect(error.message).toContain("000001-one.sql was edited after it was applied");
    expect(error.exitCode).toBe(exitCode.wrong);
  });

  it("cannot be told by a login that may make no scratch database, and it says which may", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    const error = await errorOf(readSchemaDrift(connection, connection, folder));
    expect(error.message).toContain("cannot make a scratch database: permission denied to create database");
    expect(error.remedy).toContain("ROOT_DATABASE_URL");
  });
});
