import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { type Connection, connectionUrl } from "../../../../../scripts/connection/connection.ts";
import type { Clone, Finished } from "../../../clone.ts";
import { makeShop } from "../../../infra/program/shop.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { makeSqlite } from "../../import/import-cases.ts";

let clone: Clone;
let server: TestServer;
let connection: Connection;
let file: string;

const pgw = (command: string): Promise<Finished> =>
  clone.pgwWith(
    { DATABASE_URL: connectionUrl(connection), ROOT_DATABASE_URL: connectionUrl(server.connection()) },
    ...command.split(" "),
  );

beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("shop");
  connection = server.as("migrator", "shop");
  await withClient(server.connection("shop"), (client) => client.query("create extension citext"));
  clone = await makeShop();
  file = join(clone.root, "migrations/shop/types.ts");
});
afterAll(async () => {
  await clone?.remove();
  await server?.stop();
});

describe("types", () => {
  it("refuses a database with pending migrations", async () => {
    const { code, stderr } = await pgw("types -d shop");
    expect([code, stderr]).toEqual([1, expect.stringContaining("has pending migrations")]);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
    expect((await pgw("migrate up -d shop")).code).toBe(0);
  });

  it("writes the file, and --check reports whether it matches, without writing", async () => {
    const absent = await pgw("types -d shop --check --json");
    expect([absent.code, JSON.parse(absent.stdout)]).toEqual([
      5,
      { databases: [{ database: "shop", file, state: "absent" }], written: false },
    ]);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
    const written = await pgw("types -d shop");
    expect([written.code, written.stdout]).toEqual([0, expect.stringContaining(`${file} is written`)]);
    const text = await readFile(file, "utf8");
    expect(text).toContain("export interface DB {\n");
    expect((await pgw("types -d shop --check")).code).toBe(0);
    await writeFile(file, text.replace("export interface DB {", "export interface Db {"));
    const outdated = await pgw("types -d shop --check");
    expect([outdated.code, outdated.stdout]).toEqual([
      5,
      expect.stringMatching(/does not match the database from line \d+ on/),
    ]);
    expect(await readFile(file, "utf8")).toContain("export interface Db {");
    await pgw("types -d shop");
    expect(await readFile(file, "utf8")).toBe(text);
  });

  it("are written again by migrate commit if the folder has them, and only then", async () => {
    const draft = async (column: string) => {
      await writeFile(
        join(clone.root, "migrations/shop/current.sql"),
        `--! Message: ${column}\nalter table product add column ${column} date;\n`,
      );
      await writeFile(
        join(clone.root, "migrations/shop/current.down.sql"),
        `alter table product drop column ${column};\n`,
      );
      return pgw("migrate commit -d shop");
    };
    const committed = await draft("sold_on");
    expect([committed.code, committed.stdout]).toEqual([0, expect.stringContaining("types.ts is updated")]);
    expect(await readFile(file, "utf8")).toContain("  sold_on: string | null;");
    expect((await pgw("types -d shop --check")).code).toBe(0);
    await rm(file);
    const without = await draft("lost_on");
    expect([without.code, without.stdout]).toEqual([0, expect.not.stringContaining("types.ts")]);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });
});

describe("migrate cache-triggers", () => {
  it("writes the draft of the triggers of named tables, which migrate commit tests and applies", async () => {
    const written = await pgw("migrate cache-triggers product customer_order -d shop --json");
    expect([written.code, JSON.parse(written.stdout)]).toEqual([
      0,
      {
        file: "migrations/shop/current.sql",
        tables: ["public.product", "public.customer_order"],
        present: [],
      },
    ]);
    expect((await pgw("migrate commit -d shop")).code).toBe(0);
    const again = await pgw("migrate cache-triggers product -d shop");
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("already reported: public.product")]);
    const wrong = await pgw("migrate cache-triggers nothing -d shop");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("public.nothing (does not exist)")]);
  });
});

describe("import --infer --create", () => {
  it("commits and applies a migration, writes the map and the types, imports the rows and compares them", async () => {
    makeSqlite(
      join(clone.root, "store.db"),
      `create table Shelves (code text primary key, label text not null, height decimal(6,2), made datetime);
       insert into Shelves values ('a', 'Ünder', 12.5, '2024-01-02 03:04:05'), ('b', 'top', 3, null);
       create table boxes (id integer primary key autoincrement, shelf text references Shelves (code), data blob);
       insert into boxes values (7, 'a', x'00ff'), (9, null, null)`,
    );
    await pgw("types -d shop");
    const created = await pgw("import sqlite store.db -d shop --infer --create --json");
    expect(created.code, created.stderr).toBe(0);
    const answer = JSON.parse(created.stdout);
    expect([answer.outcome, answer.map, answer.leftOut]).toEqual(["verified", "migrations/shop/import/sqlite.ts", []]);
    const committed = await readFile(join(clone.root, "migrations/shop/committed", answer.migration), "utf8");
    expect(committed).toContain('create table "Shelves" (');
    const down = answer.migration.replace(/\.sql$/, ".down.sql");
    expect(await readFile(join(clone.root, "migrations/shop/committed", down), "utf8")).toContain(
      'drop table "Shelves", "boxes"',
    );
    expect(await readFile(join(clone.root, answer.map), "utf8")).toContain('from: "Shelves"');
    expect(await readFile(file, "utf8")).toContain("  made: Timestamp | null;");
    const rows = await withClient(connection, async (client) => [
      (await client.query('select code, label, height::text, made::text from "Shelves" order by code')).rows,
      (await client.query("select id::text, shelf, data::text from boxes order by id")).rows,
      (await client.query("insert into boxes default values returning id::text")).rows,
    ]);
    expect(rows).toEqual([
      [
        { code: "a", label: "Ünder", height: "12.50", made: "2024-01-02 03:04:05" },
        { code: "b", label: "top", height: "3.00", made: null },
      ],
      [
        { id: "7", shelf: "a", data: "\\x00ff" },
        { id: "9", shelf: null, data: null },
      ],
      [{ id: "10" }],
    ]);
    // The next import reads the map that was written.
    const again = await pgw("import sqlite store.db -d shop --json");
    const counts = JSON.parse(again.stdout).tables.map(({ unchanged }: { unchanged: number }) => unchanged);
    expect([again.code, counts]).toEqual([0, [2, 2]]);
    const draft = await pgw("import sqlite store.db -d shop --infer --create --map /nowhere/map.json --json");
    expect([draft.code, JSON.parse(draft.stdout).error.message]).toEqual([
      3,
      expect.stringContaining("relations of these names already"),
    ]);
  });
});
