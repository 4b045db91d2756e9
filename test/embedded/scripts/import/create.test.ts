import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type CreationProposal, inferTables } from "../../../../scripts/import/infer/infer-import.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { verifyImport } from "../../../../scripts/import/verify-import.ts";
import { revertMigrations } from "../../../../scripts/migrate/down.ts";
import { createTables, draftTables } from "../../../../scripts/programs/create-tables.ts";
import { committedFolderOf, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { expectEqualValues } from "./compare-values.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";
import { publicStyle } from "./public-style.ts";

let cases: ImportCases;
let folders: TestFolder[] = [];
beforeAll(async () => {
  cases = await startImportCases();
});
afterEach(async () => {
  for (const folder of folders) await folder.remove();
  folders = [];
});
afterAll(() => cases?.stop());

async function infer(
  { connection }: ImportCase,
  file: string,
  kind: "sqlite" | "json" = "sqlite",
): Promise<CreationProposal> {
  const source = await openSource(kind, file);
  try {
    return await inferTables({ connection, source });
  } finally {
    await source.close();
  }
}

async function emptyFolder(): Promise<string> {
  const folder = await committedFolderOf([]);
  folders.push(folder);
  return folder.folder;
}

/** Compares all tables of a map with their source; returns the number of values. */
async function expectArrived(target: ImportCase, file: string, { map }: CreationProposal): Promise<number> {
  let values = 0;
  for (const { from, to, columns } of map.tables) {
    const named = Object.entries(columns).map(([name, column]) => [
      typeof column === "string" ? column : (column.from ?? ""),
      name,
    ]);
    const table = to.startsWith('"') ? to.slice(1, -1).replaceAll('""', '"') : to;
    values += await expectEqualValues(file, target, { from, to: table, columns: Object.fromEntries(named) });
  }
  return values;
}

describe("tables that are created from a SQLite database", () => {
  it("have a column for one without a name", async () => {
    const target = await cases.begin("select 1");
    const file = target.sqlite(
      `create table items (id integer primary key, "" text); insert into items values (1, 'a')`,
    );
    const { up, map } = await infer(target, file);
    await target.rows(up);
    expect((await target.run("sqlite", file, map)).report.outcome).toBe("verified");
    expect(await target.rows("select * from items")).toEqual([{ id: "1", _: "a" }]);
  });

  it("hold every value exactly, and go with a rollback of the import and their down migration", async () => {
    const target = await cases.begin("select 1");
    const { connection, rows } = target;
    const file = target.sqlite(publicStyle);
    const folder = await emptyFolder();
    const proposal = await infer(target, file);
    const admin = cases.server.connection();
    const created = await createTables({ connection, admin, folder, message: "tables of public.db" }, proposal);
    expect(created.applied).toEqual(["000001-tables-of-public-db.sql"]);
    expect(await readFile(path.join(folder, "committed/000001-tables-of-public-db.down.sql"), "utf8")).toContain(
      "drop table",
    );
    const { report } = await target.run("sqlite", file, proposal.map);
    expect(report.verify?.failures).toEqual([]);
    expect([report.outcome, report.unread]).toEqual(["verified", []]);
    expect(await expectArrived(target, file, proposal)).toBeGreaterThan(150);
    // The comparison can fail: it names a value that was changed.
    await rows("update mixed set val = '4' where val = '4.0'");
    await expect(expectArrived(target, file, proposal)).rejects.toThrow("mixed");
    // So does the import's own, which tells 4 from 4.0.
    const { result } = await verifyImport({ connection, database: connection.database });
    expect(result.failures).toEqual(["public.mixed.val: the checksums differ"]);
    expect(result.differences).toMatchObject([{ key: "3", source: "real 4010000000000000", target: "integer 4" }]);
    await rows("update mixed set val = '4.0' where qty = '4.5'");
    // Numbers go on behind those of SQLite, and rules are in force.
    expect(
      await rows(`insert into "Größen & Maße" ("naïve name") values ('q') returning id::text, größe, flag`),
    ).toEqual([{ id: "91", größe: "M", flag: false }]);
    await expect(rows(`insert into "Größen & Maße" ("naïve name") values ('Q')`)).rejects.toThrow("duplicate key");
    await expect(rows(`insert into "Größen & Maße" (größe) values ('X')`)).rejects.toThrow("check constraint");
    await expect(rows("insert into customers (code, name, parent) values ('A', 'a', 'NOONE')")).rejects.toThrow(
      "foreign key",
    );
    await rows(`delete from "Größen & Maße" where id > 90`);
    const revert = () => revertMigrations({ connection, folder, steps: 1 });
    expect((await failureOf(revert())).message).toContain('the table "Case" has rows');
    const { conflicts } = await rollbackImport({ connection });
    expect(conflicts).toEqual([]);
    await revert();
    expect(await rows("select relname from pg_class where relnamespace = 'public'::regnamespace")).toEqual([]);
  });

  it("come with a list of what was not translated, and of what is not certain", async () => {
    const target = await cases.begin("select 1");
    const { leftOut, unsure, up } = await infer(target, target.sqlite(publicStyle));
    expect(leftOut.filter((each) => !each.startsWith("table search_"))).toEqual([
      "view totals",
      "trigger touched",
      "Größen & Maße.select: the default 1 + 2 of bigint",
      "nullable_key: the primary key (code), because 2 rows have no value in it",
      "order details.total: the expression of a generated column, qty * price; its values are imported",
      "order details.label: the expression of a generated column, 'n' || qty; its values are imported",
      "Case: the index odd (an expression), because it has an expression",
      "Case: the unique index some_expression (an expression), because it has an expression",
      "Case: the index guarded (word), because its condition cannot be translated: word like 'a%'",
      "long_key: the unique index (id), because its values are too long for an index",
      "dangling: the foreign key (customer) to customers, because 1 of its rows references a row that does not exist",
      "dangling: the foreign key (gone) to nowhere, because the source has no such table",
    ]);
    const long = "a name that is longer than sixty-three bytes, which PostgreSQL cuts off";
    expect(unsure).toEqual([
      `column ${long}.xmin becomes "xmin_2"`,
      `column ${long}.__proto__ becomes "__proto___2"`,
      'bad_dates.d: it is declared DATE, and holds texts that are no time (row 1: text "0000-00-00")',
      "bad_dates.j: it is declared JSON, and 1 texts are no JSON",
      "bad_dates.v: it is declared VARCHAR(2), and its longest text has 9 characters",
      "empty.at: it has no values: the type is only what was declared",
      "long_key: the column rowid is added, with SQLite's row number, because rows need a key",
      'mixed.qty: it has values of several kinds, which jsonb keeps apart: 2 integer, first in row 1: integer 1; 1 text, first in row 2: text "many"; 1 real, first in row 3: real 4.5',
      'mixed.val: it has values of several kinds, which jsonb keeps apart: 2 text, first in row 1: text "text"; 1 integer, first in row 2: integer 4; 1 real, first in row 3: real 4; 1 blob, first in row 4: blob aabb',
      "mixed.money: it has 2 integers and 1 reals without a fraction: both become the same numeric",
      'mixed.any: it has values of several kinds, which jsonb keeps apart: 2 real, first in row 1: real Infinity; 1 blob, first in row 3: blob 0102; 1 text, first in row 4: text "Infinity"',
      "mixed: the column rowid is added, with SQLite's row number, because rows need a key",
      "nullable_key: the column rowid is added, with SQLite's row number, because rows need a key",
      "orders.seen: its 2 integers are read as times in several units",
      "orders.seen: its 1 texts without an offset are read as UTC",
      "orders.epoch: its 2 integers are read as times in seconds",
      "orders.local: its dates are read as day, month, year",
      "search: the column rowid is added, with SQLite's row number, because rows need a key",
      `table ${long} becomes "${long.slice(0, 63)}"`,
    ]);
    for (const each of leftOut) expect(up).toContain(`-- ${each}`);
  });

  it("are refused if the target has one of them, or a migration is being written", async () => {
    const target = await cases.begin('create table "Case" (id integer primary key)');
    const file = target.sqlite(
      'create table "Case" (id integer primary key); create table other (id integer primary key)',
    );
    expect((await failureOf(infer(target, file))).message).toBe(
      "The target has relations of these names already: Case.",
    );
    const folder = await emptyFolder();
    await draftTables(folder, { up: "create table a ();", down: "drop table a;" }, "a");
    const error = await failureOf(draftTables(folder, { up: "create table b ();", down: "drop table b;" }, "b"));
    expect(error.message).toContain("it contains an uncommitted migration");
    expect(await readFile(path.join(folder, "current.sql"), "utf8")).toContain("create table a ();");
  });

  it("reject rows whose texts PostgreSQL cannot store, and say so before", async () => {
    const target = await cases.begin("select 1");
    const file = target.sqlite(
      "create table note (id integer primary key, body text, any); insert into note values (1, 'ok', 1), (2, cast(x'ff41' as text), 2), (3, 'a' || char(0) || 'b', 'x')",
    );
    const proposal = await infer(target, file);
    expect(proposal.unsure[0]).toBe(
      "note.body: 2 texts cannot be stored, and their rows will be rejected (row 2: text that is not UTF-8 (ff41))",
    );
    await target.rows(proposal.up);
    const { report } = await target.run("sqlite", file, { ...proposal.map, rejects: "skip" });
    expect(report.rejects.map(({ ordinal, problems }) => [ordinal, problems[0]?.reason])).toEqual([
      [2, "text that is not UTF-8: bytes ff41"],
      [3, "text with a NUL byte: bytes 610062"],
    ]);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 1, rejected: 2 }] });
  });

  it("cannot run statements of a name, a default or a check of the source", async () => {
    const target = await cases.begin("create table victim (id integer)");
    const name = `x"; drop table victim; --\n--!include a.sql\n:DATABASE_NAME $guard$`;
    const file = target.sqlite(
      `create table "${name.replaceAll('"', '""')}" (id integer primary key, a text default '\n--!include b.sql'';drop table victim;--', check (a <> '\n''); drop table victim; --'))`,
    );
    const proposal = await infer(target, file);
    await target.rows(proposal.up);
    expect(proposal.up).not.toMatch(/^\s*--!/m);
    expect(proposal.up).not.toContain(":DATABASE_NAME");
    expect(await target.rows("select count(*)::int as n from victim")).toEqual([{ n: 0 }]);
    await target.rows(proposal.down);
    expect(await target.rows("select relname from pg_class where relnamespace = 'public'::regnamespace")).toEqual([
      { relname: "victim" },
    ]);
  });
});

describe("tables that are created from JSON", () => {
  it("hold every document: files, members of a file, one value per line, folders", async () => {
    const target = await cases.begin("select 1");
    const source = path.join(target.folder, "data");
    await mkdir(path.join(source, "events"), { recursive: true });
    const write = (name: string, text: string) => writeFile(path.join(source, name), text);
    await write(
      "store.json",
      `{"version": 3, "info": {"b": 1, "a": [1.10]}, "users": {"u1": {"Full Name": "Zoë", "n": 9007199254740993, "tags": ["x"], "a.b": 1}, "u2": {"n": null, "ok": true}},
        "logs": [{"id": 1, "v": 1.10}, {"id": 2, "v": "1.10"}], "empty": []}`,
    );
    await write("lines.ndjson", '{"at": "2024-01-02T03:04:05Z"}\n{"at": "2024-01-02T03:04:06Z", "x": {"y": null}}\n');
    await write("events/a.json", '{"e": 1}');
    await write("events/b.json", '{"e": 2.50}');
    const proposal = await infer(target, source, "json");
    expect(proposal.leftOut).toEqual(['store.users: the field "a.b", because no path can name it']);
    await target.rows(proposal.up);
    const { report } = await target.run("json", source, proposal.map);
    expect(report.verify?.failures).toEqual([]);
    const all = async (table: string) =>
      (await target.rows<{ row: string }>(`select row_to_json(t)::text as row from ${table} t order by 1`)).map(
        ({ row }) => row,
      );
    expect(await all("users")).toEqual([
      '{"name":"u1","Full Name":"Zoë","n":9007199254740993,"tags":["x"],"ok":null}',
      '{"name":"u2","Full Name":null,"n":null,"tags":null,"ok":true}',
    ]);
    expect(await all("logs")).toEqual(['{"id":1,"v":1.10}', '{"id":2,"v":"1.10"}']);
    expect(await all("store")).toEqual(['{"position":1,"version":3,"info":{"a": [1.10], "b": 1},"empty":[]}']);
    expect(await all("lines")).toEqual([
      '{"position":1,"at":"2024-01-02T03:04:05Z","x":null}',
      '{"position":2,"at":"2024-01-02T03:04:06Z","x":{"y": null}}',
    ]);
    expect(await all("events")).toEqual(['{"position":1,"e":1}', '{"position":2,"e":2.50}']);
    expect(proposal.unsure).toContain("lines.at: its texts look like times, and stay texts");
    expect(proposal.unsure).toContain(
      'store.logs.v: it has values of several kinds, which jsonb keeps apart: 1 real, first in row 1: number 1.10; 1 text, first in row 2: text "1.10"',
    );
    await target.rows(report.tables.map(({ target: table }) => `delete from ${table};`).join(" "));
    await target.rows(proposal.down);
  });
});
