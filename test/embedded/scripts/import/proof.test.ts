import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { type RunImportOptions, runImport } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const items = "create table item (id integer primary key, v text unique, note text)";
const map: ImportMap = {
  rejects: "skip",
  tables: [{ to: "item", from: "items", columns: { id: "id", v: "v", note: "note" } }],
};
const fill = (target: ImportCase, values: string) =>
  target.sqlite(`create table items (id integer primary key, v, note); insert into items values ${values}`);

/** Runs an import, and counts how often it reads the rows of its source. */
async function runCounted({ connection }: ImportCase, path: string, options: Partial<RunImportOptions> = {}) {
  const opened = await openSource("sqlite", path);
  let reads = 0;
  const source: typeof opened = {
    ...opened,
    rows: (entry, given) => {
      reads++;
      return opened.rows(entry, given);
    },
  };
  try {
    const { report } = await runImport({ connection, database: connection.database, source, map, ...options });
    return { report, reads };
  } finally {
    await opened.close();
  }
}

describe("the source's side of the comparison", () => {
  it("is computed while the rows are read, if these are the rows that were loaded", async () => {
    const target = await cases.begin(items);
    const path = fill(target, "(1, 'a', null), (2, null, ''), (3, 4, 'text'), (4, 'd', null)");
    const { report, reads } = await runCounted(target, path);
    // The third row is rejected while it is read: its value is no text.
    expect(report).toMatchObject({ outcome: "verified", tables: [{ sourceRows: 4, inserted: 3, rejected: 1 }] });
    expect(reads).toBe(1);
  });

  it("is computed by reading the source again if rows were rejected after they were read", async () => {
    const target = await cases.begin(items);
    const path = fill(target, "(1, 'a', null), (2, 'a', ''), (3, 'c', null)");
    const { report, reads } = await runCounted(target, path);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ inserted: 2, rejected: 1 }] });
    expect(reads).toBeGreaterThan(1);
  });

  it("tells no value from an empty text, and values of one row from those of another", async () => {
    const target = await cases.begin(items);
    const path = fill(target, "(1, 'a', null), (2, 'b', ''), (3, 'c', 'x'), (4, 'd', 'y')");
    const change = "update item set note = case id when 1 then '' when 2 then null when 3 then 'y' else 'x' end";
    const { report } = await runCounted(target, path, { afterBatch: async () => void (await target.rows(change)) });
    expect(report.outcome).toBe("not verified");
    expect(report.verify?.differences.map(({ key, source, target: found }) => [key, source, found]).sort()).toEqual([
      ["1", null, ""],
      ["2", "", null],
      ["3", "x", "y"],
      ["4", "y", "x"],
    ]);
  });
});

describe("the record of the rows that were written", () => {
  const change = (target: ImportCase, sql: string) => ({ afterBatch: async () => void (await target.rows(sql)) });

  it("tells rows that someone changed or wrote again before it from those of the run", async () => {
    const target = await cases.begin(items);
    const path = fill(target, "(1, 'a', null), (2, 'b', null), (3, 'c', null), (4, 'd', null)");
    const sql = `update item set note = 'edited' where id = 1; delete from item where id = 2;
      insert into item values (2, 'b', null)`;
    // A table is compared twice as soon as it has more rows than a batch: the sums are computed in two ways.
    for (const batchRows of [100, 3]) {
      const options = { ...change(target, sql), batchRows };
      const { report } = await runCounted(target, path, options);
      expect(report.verify?.failures).toEqual(["public.item.note: the checksums differ"]);
      const { conflicts } = await rollbackImport({ connection: target.connection });
      expect(conflicts.map(({ key }) => key)).toEqual(["1", "2"]);
      await target.rows("truncate item; update pgroundwork.import_run set phase = 'rolled back'");
    }
  });

  it("has the hashes of rows that an update of the run changed after they were inserted", async () => {
    const target = await cases.begin(
      `create table p (id integer primary key, code text unique, c integer);
       create table c (id integer primary key, code text references p (code) on update cascade);
       alter table p add foreign key (c) references c; insert into p values (1, 'old', null)`,
    );
    const path = target.sqlite(
      `create table p (id integer primary key, code, c); insert into p values (1, 'new', null);
       create table c (id integer primary key, code); insert into c values (1, 'old')`,
    );
    const { report } = await runCounted(target, path, {
      map: {
        existing: "update",
        tables: [
          { to: "p", from: "p", columns: { id: "id", code: "code", c: "c" } },
          { to: "c", from: "c", columns: { id: "id", code: "code" } },
        ],
      },
    });
    expect(report.verify?.failures).toEqual(["public.c.code: the checksums differ"]);
    expect((await rollbackImport({ connection: target.connection })).conflicts).toEqual([]);
    expect(await target.rows("select p.*, c.code as of from p left join c on true")).toEqual([
      { id: 1, code: "old", c: null, of: null },
    ]);
  });

  it("has the hashes of the rows as they are, of any type, and with what defaults, rules and triggers make of them", async () => {
    const wide = `id integer primary key, v text, p char(5), n numeric(12,2), f double precision, t timestamptz, j json,
      b bytea, a text[], ip inet, k money_text`;
    const tables: [string, string][] = [
      ["plain", `create table item (${wide})`],
      ["default", `create table item (${wide}, made timestamptz default now())`],
      [
        "rule",
        `create table item (${wide}, note text);
        create rule r as on insert to item do also update item set note = 'ruled' where id = new.id`,
      ],
      [
        "trigger",
        `create table item (${wide}, note text);
        create function note() returns trigger language plpgsql as $$ begin new.note := 'made'; return new; end $$;
        create trigger note before insert on item for each row execute function note()`,
      ],
      [
        "partitions",
        `create table item (${wide}, note text) partition by range (id);
        create table item1 partition of item for values from (0) to (9);
        create function note() returns trigger language plpgsql as $$ begin new.note := 'made'; return new; end $$;
        create trigger note before insert on item1 for each row execute function note()`,
      ],
    ];
    const names = ["id", "v", "p", "n", "f", "t", "j", "b", "a", "ip", "k"];
    const columns = Object.fromEntries(names.map((name) => [name, name]));
    for (const [name, sql] of tables) {
      const target = await cases.begin(`create domain money_text as text check (value <> ''); ${sql}`);
      const path = target.sqlite(
        `create table items (id integer primary key, v, p, n, f real, t, j, b, a, ip, k);
         insert into items values (1, 'a,"b"', 'ab', 1.5, 0.1, '2024-01-02 03:04:05.12', '{"a": 1}', x'00ff', null, '::1', 'k'),
           (2, null, null, -0.5, 9e999, null, null, null, null, null, null)`,
      );
      const { report } = await runCounted(target, path, {
        map: {
          tables: [
            {
              to: "item",
              from: "items",
              columns: { ...columns, a: { from: "v", as: { kind: "list", separator: "," } } },
            },
          ],
        },
      });
      expect([name, report.outcome]).toEqual([name, "verified"]);
      // PostgreSQL cannot return the rows of a statement that a rule changes, so a rollback needs it gone.
      if (name === "rule") await target.rows("drop rule r on item");
      const { conflicts, tables: reverted } = await rollbackImport({ connection: target.connection });
      expect([name, conflicts, reverted]).toMatchObject([name, [], [{ deleted: 2 }]]);
    }
  });
});
