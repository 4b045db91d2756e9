import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const items = "create table item (id bigint primary key, price numeric, note text, doc jsonb)";
const itemMap = {
  rejects: "skip" as const,
  tables: [{ to: "item", from: "items", columns: { id: "id", price: "price", note: "note", doc: "doc" } }],
};

describe("an import from JSON", () => {
  it("keeps the digits of numbers, and tells numbers from strings", async () => {
    const { file, run, rows } = await cases.begin(items);
    const text = `[{"id": 9007199254740993, "price": 1.10, "note": "1.10", "doc": {"2": 1e2, "1": 12345678901234567890.10, "a": "\\u00e9\\ud83d\\ude00"}},
      {"id": 2, "price": "3.30", "doc": null, "note": ""}, {"id": 3, "note": 5}]`;
    const { report } = await run("json", await file("items.json", text), itemMap);
    expect(report.outcome).toBe("verified");
    expect(await rows("select id::text, price::text, note, doc::text from item order by id")).toEqual([
      { id: "2", price: "3.30", note: "", doc: null },
      {
        id: "9007199254740993",
        price: "1.10",
        note: "1.10",
        doc: '{"1": 12345678901234567890.10, "2": 100, "a": "é😀"}',
      },
    ]);
    expect(report.rejects.map(({ place, problems }) => [place, problems[0]?.reason])).toEqual([
      ["items.json line 2, byte 193", "number 5 is not of type text"],
    ]);
  });

  it("reads one value per line, members of an object by their names, and all files of a folder", async () => {
    const { folder, run, rows } = await cases.begin(
      `create table event (file text, n integer, primary key (file, n));
       create table person (id text primary key, city text); create table pet (person_id text references person, position integer, name text, primary key (person_id, position))`,
    );
    const source = path.join(folder, "data");
    await mkdir(path.join(source, "events"), { recursive: true });
    await writeFile(path.join(source, "events", "a.ndjson"), '{"n": 1}\n\n{"n": 2}');
    await writeFile(path.join(source, "events", "b.json"), '{"n": 3}');
    await writeFile(
      path.join(source, "store.json"),
      `\ufeff{"version": 2, "people": {"p1": {"address": {"city": "Bonn"}, "pets": [{"name": "rex"}, {"name": "tom"}]}, "p2": {"pets": []}, "p3": {}}}`,
    );
    const { report } = await run("json", source, {
      tables: [
        { to: "event", from: "events/*", columns: { file: "$file", n: "n" } },
        { to: "person", from: "store.people", columns: { id: "$name", city: "address.city" } },
        {
          to: "pet",
          from: "store.people",
          each: "pets",
          columns: { person_id: "$parent.$name", position: "$index", name: "name" },
        },
      ],
    });
    expect(report.outcome).toBe("verified");
    expect(await rows("select * from event order by n")).toEqual([
      { file: "a", n: 1 },
      { file: "a", n: 2 },
      { file: "b", n: 3 },
    ]);
    expect(await rows("select * from person order by id")).toEqual([
      { id: "p1", city: "Bonn" },
      { id: "p2", city: null },
      { id: "p3", city: null },
    ]);
    expect(await rows("select * from pet order by position")).toEqual([
      { person_id: "p1", position: 1, name: "rex" },
      { person_id: "p1", position: 2, name: "tom" },
    ]);
  });

  it("rejects bad values with line, byte and path, and imports the others", async () => {
    const { file, run, rows } = await cases.begin(items);
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
    const lines = [
      '{"id": 1, "note": "a", "id": 2}',
      '{"id": 2, "price": NaN}',
      '{"id": 3, "doc": {"a": [1, {"b": "\\u0000"}]}}',
      '{"id": 4, "note": "\\ud800"}',
      `{"id": 5, "doc": ${deep}}`,
      `{"id": 6, "note": "${"x".repeat(1_000_000)}"}`,
      '{"id": 7, "price": 1e400}',
      '{"id": 8, "price": 1e999999}',
      '{"id": "x"}',
    ];
    const invalid = Buffer.concat([Buffer.from('{"id": 10, "note": "'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    const { report } = await run(
      "json",
      await file("items.ndjson", Buffer.concat([Buffer.from(`${lines.join("\n")}\n`), invalid])),
      itemMap,
    );
    expect(report.verify?.failures).toEqual([]);
    expect(
      await rows("select id, length(note) as length, length(price::text) as digits from item order by id"),
    ).toEqual([
      { id: "6", length: 1_000_000, digits: null },
      { id: "7", length: null, digits: 401 },
    ]);
    expect(report.rejects.map(({ place, problems }) => `${place?.slice(13)}: ${problems[0]?.reason}`)).toEqual([
      'line 1, byte 0: the name "id" occurs twice in one object (line 1, byte 27)',
      'line 2, byte 32: "NaN" is no value (line 2, byte 51, path .price)',
      "line 3, byte 56: it contains a NUL character at position 0",
      "line 4, byte 102: it contains half of a surrogate pair, which has no UTF-8 form",
      expect.stringContaining("line 5, byte 130: nested deeper than 500 levels (line 5, byte 646, path .doc[0][0]"),
      "line 8, byte 1010197: the number 1e999999 has more digits than a numeric can have",
      'line 9, byte 1010226: text "x" is not of type bigint',
      "line 10, byte 1010238: it is not UTF-8: 7b226964223a2031302c20226e6f7465223a2022ff227d",
    ]);
  });

  it("refuses a file that is truncated, empty, mixed or no collection, and imports nothing", async () => {
    const { file, run, rows } = await cases.begin(items);
    const message = async (content: string | Buffer) => {
      const error = await failureOf(run("json", await file("items.json", content), itemMap));
      return error.message.slice(error.message.indexOf("items.json"));
    };
    expect(await message('[{"id": 1}, {"id": 2')).toBe(
      "items.json is truncated: it ends within a value (line 1, byte 20).",
    );
    expect(await message('[{"id": 1}')).toBe("items.json is truncated: it ends within a value (line 1, byte 10).");
    expect(await message("")).toBe("items.json is empty.");
    expect(await message(" \n")).toBe("items.json contains no JSON value (line 2, byte 2).");
    expect(await message("42")).toBe("items.json has neither an object nor an array at its top (line 1, byte 0).");
    expect(await message('[{"id": 1}]\n{"id": 2}')).toBe(
      "items.json mixes an array with other values; use either one array or one value per line (line 2, byte 12).",
    );
    expect(await message('[{"id": 1} {"id": 2}]')).toBe('items.json has no "," between two values (line 1, byte 11).');
    expect(await message(Buffer.from("\ufeff[]", "utf16le"))).toBe("items.json is UTF-16.");
    expect(await rows("select * from item")).toEqual([]);
  });
});
