import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Connection, inDatabase } from "../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
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

describe("schema drift", () => {
  it("is measured against the applied files, without pending ones", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder, to: "2" });
    expect(await readSchemaDrift({ connection, admin, folder })).toMatchObject({ migrations: 2, differences: [] });
    await applyMigrations({ connection, folder });
    expect(await readSchemaDrift({ connection, admin, folder })).toMatchObject({ migrations: 3, differences: [] });
  });

  it("lists changes by hand object by object, and leaves them", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    await query("alter table two add column by_hand text; drop index one_name; create table extra (id int)");
    const { differences } = await readSchemaDrift({ connection, admin, folder });
    expect(differences.map(({ what, kind, name }) => `${what} ${kind} ${name}`)).toEqual([
      "extra column public.two.by_hand",
      "missing index public.one_name",
      "extra table public.extra",
    ]);
    expect(await query("select to_regclass('extra')::text as extra")).toEqual([{ extra: "extra" }]);
  });

  it("takes the hooks of a new environment into account, including afterReset", async () => {
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
    await applyMigrations({ connection, admin, folder });
    expect((await readSchemaDrift({ connection, admin, folder })).differences).toEqual([]);
  });

  it("is not measured if the files do not match what is applied", async () => {
    const { folder, write, migrations } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    await write("000001-one.sql", migrations[0]?.text.replace("name text", "name int") ?? "");
    const error = await errorOf(readSchemaDrift({ connection, admin, folder }));
    expect(error.message).toContain("000001-one.sql was edited after it was applied");
    expect(error.exitCode).toBe(exitCode.wrong);
  });

  it.each([
    [
      "drop and create the schema public",
      ["drop schema public cascade; create schema public; create table one (id int);"],
    ],
    [
      "create an extension",
      ["create extension pg_trgm; create table one (name text); create index on one using gin (name gin_trgm_ops);"],
    ],
    [
      "create a schema for an extension",
      ["create schema ext; create extension citext schema ext; create table one (name ext.citext);"],
    ],
    [
      "change default privileges after a function was created",
      [
        "create function one() returns int language sql as 'select 1';",
        "alter default privileges grant execute on functions to public; alter default privileges in schema public grant select on tables to public;",
        "create function two() returns int language sql as 'select 2'; create table three (id int);",
      ],
    ],
    [
      "restrict the schema public",
      ["revoke usage on schema public from migrating_readonly; grant create on schema public to migrating_app;"],
    ],
  ])("is empty for files that %s", async (_title, bodies) => {
    const database = connection.database;
    const { folder } = await folderOf(
      bodies.map((body, index) => ({ name: `f${index}`, body: body.replaceAll("migrating_", `${database}_`) })),
    );
    // Applies them one by one, as in a database that is in use.
    for (const index of bodies.keys()) await applyMigrations({ connection, folder, to: String(index + 1) });
    expect((await readSchemaDrift({ connection, admin, folder })).differences).toEqual([]);
  });

  it("includes changes by hand to what the program declares", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    const { database } = connection;
    await query(
      `alter database ${database} owner to postgres; alter schema public owner to postgres; grant create on schema public to public;
       create extension citext; alter default privileges for role ${database}_owner grant select on tables to public;
       grant connect on database ${database} to public`,
      inDatabase(admin, database),
    );
    const { differences } = await readSchemaDrift({ connection, admin, folder });
    expect(differences.map(({ what, kind, name }) => `${what} ${kind} ${name}`)).toEqual([
      `different database ${database}`,
      `extra default privileges of ${database}_owner on tables`,
      "extra extension citext",
      "different schema public",
    ]);
  });

  it("is measured against PostgreSQL's own defaults in a database without the kit's roles", async () => {
    const { folder } = await folderOf(drafts);
    await query("create role plain_login login password 'test-password-of-every-role'", admin);
    await query("create database plain owner plain_login", admin);
    const plain = { ...admin, database: "plain", user: "plain_login" };
    await applyMigrations({ connection: plain, folder });
    expect((await readSchemaDrift({ connection: plain, folder })).differences).toEqual([]);
  });

  it("is measured with the live server's roles that files refer to", async () => {
    await query("create role reporting; create role auditing in role reporting", admin);
    const { folder } = await folderOf([
      {
        name: "grants",
        body: `create table one (id int); grant select on one to reporting;
               do $$ begin if exists (select from pg_roles where rolname = 'auditing') then grant insert on one to auditing; end if; end $$;`,
      },
    ]);
    await applyMigrations({ connection, folder });
    expect((await readSchemaDrift({ connection, folder })).differences).toEqual([]);
  });
});
