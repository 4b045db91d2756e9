import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import Driver from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { listImports, verifyImport } from "../../../../scripts/import/verify-import.ts";
import { failureOf, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const people = `
  create table team (id uuid primary key, legacy_id text unique, name text not null);
  create table person (
    id uuid primary key, team_id uuid references team (id), name text not null check (name <> ''), born date,
    balance numeric(12,2) not null, active boolean not null, joined_at timestamptz not null, settings jsonb, photo bytea,
    rating double precision, tags text[], ip inet, visits bigint not null);`;
const peopleMap = {
  tables: [
    {
      to: "person",
      from: "persons",
      columns: {
        id: { from: "id", key: "person" },
        team_id: { from: "team", key: "team" },
        name: "name",
        born: "born",
        balance: "balance",
        active: "active",
        joined_at: { from: "joined", as: { kind: "timestamp" as const, zone: "Europe/Berlin" } },
        settings: { from: "settings", as: { kind: "json" as const } },
        photo: "photo",
        rating: "rating",
        tags: { from: "tags", as: { kind: "list" as const, separator: "," } },
        ip: "ip",
        visits: "visits",
      },
    },
    { to: "team", from: "teams", columns: { id: { from: "id", key: "team" }, name: "title" } },
  ],
};
const source = `
  create table teams (id integer primary key, title text);
  insert into teams values (1, 'Grüße 世界'), (2, '');
  create table persons (id integer primary key, team integer references teams, name text, born, balance, active, joined,
    settings text, photo blob, rating real, tags text, ip text, visits integer);
  insert into persons values
    (1, 1, 'ann' || char(10) || '\\N', '1990-02-03', 19.99, 1, '2024-07-02 03:04:05.123456', '{"b": 1.10, "a": [9007199254740993]}',
     x'00ff', 9e999, 'x,"y",', '10.0.0.1', 9223372036854775807),
    (2, null, 'bob', null, '-0.5', 'true', 1704164645000, null, null, 0.1, null, null, -1),
    (3, 2, 'cleo', null, 7, 0, '2024-01-02T03:04:05+02:00', '"text"', x'', -1e-300, '', '::1', 0);`;

describe("an import from SQLite", () => {
  it("imports every type exactly, and proves it", async () => {
    const { sqlite, run, rows } = await cases.begin(people);
    const { report } = await run("sqlite", sqlite(source), peopleMap);
    expect(report.verify?.failures).toEqual([]);
    expect(report.outcome).toBe("verified");
    expect(report.tables.map(({ sourceRows, inserted, rejected }) => [sourceRows, inserted, rejected])).toEqual([
      [3, 3, 0],
      [2, 2, 0],
    ]);
    expect(
      await rows(`select p.name, t.name as team, born::text, balance::text, active, extract(epoch from joined_at)::text as joined,
          settings::text, photo::text, rating::text, tags::text, host(ip) as ip, visits::text
        from person p left join team t on t.id = p.team_id order by p.name`),
    ).toEqual([
      {
        name: "ann\n\\N",
        team: "Grüße 世界",
        born: "1990-02-03",
        balance: "19.99",
        active: true,
        joined: "1719882245.123456",
        settings: '{"a": [9007199254740993], "b": 1.10}',
        photo: "\\x00ff",
        rating: "Infinity",
        tags: '{x,"\\"y\\"",""}',
        ip: "10.0.0.1",
        visits: "9223372036854775807",
      },
      {
        name: "bob",
        team: null,
        born: null,
        balance: "-0.50",
        active: true,
        joined: "1704164645.000000",
        settings: null,
        photo: null,
        rating: "0.1",
        tags: null,
        ip: null,
        visits: "-1",
      },
      {
        name: "cleo",
        team: "",
        born: null,
        balance: "7.00",
        active: false,
        joined: "1704157445.000000",
        settings: '"text"',
        photo: "\\x",
        rating: "-1e-300",
        tags: "{}",
        ip: "::1",
        visits: "0",
      },
    ]);
    expect(report.notes.join("\n")).toContain("person.balance: REAL values were taken as their shortest decimal form");
  });

  it("changes nothing when the same data is imported again", async () => {
    const { sqlite, run, rows } = await cases.begin(people);
    const file = sqlite(source);
    await run("sqlite", file, peopleMap);
    const before = await rows("select xmin::text, id from person order by id");
    const { report } = await run("sqlite", file, peopleMap);
    expect(report.outcome).toBe("verified");
    expect(report.tables.map(({ inserted, unchanged }) => [inserted, unchanged])).toEqual([
      [0, 3],
      [0, 2],
    ]);
    expect(await rows("select xmin::text, id from person order by id")).toEqual(before);
  });

  it("reports a value that was changed in the target, with its row and column", async () => {
    const { sqlite, run, rows, connection } = await cases.begin(people);
    await run("sqlite", sqlite(source), peopleMap);
    await rows("update person set balance = balance + 0.01 where name = 'bob'");
    await rows("update person set tags = '{x}' where name = 'cleo'");
    const { result } = await verifyImport({ connection, database: connection.database });
    expect(result.verified).toBe(false);
    expect(result.failures).toEqual([
      "public.person.balance: the checksums differ",
      "public.person.tags: the checksums differ",
      "public.person.balance: the sum is 26.49 in the source and 26.5 in the target",
    ]);
    expect(result.differences.map(({ column, source: own, target }) => [column, own, target])).toEqual([
      ["balance", "-0.50", "-0.49"],
      ["tags", "{}", "{x}"],
    ]);
  });

  it("reports a row that is missing in the target, and one whose values were swapped with another row's", async () => {
    const { sqlite, run, rows, connection } = await cases.begin(people);
    await run("sqlite", sqlite(source), peopleMap);
    await rows("delete from person where name = 'bob'");
    await rows(
      "update person p set visits = o.visits from person o where p.name in ('ann\n' || '\\N', 'cleo') and o.name in ('ann\n' || '\\N', 'cleo') and p.id <> o.id",
    );
    const { result } = await verifyImport({ connection, database: connection.database });
    expect(result.failures).toContain("public.person: 3 rows are expected, and the target has 2");
    expect(result.failures).toContain("public.person.visits: the checksums differ");
    expect(result.differences.map(({ kind, column }) => `${kind} ${column}`).sort()).toEqual([
      "different visits",
      "different visits",
      "missing in the target undefined",
    ]);
  });

  it("leaves the source folder as it was, and reads what is only in the -wal", async () => {
    const { sqlite, run, rows, folder } = await cases.begin("create table item (id integer primary key)");
    const file = sqlite(
      "pragma journal_mode = wal; create table item (id integer primary key); insert into item values (1)",
    );
    const writer = new Driver(file);
    writer.pragma("wal_autocheckpoint = 0");
    writer.exec("insert into item values (2)");
    const state = () =>
      readdirSync(folder)
        .sort()
        .map((name) => [
          name,
          createHash("sha256")
            .update(readFileSync(path.join(folder, name)))
            .digest("hex"),
          statSync(path.join(folder, name)).mtimeMs,
        ]);
    const before = state();
    const { report } = await run("sqlite", file, { tables: [{ to: "item", from: "item", columns: { id: "id" } }] });
    expect(state()).toEqual(before);
    writer.close();
    expect(report.outcome).toBe("verified");
    expect(await rows("select id from item order by 1")).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it("rejects values by name: text in an integer, invalid UTF-8 with its bytes, NUL, too many digits", async () => {
    const { sqlite, run, rows, folder } = await cases.begin(
      "create table item (id integer primary key, qty integer, name text, price numeric(8,2), code char(3), tail varchar(2))",
    );
    const file =
      sqlite(`create table item (id integer primary key, qty integer, name text, price real, code text, tail text);
      insert into item values (1, '12', 'a', 1.5, 'abc', 'ab'), (2, 'many', 'b', 1.5, 'abc', 'ab'), (3, 4.5, 'c', 1.5, 'abc', 'ab'),
        (4, 1, cast(x'ff41' as text), 1.5, 'abc', 'ab'), (5, 1, cast(x'410042' as text), 1.5, 'abc', 'ab'), (6, 1, 'd', 1.005, 'abc', 'ab'),
        (7, 1, char(65533), 1.5, 'abc', 'ab'), (8, 1, 'e', 1.5, 'ab ', 'ab'), (9, 1, 'f', 1.5, 'ab', 'ab '), (10, null, null, null, null, null)`);
    const map = {
      rejects: "skip" as const,
      mask: ["price", "tail"],
      tables: [
        {
          to: "item",
          from: "item",
          columns: { id: "id", qty: "qty", name: "name", price: "price", code: "code", tail: "tail" },
        },
      ],
    };
    const { report } = await run("sqlite", file, map, { reportFolder: folder });
    expect(report.verify?.failures).toEqual([]);
    expect(report.tables[0]).toMatchObject({ sourceRows: 10, inserted: 3, rejected: 7 });
    expect(await rows("select id, name from item order by id")).toEqual([
      { id: 1, name: "a" },
      { id: 7, name: "\uFFFD" },
      { id: 10, name: null },
    ]);
    expect(
      report.rejects.map(({ ordinal, problems }) => [ordinal, problems[0]?.fields[0], problems[0]?.reason]),
    ).toEqual([
      [2, "qty", 'text "many" is not of type integer'],
      [3, "qty", "real 4.5 is not of type integer"],
      [4, "name", "text that is not UTF-8: bytes ff41"],
      [5, "name", "text with a NUL byte: bytes 410042"],
      [6, "price", "the masked value does not fit numeric(8,2)"],
      [8, "code", 'character(3) would lose the spaces at the end of text "ab "'],
      [9, "tail", "the masked value does not fit character varying(2)"],
    ]);
    const rejects = path.join(folder, report.run, "rejects.jsonl");
    expect(statSync(rejects).mode & 0o777).toBe(0o600);
    const lines = readFileSync(rejects, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(7);
    expect(JSON.stringify(lines)).not.toContain("1.005");
    expect(lines[2]).toMatchObject({
      source: "item",
      row: 4,
      key: "4",
      values: { id: 4, name: { hex: "ff41" }, price: "[masked]" },
    });
    expect(readFileSync(path.join(folder, report.run, "report.html"), "utf8")).toContain(
      "text that is not UTF-8: bytes ff41",
    );
  });

  it("stops before anything is loaded if rows are rejected and the map does not allow it", async () => {
    const { sqlite, run, rows } = await cases.begin(
      "create table item (id integer primary key, qty integer not null check (qty > 0))",
    );
    const file = sqlite(
      "create table item (id integer primary key, qty); insert into item values (1, 1), (2, 0), (3, null)",
    );
    const map = { tables: [{ to: "item", from: "item", columns: { id: "id", qty: "qty" } }] };
    const { report } = await run("sqlite", file, map);
    expect(report.outcome).toBe("stopped");
    expect(report.rejects.map(({ ordinal, problems }) => [ordinal, problems[0]?.reason])).toEqual([
      [2, "check item_qty_check: (qty > 0)"],
      [3, "the target requires a value in qty"],
    ]);
    expect(await rows("select * from item")).toEqual([]);
    expect((await run("sqlite", file, map, { maxRejects: 1 })).report.outcome).toBe("stopped");
    expect((await run("sqlite", file, map, { maxRejects: "70%" })).report).toMatchObject({
      outcome: "verified",
      tables: [{ inserted: 1, rejected: 2 }],
    });
    expect(await rows("select relname from pg_class where relname like 'import_stage%'")).toEqual([]);
  });

  it("rejects rows that reference a rejected row, with the chain as reason, and loads circles", async () => {
    const { sqlite, run, rows } = await cases.begin(`
      create table child (id integer primary key, parent_id integer not null);
      create table parent (id integer primary key, name text not null, best_id integer references child (id));
      alter table child add foreign key (parent_id) references parent (id);
      create table grandchild (id integer primary key, child_id integer references child (id), next_id integer references grandchild (id));`);
    const file =
      sqlite(`create table child (id integer primary key, parent_id integer); create table parent (id integer primary key, name text, best_id integer);
      create table grandchild (id integer primary key, child_id integer, next_id integer);
      insert into parent values (1, 'a', 2), (2, null, null), (3, 'c', null);
      insert into child values (1, 1), (2, 1), (3, 2), (4, 99), (5, 3);
      insert into grandchild values (1, 3, null), (2, 1, 3), (3, 2, 2), (4, null, 1)`);
    const { report } = await run("sqlite", file, {
      rejects: "skip",
      tables: [
        { to: "grandchild", from: "grandchild", columns: { id: "id", child_id: "child_id", next_id: "next_id" } },
        { to: "child", from: "child", columns: { id: "id", parent_id: "parent_id" } },
        { to: "parent", from: "parent", columns: { id: "id", name: "name", best_id: "best_id" } },
      ],
    });
    expect(report.verify?.failures).toEqual([]);
    expect(report.tables.map(({ inserted, rejected }) => [inserted, rejected])).toEqual([
      [2, 2],
      [3, 2],
      [2, 1],
    ]);
    expect(await rows("select id, child_id, next_id from grandchild order by id")).toEqual([
      { id: 2, child_id: 1, next_id: 3 },
      { id: 3, child_id: 2, next_id: 2 },
    ]);
    expect(
      report.rejects.map(({ target, ordinal, problems }) => `${target} ${ordinal}: ${problems[0]?.reason}`),
    ).toEqual([
      "public.grandchild 1: child_id references public.child 3, which was rejected: parent_id references public.parent 2, which was rejected: the target requires a value in name",
      "public.grandchild 4: next_id references public.grandchild 1, which was rejected: child_id references public.child 3, which was rejected: parent_id references public.parent 2, which was rejected: the target requires a value in name",
      "public.child 3: parent_id references public.parent 2, which was rejected: the target requires a value in name",
      "public.child 4: parent_id references public.parent 99, which does not exist",
      "public.parent 2: the target requires a value in name",
    ]);
  });

  it("rejects later rows with a key that an earlier row or the target has", async () => {
    const { sqlite, run, rows } = await cases.begin(
      "create table item (id integer primary key, code text unique, kind text); create unique index one_main on item (kind) where kind = 'main'; insert into item values (10, 'taken', 'x'), (20, 'other', 'x'), (30, 'held', 'x')",
    );
    const file = sqlite(`create table item (id integer, code text, kind text);
      insert into item values (1, 'a', 'main'), (1, 'b', null), (2, 'a', null), (3, 'c', 'main'), (4, 'taken', null), (5, 'held', null), (20, 'new', 'x'), (10, 'taken', 'x')`);
    const { report } = await run("sqlite", file, {
      rejects: "skip",
      tables: [{ to: "item", from: "item", columns: { id: "id", code: "code", kind: "kind" } }],
    });
    expect(report.rejects.map(({ ordinal, problems }) => [ordinal, problems[0]?.reason])).toEqual([
      [2, "another row of the source has the same key (item_pkey)"],
      [3, "another row of the source has the same key (item_code_key)"],
      [4, "another row of the source has the same key (one_main)"],
      [5, "another row of the source has the same key (item_code_key)"],
      [6, "another row of the target has the same key (item_code_key)"],
      [7, "the target has a row with this key and other values in: code"],
    ]);
    expect(report.tables[0]).toMatchObject({ inserted: 1, unchanged: 1, rejected: 6 });
    expect(await rows("select count(*)::int as n from item")).toEqual([{ n: 4 }]);
  });

  it("updates or keeps existing rows as the map says, and a rollback restores them", async () => {
    const { sqlite, run, rows, connection } = await cases.begin(
      "create table item (id integer primary key, name text, extra jsonb default '{}'); insert into item values (1, 'old', '{\"a\": 1}'), (2, 'same', null)",
    );
    const file = sqlite(
      "create table item (id integer primary key, name text); insert into item values (1, 'new'), (2, 'same'), (3, 'three')",
    );
    const map = {
      existing: "update" as const,
      tables: [{ to: "item", from: "item", columns: { id: "id", name: "name" } }],
    };
    const kept = await run("sqlite", file, { ...map, existing: "keep" });
    expect(kept.report).toMatchObject({ outcome: "verified", tables: [{ inserted: 1, unchanged: 1, kept: 1 }] });
    await rollbackImport({ connection });
    const { report } = await run("sqlite", file, map);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 1, updated: 1, unchanged: 1 }] });
    expect(await rows("select * from item where id = 1")).toEqual([{ id: 1, name: "new", extra: { a: 1 } }]);
    const { tables } = await rollbackImport({ connection });
    expect(tables).toEqual([{ table: "public.item", deleted: 1, restored: 1, reinserted: 0, gone: 0 }]);
    expect(await rows("select * from item order by id")).toEqual([
      { id: 1, name: "old", extra: { a: 1 } },
      { id: 2, name: "same", extra: null },
    ]);
  });

  it("rolls back exactly its rows, and refuses rows that were changed or are referenced since", async () => {
    const { sqlite, run, rows, connection } = await cases.begin(
      `create table item (id integer primary key, name text); insert into item values (1, 'before');
       create table mention (id integer primary key, item_id integer references item (id) on delete cascade)`,
    );
    const file = sqlite(
      "create table item (id integer primary key, name text); insert into item values (2, 'two'), (3, 'three')",
    );
    await run("sqlite", file, { tables: [{ to: "item", from: "item", columns: { id: "id", name: "name" } }] });
    await rows("update item set name = 'edited' where id = 2; insert into mention values (1, 3)");
    const { conflicts } = await rollbackImport({ connection });
    expect(conflicts).toEqual([
      { table: "public.item", key: "2", reason: "was changed after the import" },
      { table: "public.item", key: "3", reason: "is referenced by public.mention (mention_item_id_fkey)" },
    ]);
    expect(await rows("select count(*)::int as n from item")).toEqual([{ n: 3 }]);
    await rows("update item set name = 'two' where id = 2; delete from mention");
    expect((await rollbackImport({ connection, dryRun: true })).tables).toEqual([
      { table: "public.item", deleted: 2, restored: 0, reinserted: 0, gone: 0 },
    ]);
    expect(await rows("select count(*)::int as n from item")).toEqual([{ n: 3 }]);
    await rollbackImport({ connection });
    expect(await rows("select id from item")).toEqual([{ id: 1 }]);
    expect((await listImports(connection)).map(({ phase }) => phase)).toEqual(["rolled back"]);
    expect((await failureOf(rollbackImport({ connection }))).message).toContain("was rolled back already");
  });

  it("rolls back the newest run that wrote rows, and says which newer runs wrote none", async () => {
    const { sqlite, run, rows, connection } = await cases.begin("create table item (id integer primary key)");
    const file = sqlite("create table item (id integer primary key); insert into item values (1), (2)");
    const map = { tables: [{ to: "item", from: "item", columns: { id: "id" } }] };
    const none = await failureOf(rollbackImport({ connection }));
    expect(none.message).toBe("There is no import yet.");
    const first = await run("sqlite", file, map);
    const second = await run("sqlite", file, map);
    expect(second.report.tables).toMatchObject([{ inserted: 0, unchanged: 2 }]);
    const planned = await rollbackImport({ connection, dryRun: true });
    expect([planned.run, planned.passedOver]).toEqual([first.report.run, [second.report.run]]);
    await rollbackImport({ connection });
    expect(await rows("select * from item")).toEqual([]);
    // An earlier run is not taken because a newer one is rolled back already.
    expect((await failureOf(rollbackImport({ connection }))).message).toBe(
      `Import ${first.report.run} was rolled back already.`,
    );
    // A run that is named is taken as it is: it has nothing to remove.
    expect(await rollbackImport({ connection, run: second.report.run })).toMatchObject({
      passedOver: [],
      tables: [{ deleted: 0 }],
    });
  });

  it("says that nothing can be rolled back if no run wrote a row", async () => {
    const { sqlite, run, connection } = await cases.begin(
      "create table item (id integer primary key); insert into item values (1)",
    );
    const file = sqlite("create table item (id integer primary key); insert into item values (1)");
    await run("sqlite", file, { tables: [{ to: "item", from: "item", columns: { id: "id" } }] });
    expect((await failureOf(rollbackImport({ connection }))).message).toBe(
      "No import of this database wrote a row, so there is nothing to roll back.",
    );
  });

  it("moves sequences behind the imported numbers and behind SQLite's own", async () => {
    const { sqlite, run, rows } = await cases.begin(
      "create table item (id integer generated by default as identity primary key, name text); create table other (id serial primary key)",
    );
    const file =
      sqlite(`create table item (id integer primary key autoincrement, name text); create table other (id integer primary key);
      insert into item select value, 'x' from json_each('[1,2,3,4,5,6,7,8,9,10]'); update sqlite_sequence set seq = 50; insert into other values (7)`);
    await run("sqlite", file, {
      tables: [
        { to: "item", from: "item", columns: { id: "id", name: "name" } },
        { to: "other", from: "other", columns: { id: "id" } },
      ],
    });
    expect(await rows("insert into item (name) values ('next') returning id")).toEqual([{ id: 51 }]);
    expect(await rows("insert into other default values returning id")).toEqual([{ id: 8 }]);
  });

  it("reads generated columns, WITHOUT ROWID and FTS5 tables, and names what it does not import", async () => {
    const { sqlite, run, rows } = await cases.begin(
      'create table "Order Line" (id text primary key, "total price" integer, label text); create table note (body text primary key)',
    );
    const file =
      sqlite(`create table "order line" (id text primary key, qty integer, "total price" integer generated always as (qty * 2) virtual,
        label text generated always as ('n' || qty) stored) without rowid;
      insert into "order line" (id, qty) values ('b', 2), ('a', 1);
      create virtual table notes using fts5(body); insert into notes values ('hello world');
      create view totals as select 1; create trigger t after insert on "order line" begin select 1; end`);
    const { report } = await run("sqlite", file, {
      tables: [
        { to: '"Order Line"', from: "order line", columns: { id: "id", "total price": "total price", label: "label" } },
        { to: "note", from: "notes", columns: { body: "body" } },
      ],
    });
    expect(report.outcome).toBe("verified");
    expect(await rows('select * from "Order Line" order by id')).toEqual([
      { id: "a", "total price": 2, label: "n1" },
      { id: "b", "total price": 4, label: "n2" },
    ]);
    expect(await rows("select * from note")).toEqual([{ body: "hello world" }]);
    expect(report.notImported).toContain("view totals");
    expect(report.notImported).toContain("trigger t");
    expect(report.notImported).toContain("table notes_data, which belongs to a virtual table");
  });

  it("lists tables and columns that no entry reads, because the comparison cannot miss them", async () => {
    const { sqlite, run } = await cases.begin("create table item (id integer primary key, theme text)");
    const file = sqlite(
      "create table item (id integer primary key, settings text, Forgotten text); create table other (a); insert into other values (1)",
    );
    const map = { tables: [{ to: "item", from: "item", columns: { id: "ID", theme: "settings.theme" } }] };
    const { report } = await run("sqlite", file, map);
    expect(report.unread).toEqual(["item.Forgotten: a column", "other: 1 rows"]);
  });

  it("imports tables whose columns are called as the import's own queries call theirs", async () => {
    const { sqlite, run, rows, connection } = await cases.begin(
      "create table item (id integer primary key, t integer, s integer, k integer, r integer, gone integer check (gone < 9)); insert into item values (1, 1, 1, 1, 1, 1)",
    );
    const file = sqlite(
      "create table item (id integer primary key, t, s, k, r, gone); insert into item values (1, 2, 2, 2, 2, 2), (2, 3, 3, 3, 3, 3), (3, 3, 3, 3, 3, 9)",
    );
    const columns = { id: "id", t: "t", s: "s", k: "k", r: "r", gone: "gone" };
    const map = {
      existing: "update" as const,
      rejects: "skip" as const,
      tables: [{ to: "item", from: "item", columns }],
    };
    const { report } = await run("sqlite", file, map);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 1, updated: 1, rejected: 1 }] });
    await rollbackImport({ connection });
    expect(await rows("select * from item")).toEqual([{ id: 1, t: 1, s: 1, k: 1, r: 1, gone: 1 }]);
  });

  it("reports all errors of a map together, before it reads a row", async () => {
    const { sqlite, run, rows } = await cases.begin(
      "create table item (id integer primary key, name text not null, price numeric, made timestamptz, total integer generated always as (1) stored); create table log (at timestamptz)",
    );
    const file = sqlite("create table item (id integer primary key, name text, price real)");
    const error = await failureOf(
      run("sqlite", file, {
        audit: { table: "journal; drop table item", values: {} },
        tables: [
          {
            to: "item",
            from: "item",
            columns: {
              id: "idd",
              prize: "price",
              made: { from: "name", as: { kind: "boolean", true: [1], false: [0] } },
              total: "price",
            },
          },
          { to: "items", from: "nothing", columns: {} },
          { to: "log", from: "item", columns: { at: { from: "name", as: { kind: "timestamp", zone: "Mars/Base" } } } },
        ],
      }),
    );
    expect(error.message.split("\n")).toEqual([
      "The map does not fit (11 errors):",
      '- item -> item: column id: item has no column "idd"; is it "id"?',
      '- item -> item: column prize: public.item has no such column; is it "price"?',
      "- item -> item: column made: boolean does not fit the type timestamp with time zone",
      "- item -> item: column total: the target generates it; leave it out, or set computed to compare it",
      "- item -> item: column name is required and not mapped; map it, or set computed if a trigger fills it",
      "- item -> item: item needs a primary key, or a unique key on required columns, that the entry fills",
      '- nothing -> items: the source has no table "nothing"',
      '- nothing -> items: the target has no table "items"',
      "- item -> log: column at: the time zone Mars/Base is not known",
      "- item -> log: log needs a primary key, or a unique key on required columns, that the entry fills",
      '- audit: the target has no table "journal; drop table item"',
    ]);
    expect(await rows("select to_regclass('pgroundwork.import_run') as there")).toEqual([{ there: null }]);
  });

  it("stops at a value that only the map can interpret, whatever the policy is", async () => {
    const { sqlite, run, rows } = await cases.begin("create table item (id integer primary key, at timestamptz)");
    const file = sqlite(
      "create table item (id integer primary key, at); insert into item values (1, 1704164645), (2, 100000000)",
    );
    const map = { rejects: "skip" as const, tables: [{ to: "item", from: "item", columns: { id: "id", at: "at" } }] };
    const error = await failureOf(run("sqlite", file, map));
    expect(error.message).toBe(
      'item, row 2, at: 100000000 can be seconds, milliseconds or microseconds: set "unit" in the map.',
    );
    expect(await rows("select * from item")).toEqual([]);
  });

  it("reads several spellings of a moment, and rejects what PostgreSQL would change without a word", async () => {
    const { sqlite, run, rows } = await cases.begin(
      "create table item (id integer primary key, at timestamptz, flag boolean, ratio float8, amount numeric)",
    );
    // SQLite itself stores NaN as NULL, and -0 in a REAL column as 0.
    const file = sqlite(`create table item (id integer primary key, at, flag, ratio real, amount);
      insert into item values (1, 1704164645000, 'true', -0.0, '-.15'), (2, 1704164645, 1, 9e999 - 9e999, 1.10),
        (3, '2024-01-02 03:04:05', 0, 1.5, '1.10'), (4, '2024-01-02 24:00:00', 1, 1, 1),
        (5, '2024-01-02 03:04:05.1234567', 1, 1, 1), (6, null, 'yes', 1, 1), (7, null, 'on', 1, 1), (8, null, 2, 1, 'NaN')`);
    const columns = { id: "id", at: "at", flag: "flag", ratio: "ratio", amount: "amount" };
    const { report } = await run("sqlite", file, { rejects: "skip", tables: [{ to: "item", from: "item", columns }] });
    expect(report.verify?.failures).toEqual([]);
    expect(
      await rows("select extract(epoch from at)::text as at, flag, ratio::text, amount::text from item order by id"),
    ).toEqual([
      { at: "1704164645.000000", flag: true, ratio: "0", amount: "-0.15" },
      { at: "1704164645.000000", flag: true, ratio: null, amount: "1.1" },
      { at: "1704164645.000000", flag: false, ratio: "1.5", amount: "1.10" },
    ]);
    expect(report.rejects.map(({ key, problems }) => [key, ...problems.map(({ reason }) => reason)])).toEqual([
      ["4", '"2024-01-02 24:00:00" has hour 24, which PostgreSQL would turn into the next day'],
      ["5", '"2024-01-02 03:04:05.1234567" has more than 6 fraction digits: PostgreSQL would round it'],
      ["6", 'text "yes" is not of type boolean'],
      ["7", 'text "on" is not of type boolean'],
      ["8", "integer 2 is not of type boolean", 'text "NaN" is not of type numeric'],
    ]);
  });

  it("loads tables whose deferred triggers compare them in one transaction if the map says so, in the order that it names", async () => {
    const { sqlite, run, rows } = await cases.begin(
      `create table orders (id integer primary key, total integer);
       create table line (id integer primary key, order_id integer references orders, qty integer, no integer generated always as identity);
       create function agree() returns trigger language plpgsql as $$ begin
         if (select total from orders where id = new.id) <> (select coalesce(sum(qty), 0) from line where order_id = new.id)
         then raise exception 'order % does not agree', new.id; end if; return null; end $$;
       create constraint trigger agrees after insert on orders deferrable initially deferred for each row execute function agree()`,
    );
    const file =
      sqlite(`create table orders (id integer primary key, total integer); insert into orders values (1, 5), (2, 7);
      create table line (id integer primary key, order_id integer, qty integer); insert into line values (1, 1, 3), (2, 1, 2), (3, 2, 7)`);
    const map = {
      tables: [
        { to: "orders", from: "orders", columns: { id: "id", total: "total" } },
        { to: "line", from: "line", columns: { id: "id", order_id: "order_id", qty: "qty" }, orderBy: ["qty"] },
      ],
    };
    expect((await failureOf(run("sqlite", file, map))).message).toMatch(
      /^A deferred constraint refuses a row: order 1 does not agree\nPL\/pgSQL function agree\(\)/,
    );
    expect(await rows("select count(*)::int as n from orders")).toEqual([{ n: 0 }]);
    const { report } = await run("sqlite", file, { ...map, atomic: true });
    expect(report.outcome).toBe("verified");
    expect(await rows("select id from line order by no")).toEqual([{ id: 2 }, { id: 1 }, { id: 3 }]);
  });

  it("changes nothing in a dry run, and reports the same rejected rows", async () => {
    const { sqlite, run, rows } = await cases.begin("create table item (id integer primary key, name text not null)");
    const file = sqlite(
      "create table item (id integer primary key, name text); insert into item values (1, 'a'), (2, null)",
    );
    const { report } = await run(
      "sqlite",
      file,
      { tables: [{ to: "item", from: "item", columns: { id: "id", name: "name" } }] },
      { dryRun: true },
    );
    expect(report).toMatchObject({ outcome: "dry run", tables: [{ sourceRows: 2, rejected: 1 }] });
    expect(
      await rows("select (select count(*)::int from item) as items, to_regnamespace('pgroundwork') as kit"),
    ).toEqual([{ items: 0, kit: null }]);
  });

  it("refuses a file that is empty, truncated, encrypted, locked or no database, with what is wrong", async () => {
    const { sqlite, run, rows, file } = await cases.begin("create table item (id integer primary key)");
    const map = { tables: [{ to: "item", from: "item", columns: { id: "id" } }] };
    const good = sqlite(
      "create table item (id integer primary key, filler text); insert into item select value, hex(zeroblob(2000)) from json_each('[1,2,3,4,5]')",
    );
    const copy = path.join(path.dirname(good), "cut.db");
    writeFileSync(copy, readFileSync(good));
    truncateSync(copy, 9_000);
    expect((await failureOf(run("sqlite", copy, map))).message).toMatch(
      /cut\.db is truncated: it has 9000 bytes of \d+\./,
    );
    expect((await failureOf(run("sqlite", await file("empty.db", ""), map))).message).toContain("empty.db is empty.");
    expect((await failureOf(run("sqlite", await file("secret.db", Buffer.alloc(4096, 7)), map))).message).toContain(
      "secret.db is not a SQLite database: it begins with 07070707070707070707070707070707.",
    );
    expect((await failureOf(run("sqlite", "/nowhere/x.db", map))).message).toBe("/nowhere/x.db does not exist.");
    const writer = new Driver(good);
    writer.exec("begin exclusive");
    expect((await failureOf(run("sqlite", good, map))).message).toContain(
      "source.db is locked: another process is writing to it.",
    );
    writer.close();
    expect(await rows("select * from item")).toEqual([]);
  });
});
