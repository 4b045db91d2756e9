import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { listRuns } from "../../../../scripts/import/run/ledger.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { compareImport, verifyImport } from "../../../../scripts/import/verify-import.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";
import { contentsOfPeople, deleting, people, peopleMap, person, stay } from "./people.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const map: ImportMap = {
  rejects: "skip",
  tables: [
    { to: "item", from: "items", columns: { id: { from: "id", key: "item" }, code: "id", qty: "qty", note: "note" } },
  ],
};
const tables =
  "create table item (id uuid primary key, code text, qty integer not null, note text); insert into item values (gen_random_uuid(), 'before', 0)";

/** Documents with lines, each in a table of its own. */
const orders =
  "create table orders (code text primary key, name text); create table line (code text references orders, no integer, qty integer check (qty > 0), primary key (code, no))";
const orderMap: ImportMap = {
  rejects: "skip",
  existing: "merge",
  tables: [
    { to: "orders", from: "orders", columns: { code: "code", name: "name" } },
    {
      to: "line",
      from: "orders",
      each: "lines",
      columns: { code: "$parent.code", no: "$index", qty: "qty" },
    },
  ],
};

type Item = { id: string; qty: unknown; note?: string | null };

const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, index) => ({ id: `i${index + 1}`, qty: index + 1, note: `note ${index + 1}` }));
const text = (rows: readonly Item[]) => JSON.stringify(rows);

/** Compares, and returns each change as `kind: code of the row`. */
async function compare({ connection, rows }: ImportCase) {
  const found = await compareImport({ connection, database: connection.database });
  const codes = new Map(
    (await rows<{ id: string; code: string }>("select id, code from item")).map((row) => [row.id, row.code]),
  );
  const named = found.changes.map(({ kind, key, columns }) => [
    kind,
    codes.get(key) ?? "gone",
    ...columns.map(({ name, source, target }) => `${name}: ${source} / ${target}`),
  ]);
  return { found, named: named.map((each) => each.join(", ")).sort() };
}

describe("a live comparison", () => {
  it("names the rows that changed in the source, in the target, on both sides, and those that came or went", async () => {
    const target = await cases.begin(tables);
    const before = [...items(6), { id: "bad", qty: "many" }];
    const file = await target.file("items.json", text(before));
    await target.run("json", file, map);
    const same = await compare(target);
    expect([same.found.equal, same.found.sourceIsSame, same.found.tables]).toEqual([
      true,
      true,
      [
        {
          source: "items",
          target: "public.item",
          sourceRows: 7,
          targetRows: 7,
          changes: {},
          rejected: 1,
          others: 1,
        },
      ],
    ]);
    const [one, two, three, four, five] = before as [Item, Item, Item, Item, Item];
    await target.file(
      "items.json",
      text([
        { ...one, qty: 10 },
        two,
        { ...three, qty: 30 },
        four,
        five,
        { id: "i7", qty: 7 },
        { id: "i8", qty: "x" },
        { id: "bad", qty: "many" },
      ]),
    );
    await target.rows(
      "update item set note = 'edited' where code in ('i2', 'i3'); delete from item where code = 'i4'; insert into item values (gen_random_uuid(), 'fresh', 1)",
    );
    const { found, named } = await compare(target);
    expect([found.equal, found.sourceIsSame]).toEqual([false, false]);
    expect(named).toEqual([
      "changed in the source, i1, qty: 10 / 1",
      "changed in the target, i2, note: note 2 / edited",
      "changed on both sides, i3, qty: 30 / 3, note: note 3 / edited",
      "deleted in the source, i6",
      "deleted in the target, gone",
      "new in the source, gone",
      "new in the target, fresh",
      'not importable, gone, qty: (problem: text "x" is not of type integer) / null',
    ]);
    expect(found.tables[0]?.changes["deleted in the target"]).toBe(1);
  });
});

describe("several imports of a table", () => {
  it("are compared by source: rows of another one are neither deleted in this one nor new in the target", async () => {
    const target = await cases.begin(people);
    const [first] = peopleMap.tables as [ImportMap["tables"][number]];
    const only: ImportMap = { ...peopleMap, tables: [first] };
    const other = target.sqlite(
      "create table people (id, email, boss, born); insert into people values ('x', 'x@x', null, null)",
    );
    await target.run("sqlite", other, only);
    const file = await target.file("people.json", JSON.stringify([person("a"), person("b")]));
    await target.run("json", file, only);
    await target.file("people.json", JSON.stringify([person("a")]));
    const { tables, changes } = await compareImport({
      connection: target.connection,
      database: target.connection.database,
    });
    expect(changes.map(({ kind, key }) => `${kind}: ${key}`)).toEqual(["deleted in the source: b"]);
    // Two rows that no import wrote, and one of the other source.
    expect(tables.map(({ others }) => others)).toEqual([3]);
  });

  it("are ordered by their numbers, also after the tenth", async () => {
    const target = await cases.begin(people);
    const write = (count: number) =>
      target.file("people.json", JSON.stringify(Array.from({ length: count }, (_, index) => person(`p${index}`))));
    await target.run("json", await write(1), peopleMap);
    await target.rows("alter table pgroundwork.import_run alter number restart with 9");
    for (const count of [2, 3]) await target.run("json", await write(count), peopleMap);
    const runs = await withClient(target.connection, listRuns);
    expect(runs.map(({ number }) => number)).toEqual(["10", "9", "1"]);
    const { tables } = await rollbackImport({ connection: target.connection });
    expect(tables).toContainEqual(expect.objectContaining({ table: "public.person", deleted: 1 }));
    expect(await target.rows("select string_agg(id, ' ' order by id) as ids from person")).toEqual([
      { ids: "early own p0 p1" },
    ]);
  });
});

describe("an import that merges", () => {
  it("updates what only the source changed, keeps what only the target changed, and rejects what both changed", async () => {
    const target = await cases.begin(tables);
    const before = items(5);
    const file = await target.file("items.json", text(before));
    await target.run("json", file, map);
    const [one, two, three, four] = before as [Item, Item, Item, Item];
    const changed = [{ ...one, qty: 10 }, two, { ...three, qty: 30 }, four, { id: "i6", qty: 6 }];
    await target.file("items.json", text(changed));
    await target.rows("update item set note = 'edited' where code in ('i2', 'i3')");
    const merging: ImportMap = { ...map, existing: "merge" };
    const { report } = await target.run("json", file, merging);
    expect(report.outcome).toBe("verified");
    expect(report.tables).toMatchObject([{ inserted: 1, updated: 1, unchanged: 1, kept: 1, rejected: 1 }]);
    expect(report.rejects[0]?.problems[0]?.reason).toBe(
      "conflict: source and target changed since the last import, and differ in: qty, note",
    );
    const contents = () => target.rows("select code, qty, note from item order by code");
    const after = [
      { code: "before", qty: 0, note: null },
      { code: "i1", qty: 10, note: "note 1" },
      { code: "i2", qty: 2, note: "edited" },
      { code: "i3", qty: 3, note: "edited" },
      { code: "i4", qty: 4, note: "note 4" },
      { code: "i5", qty: 5, note: "note 5" },
      { code: "i6", qty: 6, note: null },
    ];
    expect(await contents()).toEqual(after);
    // What the target changed stays its own in later merges.
    const again = await target.run("json", file, merging);
    expect(again.report.tables).toMatchObject([
      { inserted: 0, updated: 0, unchanged: 3, leftOut: 3, kept: 1, rejected: 1 },
    ]);
    await target.file("items.json", text([...changed.slice(0, 1), { ...two, qty: 20 }, ...changed.slice(2)]));
    const both = await target.run("json", file, merging);
    expect(both.report.tables).toMatchObject([{ updated: 0, kept: 0, rejected: 2 }]);
    expect(await contents()).toEqual(after);
    const { conflicts } = await rollbackImport({ connection: target.connection, run: report.run });
    expect(conflicts).toEqual([]);
    expect((await contents())[1]).toEqual({ code: "i1", qty: 1, note: "note 1" });
  });

  it("reads only what changed on either side, and gives the same rows, counts and rejects as reading everything", async () => {
    const both = [await cases.begin(orders), await cases.begin(orders)] as const;
    /** Reasons why the last run read all rows of a table. */
    let reasons: (string | undefined)[] | undefined;
    const run = async (documents: object, options: { map?: ImportMap } = {}) => {
      const results = [];
      for (const [index, target] of both.entries()) {
        const file = await target.file("orders.json", JSON.stringify(documents, null, index));
        const { report } = await target.run("json", file, options.map ?? orderMap, { readAll: index === 1 });
        const contents = await target.rows(
          "select o.*, l.no, l.qty from orders o left join line l on l.code = o.code order by code, no",
        );
        const rejects = report.rejects.map(({ ordinal, key }) => [ordinal, key]);
        const counts = report.tables.map(({ leftOut = 0, allRead, columns, sums, ...counted }) => counted);
        // The comparison of everything agrees with what the run left out.
        const { result } = await verifyImport({ connection: target.connection, database: target.connection.database });
        results.push({
          same: { counts, contents, rejects, outcome: report.outcome, verified: result.verified },
          report,
        });
      }
      const [changes, all] = results.map(({ same }) => same);
      expect(changes).toEqual(all);
      expect(changes).toMatchObject({ outcome: "verified", verified: true });
      reasons = results[0]?.report.tables.map(({ allRead }) => allRead?.replace(/import \S{36} /, "import "));
      return results[0]?.report.tables.map(({ leftOut }) => leftOut ?? 0);
    };
    const order = (code: string, name: string, ...lines: number[]) => ({
      code,
      name,
      lines: lines.map((qty) => ({ qty })),
    });
    const first = [order("a", "Anna", 1, 2), order("b", "Ben"), order("c", "Cleo", 3), order("bad", "Dan", -1)];
    expect(await run(first)).toEqual([0, 0]);
    expect(reasons?.[0]).toBe("no earlier import wrote the table");
    // The rejected line belongs to a document that is read again; "b" has no lines.
    expect(await run(first)).toEqual([4, 3]);
    const later = [order("new", "Eve", 7), ...first.slice(0, 2), order("c", "Cleo", 3, 4), order("bad", "Dan", -1)];
    expect(await run(later)).toEqual([3, 2]);
    // A row that the target lost comes back, and one that it changed is kept.
    for (const target of both)
      await target.rows(
        "delete from line where code = 'a' and no = 2; update orders set name = 'Bea' where code = 'b'",
      );
    expect(await run(later)).toEqual([4, 3]);
    // A document that occurs twice by now is read both times, and one of them is rejected.
    expect(await run([...later, ...first.slice(0, 1)])).toEqual([3, 3]);
    await run(later);
    // A new document takes the key of one that is the same: only reading both decides which of them counts.
    const twice = [order("a", "Other"), ...later];
    expect(await run(twice)).toEqual([0, 0]);
    expect(reasons?.[0]).toBe("two rows of the source have one key");
    const renamed: ImportMap = {
      ...orderMap,
      tables: orderMap.tables.map((entry) =>
        entry.to === "orders"
          ? { ...entry, columns: { ...entry.columns, name: { from: "name", as: { kind: "text", case: "upper" } } } }
          : entry,
      ),
    };
    expect((await run(later, { map: renamed }))?.[0]).toBe(0);
    expect(reasons).toEqual(["import had another entry in its map", undefined]);
  });

  it("reads only changed rows of SQLite; an earlier version's ledger gets its column", async () => {
    const { sqlite, run, rows, connection } = await cases.begin(
      "create table team (id integer primary key, name text)",
    );
    const merging: ImportMap = {
      existing: "merge",
      tables: [{ to: "team", from: "teams", columns: { id: "id", name: "title" } }],
    };
    const file = sqlite(
      "create table teams (id integer primary key, title); insert into teams values (1, 'a'), (2, 'b'), (3, '3'), (4, 'd')",
    );
    await run("sqlite", file, merging);
    sqlite("update teams set title = 'B' where id = 2; insert into teams values (5, 'e')");
    const { report } = await run("sqlite", file, merging);
    expect(report).toMatchObject({
      outcome: "verified",
      tables: [{ sourceRows: 5, leftOut: 3, updated: 1, inserted: 1 }],
    });
    expect(await rows("select id, name from team order by id")).toEqual(
      ["a", "B", "3", "d", "e"].map((name, index) => ({ id: index + 1, name })),
    );
    const { result } = await verifyImport({ connection, database: connection.database });
    expect(result.verified).toBe(true);
    // It had a foreign key and a B-tree, too, which took two thirds of the time of the record.
    await rows(
      `alter table pgroundwork.import_row add constraint import_row_run_fkey foreign key (run)
         references pgroundwork.import_run (number) on delete cascade;
       drop index pgroundwork.import_row_table_idx;
       create index import_row_table_idx on pgroundwork.import_row (run, number);
       alter table pgroundwork.import_row drop column fingerprint, drop constraint import_row_action_check,
         add constraint import_row_action_check check (action in ('inserted', 'updated', 'unchanged', 'kept', 'other'));
       alter table pgroundwork.import_reject drop column fingerprint`,
    );
    const upgraded = await run("sqlite", file, merging);
    expect(upgraded.report.tables).toMatchObject([{ unchanged: 5 }]);
    expect(upgraded.report.tables[0]).not.toHaveProperty("leftOut");
    expect(await rows("select * from pgroundwork.import_row where action = 'deleted'")).toEqual([]);
    const keys = "select from pg_constraint where conrelid = 'pgroundwork.import_row'::regclass and contype = 'f'";
    expect(await rows(keys)).toEqual([]);
    const index = "select amname from pg_class c join pg_am a on a.oid = relam where relname = 'import_row_table_idx'";
    expect(await rows(index)).toEqual([{ amname: "brin" }]);
    sqlite("delete from teams where id = 5");
    const deleting = await run("sqlite", file, { ...merging, missing: "delete" });
    expect(deleting.report).toMatchObject({ outcome: "verified", tables: [{ missing: { deleted: 1 } }] });
    sqlite("insert into teams values (5, 'e')");
    // An earlier version knew fewer phases, too.
    await rows(
      `alter table pgroundwork.import_run drop constraint import_run_phase_check,
         add constraint import_run_phase_check check (phase in ('staging', 'validated', 'loading', 'loaded', 'verified', 'stopped', 'rolled back'))`,
    );
    expect((await run("sqlite", file, merging)).report.tables).toMatchObject([{ leftOut: 4, inserted: 1 }]);
    const phases =
      "select pg_get_constraintdef(oid) as phases from pg_constraint where conname = 'import_run_phase_check'";
    expect(await rows(phases)).toMatchObject([{ phases: expect.stringContaining("'replaced'") }]);
    expect((await run("sqlite", file, merging)).report.tables).toMatchObject([{ unchanged: 5, leftOut: 5 }]);
  });
});

describe("rows that the source no longer has", () => {
  it("are listed; a deletion takes only those that an import inserted and no one changed or references", async () => {
    const target = await cases.begin(people);
    const lost = ["early", "alone", "boss", "edited", "noted", "late edited", "late noted", "late gone"];
    const first = [...lost.map((id) => person(id)), person("both", "b1", "b2"), person("used", "edited thing")];
    const file = await target.file("people.json", JSON.stringify([...stay, ...first]));
    await target.run("json", file, peopleMap);
    await target.rows(
      `update person set born = 1 where id = 'edited'; insert into note values ('noted');
       update thing set name = 'other' where id = 'edited thing'`,
    );
    const contents = await target.rows(contentsOfPeople);
    const later = [...stay, { ...person("new"), email: "alone@x", boss: "boss" }];
    await target.file("people.json", JSON.stringify(later));
    const { report } = await target.run("json", file, { ...peopleMap, rejects: "skip" });
    expect(report.tables.map(({ missing }) => missing)).toEqual([
      { missing: 8, conflict: 1, "not inserted": 1 },
      { missing: 2, conflict: 1 },
    ]);
    expect(report.rejects[0]?.problems[0]?.reason).toBe(
      "another row of the target has the same key (person_email_key)",
    );
    const options = { maxDelete: "90%", reportFolder: target.folder } as const;
    const dry = await target.run("json", file, deleting, { ...options, dryRun: true });
    expect(dry.report.tables[0]?.missing).toEqual({ missing: 5, conflict: 1, "not inserted": 1, referenced: 3 });
    expect(await target.rows(contentsOfPeople)).toEqual(contents);
    const beforeLoad = target.run("json", file, deleting, {
      ...options,
      onEvent: (event) => {
        if (event.kind === "phase" && event.name === "load") throw new Error("stopped before the load");
      },
    });
    expect((await failureOf(beforeLoad)).message).toBe("stopped before the load");
    await target.rows(
      `update person set born = 2 where id = 'late edited'; insert into note values ('late noted');
       delete from person where id = 'late gone'`,
    );
    const before = await target.rows(contentsOfPeople);
    const afterDeletion = target.run("json", file, deleting, {
      ...options,
      afterBatch: async () => Promise.reject(new Error("stopped after the deletion")),
    });
    expect((await failureOf(afterDeletion)).message).toBe("stopped after the deletion");
    const deleted = await target.run("json", file, deleting, options);
    expect(deleted.report.outcome).toBe("verified");
    expect(
      deleted.report.missing?.map(({ key, kind, reason }) => [key, kind, reason?.replace(/ import \S{36}$/, "")]),
    ).toEqual([
      ["alone", "deleted", undefined],
      ["boss", "referenced", "public.person references it (person_boss_fkey)"],
      ["both", "deleted", undefined],
      ["early", "not inserted", "no import of this source inserted it"],
      ["edited", "conflict", "the target changed it since"],
      ["late edited", "conflict", "the target changed it during this import"],
      ["late noted", "referenced", "public.note references it (note_person_fkey)"],
      ["noted", "referenced", "public.note references it (note_person_fkey)"],
      ["used", "referenced", "public.thing references it (thing_person_fkey)"],
      ["b1", "deleted", undefined],
      ["b2", "deleted", undefined],
      ["edited thing", "conflict", "the target changed it since"],
    ]);
    const lines = readFileSync(path.join(deleted.folder ?? "", "missing.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(deleted.report.missing);
    expect(await target.rows("select string_agg(id, ', ' order by id) as ids from person")).toEqual([
      { ids: "boss, early, edited, late edited, late noted, new, noted, own, s1, s2, s3, s4, s5, used" },
    ]);
    // What was deleted is no difference and is new if it exists again; what was in the table before is not new.
    await target.rows("insert into person (id) values ('both')");
    const live = await compareImport({ connection: target.connection, database: target.connection.database });
    expect(live.tables.map(({ changes }) => changes)).toEqual([
      { "deleted in the source": 7, "new in the target": 1 },
      { "deleted in the source": 1 },
    ]);
    const again = await target.run("json", file, deleting, options);
    expect(again.report.tables.map(({ missing }) => missing)).toEqual([
      { conflict: 2, "not inserted": 1, referenced: 4 },
      { conflict: 1 },
    ]);
    const rollback = () => rollbackImport({ connection: target.connection, run: deleted.report.run });
    expect((await rollback()).conflicts).toEqual([
      { table: "public.person", key: "both", reason: "was deleted by the import, and exists again" },
    ]);
    await target.rows("delete from person where id = 'both'");
    expect(await rollback()).toMatchObject({
      conflicts: [],
      tables: [
        { table: "public.thing", deleted: 0, reinserted: 2 },
        { table: "public.person", deleted: 1, reinserted: 2 },
      ],
    });
    expect(await target.rows(contentsOfPeople)).toEqual(before);
  });

  it("are not deleted if a foreign key of another table references them through a partition", async () => {
    const target = await cases.begin(
      `create table item (id integer primary key, v integer) partition by range (id);
       create table low partition of item for values from (0) to (100);
       create table part (item integer references low on delete cascade)`,
    );
    const merging: ImportMap = {
      existing: "merge",
      missing: "delete",
      tables: [{ to: "item", from: "items", columns: { id: "id", v: "v" } }],
    };
    const write = (...ids: number[]) => target.file("items.json", JSON.stringify(ids.map((id) => ({ id, v: id }))));
    await target.run("json", await write(1, 2, 3, 4, 5), merging);
    await target.rows("insert into part values (4)");
    const { report } = await target.run("json", await write(1, 2, 3), merging);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ missing: { deleted: 1, referenced: 1 } }] });
    expect(await target.rows("select item from part")).toEqual([{ item: 4 }]);
  });

  it("are not deleted if most of a table is missing, or if it cannot be told that they were deleted", async () => {
    const target = await cases.begin(people);
    const all = [...stay, person("a"), person("b")];
    const file = await target.file("people.json", JSON.stringify(all));
    await target.run("json", file, peopleMap);
    const write = (rows: readonly object[], name = "people.json") => target.file(name, JSON.stringify(rows));
    const unknown = async (source: string, map: ImportMap) => {
      const { report } = await target.run("json", source, { ...map, rejects: "skip" });
      return report.missing?.map(({ key, kind, reason }) => {
        expect(kind).toBe("unknown");
        return `${key}: ${reason?.replace(/[\da-f-]{36}|\/.*/g, "…")}`;
      });
    };
    await write([...stay, person("a"), { ...person("c"), id: [] }]);
    expect(await unknown(file, deleting)).toEqual(["b: 1 rows of the source have keys that cannot be read"]);
    await write([...stay, person("a")]);
    const setPhase = (phase: string) => target.rows(`update pgroundwork.import_run set phase = '${phase}'`);
    await setPhase("loaded");
    expect(await unknown(file, deleting)).toEqual(["b: import …, the last one that read it, was not verified"]);
    await setPhase("verified");
    const [first, ...rest] = deleting.tables as [ImportMap["tables"][number]];
    const changed = { ...deleting, tables: [{ ...first, columns: { id: "id", email: "email" } }, ...rest] };
    expect(await unknown(file, changed)).toEqual(["b: import … read it by another entry of a map"]);
    await target.rows("alter table person add note text");
    expect(await unknown(file, deleting)).toEqual(["b: the table had other columns at import …"]);
    const other = await write(stay, "other.json");
    const otherMap = { ...deleting, tables: deleting.tables.map((entry) => ({ ...entry, from: "other" })) };
    expect(await unknown(other, otherMap)).toEqual(["a: import … read it from …", "b: import … read it from …"]);
    const ids = () => target.rows("select string_agg(id, ' ' order by id) as ids from person");
    expect(await ids()).toEqual([{ ids: "a b early own s1 s2 s3 s4 s5" }]);
    await target.run("json", await write(all), peopleMap);
    await write(all.slice(0, 3));
    expect(await failureOf(target.run("json", file, deleting))).toMatchObject({
      message: expect.stringContaining("- public.person: 4 of 7 rows (57%)"),
      exitCode: 3,
    });
    expect(await ids()).toEqual([{ ids: "a b early own s1 s2 s3 s4 s5" }]);
    expect(await target.rows("select relname from pg_class where relname like 'import_stage%'")).toEqual([]);
    const { report } = await target.run("json", file, deleting, { maxDelete: "60%" });
    expect(report.tables.map(({ missing }) => missing)).toEqual([{ deleted: 4 }, { deleted: 2 }]);
  });

  it("are known from exports with other paths if the map names their source, except from an older one", async () => {
    const target = await cases.begin(people);
    const write = async (day: string, rows: readonly object[]) => {
      const folder = path.join(target.folder, `export-${day}`);
      await mkdir(folder, { recursive: true });
      await target.file(`export-${day}/people.json`, JSON.stringify(rows));
      return folder;
    };
    const named = (each: ImportMap, source: string): ImportMap => ({ ...each, source });
    const missing = async (folder: string, each: ImportMap) => {
      const { report } = await target.run("json", folder, each, { dryRun: true });
      return report.missing?.map(({ key, kind, reason }) =>
        [kind, key, reason?.replaceAll(/[\da-f-]{36}/g, "…").replaceAll(/\/\S*\//g, "")].join(" "),
      );
    };
    const first = await write("01", [...stay, person("a")]);
    await target.run("json", first, named(peopleMap, "crm"));
    const second = await write("02", [...stay, person("b")]);
    const asOther = ["unknown a import … read it from export-01"];
    expect(await missing(second, named(peopleMap, "erp"))).toEqual(asOther);
    expect(await missing(second, peopleMap)).toEqual(asOther);
    await target.run("json", second, named(peopleMap, "crm"));
    const older = "this export was imported before export-02, which is newer";
    expect(await missing(first, named(deleting, "crm"))).toEqual([`unknown b ${older}`]);
    const third = await write("03", [...stay, person("c")]);
    const { report } = await target.run("json", third, named(deleting, "crm"));
    expect(report.tables[0]?.missing).toEqual({ deleted: 2 });
    expect(await target.rows("select string_agg(id, ' ' order by id) as ids from person")).toEqual([
      { ids: "c early own s1 s2 s3 s4 s5" },
    ]);
  });

  it("are not deleted if a table of another owner references them and cannot be read, which is said", async () => {
    const target = await cases.begin(people);
    const file = await target.file("people.json", JSON.stringify([...stay, person("a")]));
    await target.run("json", file, peopleMap);
    const superuser = cases.server.connection(target.connection.database);
    await withClient(superuser, (client) => client.query("create table of_others (person text references person)"));
    await target.file("people.json", JSON.stringify(stay));
    expect(await failureOf(target.run("json", file, deleting))).toMatchObject({
      message: expect.stringMatching(/^The role \w+_migrator may not .*: permission denied for table of_others\.$/),
      hint: expect.stringContaining("Grant it"),
    });
    await withClient(superuser, (client) => client.query("grant select on of_others to public"));
    const { report } = await target.run("json", file, deleting);
    expect(report.tables[0]?.missing).toEqual({ deleted: 1 });
  });
});
