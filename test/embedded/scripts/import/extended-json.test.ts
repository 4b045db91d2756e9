import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { exportImport } from "../../../../scripts/import/export/export-import.ts";
import { inferTables } from "../../../../scripts/import/infer/infer-import.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

/** The same two documents in canonical and relaxed form, and as older versions of mongoexport write them. */
const forms = {
  canonical: `{"_id": {"$oid": "5f0f3c366b535f0e9d0b2b3f"}, "n": {"$numberLong": "9007199254740993"}, "price": {"$numberDecimal": "1.10"}, "at": {"$date": {"$numberLong": "1704164645678"}}, "data": {"$binary": {"base64": "AP8=", "subType": "00"}}, "ref": {"$binary": {"base64": "ASNFZ4mrTN6PASNFZ4mrzQ==", "subType": "04"}}, "ratio": {"$numberDouble": "-Infinity"}, "doc": {"since": {"$date": {"$numberLong": "0"}}, "$ref": "x"}, "ids": [{"$oid": "5f0f3c366b535f0e9d0b2b40"}]}
{"_id": {"$oid": "5f0f3c366b535f0e9d0b2b41"}, "n": {"$numberInt": "-2"}, "price": {"$numberDecimal": "1E+3"}, "at": {"$date": {"$numberLong": "-1"}}, "ratio": {"$numberDouble": "0.1"}}`,
  relaxed: `{"_id": {"$oid": "5f0f3c366b535f0e9d0b2b3f"}, "n": 9007199254740993, "price": {"$numberDecimal": "1.10"}, "at": {"$date": "2024-01-02T03:04:05.678Z"}, "data": {"$binary": {"base64": "AP8=", "subType": "00"}}, "ref": {"$uuid": "01234567-89ab-4cde-8f01-23456789abcd"}, "ratio": {"$numberDouble": "-Infinity"}, "doc": {"since": {"$date": "1970-01-01T00:00:00Z"}, "$ref": "x"}, "ids": [{"$oid": "5f0f3c366b535f0e9d0b2b40"}]}
{"_id": {"$oid": "5f0f3c366b535f0e9d0b2b41"}, "n": -2, "price": {"$numberDecimal": "1E+3"}, "at": {"$date": "1969-12-31T23:59:59.999Z"}, "ratio": 0.1}`,
  older: `{"_id": {"$oid": "5f0f3c366b535f0e9d0b2b3f"}, "n": {"$numberLong": "9007199254740993"}, "price": {"$numberDecimal": "1.10"}, "at": {"$date": 1704164645678}, "data": {"$binary": "AP8=", "$type": "00"}, "ref": {"$binary": "ASNFZ4mrTN6PASNFZ4mrzQ==", "$type": "04"}, "ratio": {"$numberDouble": "-Infinity"}, "doc": {"since": {"$date": 0}, "$ref": "x"}, "ids": [{"$oid": "5f0f3c366b535f0e9d0b2b40"}]}
{"_id": {"$oid": "5f0f3c366b535f0e9d0b2b41"}, "n": -2, "price": {"$numberDecimal": "1E+3"}, "at": {"$date": -1}, "ratio": 0.1}`,
};

const map: ImportMap = {
  tables: [
    {
      to: "doc",
      from: "docs",
      columns: {
        id: { from: "_id", key: "doc" },
        oid: "_id",
        n: "n",
        price: "price",
        at: "at",
        data: "data",
        ref: "ref",
        ratio: "ratio",
        doc: "doc",
        ids: "ids",
      },
    },
  ],
};
const tables =
  "create table doc (id uuid primary key, oid text, n bigint, price numeric, at timestamptz, data bytea, ref uuid, ratio float8, doc jsonb, ids text[])";
const values =
  "select oid, n::text, price::text, (at at time zone 'UTC')::text as at, data::text, ref::text, ratio::text, doc::text, ids::text from doc order by oid";
const arrived = (since: string) => [
  {
    oid: "5f0f3c366b535f0e9d0b2b3f",
    n: "9007199254740993",
    price: "1.10",
    at: "2024-01-02 03:04:05.678",
    data: "\\x00ff",
    ref: "01234567-89ab-4cde-8f01-23456789abcd",
    ratio: "-Infinity",
    doc: `{"$ref": "x", "since": {"$date": ${since}}}`,
    ids: "{5f0f3c366b535f0e9d0b2b40}",
  },
  {
    oid: "5f0f3c366b535f0e9d0b2b41",
    n: "-2",
    price: "1000",
    at: "1969-12-31 23:59:59.999",
    data: null,
    ref: null,
    ratio: "0.1",
    doc: null,
    ids: null,
  },
];

describe("MongoDB Extended JSON", () => {
  it("arrives without loss in its canonical, relaxed and older forms, and jsonb keeps the form", async () => {
    const since = { canonical: '{"$numberLong": "0"}', relaxed: '"1970-01-01T00:00:00Z"', older: "0" };
    for (const form of ["canonical", "relaxed", "older"] as const) {
      const target = await cases.begin(tables);
      const { report } = await target.run("json", await target.file("docs.ndjson", forms[form]), map);
      expect([report.outcome, report.rejects], form).toEqual(["verified", []]);
      expect(await target.rows(values), form).toEqual(arrived(since[form]));
    }
  });

  it("gets columns of its own types from --infer --create", async () => {
    for (const form of ["canonical", "relaxed", "older"] as const) {
      const target = await cases.begin("select 1");
      const file = await target.file("docs.ndjson", forms[form]);
      const source = await openSource("json", file);
      const proposal = await inferTables({ connection: target.connection, source }).finally(() => source.close());
      const types = Object.fromEntries(proposal.tables[0]?.columns.map(({ name, type }) => [name, type.sql]) ?? []);
      expect(types, form).toMatchObject({
        _id: "text",
        n: "bigint",
        price: "numeric",
        at: "timestamptz",
        data: "bytea",
        ref: "text",
        ids: "jsonb",
        doc: "jsonb",
      });
      await withClient(target.connection, (client) => client.query(proposal.up));
      const { report } = await target.run("json", file, proposal.map);
      expect([report.outcome, report.rejects], form).toEqual(["verified", []]);
    }
  });

  it("rejects a wrapper that is not valid by name, and is written back in the form that the file has", async () => {
    const target = await cases.begin(tables);
    const bad = '{"_id": {"$oid": "b"}, "n": {"$numberLong": "many"}}\n{"_id": {"$oid": "c"}, "at": {"$date": "soon"}}';
    const file = await target.file("docs.ndjson", `${forms.canonical}\n${bad}\n`);
    const { report } = await target.run("json", file, { ...map, rejects: "skip" });
    expect(report.rejects.map(({ problems }) => problems[0]?.reason)).toEqual([
      "an object of 1 fields is not of type bigint",
      '"soon" is not a time in a known spelling',
    ]);
    await target.rows("update doc set n = n + 1, price = 2.50, at = at + interval '1 second' where n = -2");
    const to = path.join(target.folder, "out");
    const { connection } = target;
    const done = await exportImport({ connection, database: connection.database, to });
    expect(done.notWritten).toEqual([]);
    const changed = JSON.parse(readFileSync(path.join(to, "docs.ndjson"), "utf8").split("\n")[1] ?? "");
    expect(changed).toEqual({
      _id: { $oid: "5f0f3c366b535f0e9d0b2b41" },
      n: { $numberInt: "-1" },
      price: { $numberDecimal: "2.50" },
      at: { $date: { $numberLong: "999" } },
      ratio: { $numberDouble: "0.1" },
    });
  });
});
