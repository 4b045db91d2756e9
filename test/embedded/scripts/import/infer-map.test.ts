import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inferMap } from "../../../../scripts/import/infer/infer-map.ts";
import type { Proposal } from "../../../../scripts/import/infer/proposal.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

async function infer({ connection }: ImportCase, kind: "sqlite" | "json", file: string): Promise<Proposal> {
  const source = await openSource(kind, file);
  try {
    return await inferMap({ connection, database: connection.database, source });
  } finally {
    await source.close();
  }
}

describe("a map that is inferred for tables that exist", () => {
  it("has transforms that the values of a SQLite database decide, and imports with them", async () => {
    const target = await cases.begin(`create table teams (id uuid primary key, name text not null);
      create table people (id uuid primary key, team_id uuid references teams (id), full_name text not null, is_active boolean not null,
        paid boolean, joined_at timestamptz, born date, settings jsonb, tags text[], code text, score numeric);`);
    const file = target.sqlite(`create table Team (Id integer primary key, Name text); insert into Team values (1, 'a');
      create table Person_unused (x); insert into Person_unused values (1);
      create table People (id integer primary key, teamId integer, FullName text, isActive text, paid integer, JoinedAt integer, born text, settings text, tags text, code integer, extra text);
      insert into People values (1, 1, 'Ann', 'Yes', 1, 1704164645, '31/12/1999', '{"a": 1}', 'x,y', 12, 'lost'), (2, null, 'Bob', 'no', 0, 1704164646, '01/02/2000', '[2]', '', 13, null);`);
    const { map, unsure } = await infer(target, "sqlite", file);
    expect(map.tables).toEqual([
      {
        to: "people",
        from: "People",
        columns: {
          id: { from: "id", key: "people" },
          team_id: { from: "teamId", key: "teams" },
          full_name: "FullName",
          is_active: { from: "isActive", as: { kind: "boolean", true: ["Yes"], false: ["no"] } },
          paid: "paid",
          joined_at: { from: "JoinedAt", as: { kind: "timestamp", unit: "seconds" } },
          born: { from: "born", as: { kind: "timestamp", order: "dmy" } },
          settings: { from: "settings", as: { kind: "json" } },
          tags: { from: "tags", as: { kind: "list", separator: "," } },
          code: { from: "code", as: { kind: "text" } },
        },
      },
      { to: "teams", from: "Team", columns: { id: { from: "Id", key: "teams" }, name: "Name" } },
    ]);
    expect(unsure).toEqual([
      "People -> people.id: UUIDs are made from its values, as keys of people",
      "People -> people.team_id: UUIDs are made from its values, as keys of teams",
      "People -> people.born: its dates are read as day, month, year",
      "People -> people.tags: its texts are split at commas",
      "People: the field extra with 1 values goes to no column",
      "Person_unused: no table has its name, and its 1 rows are not in the map",
      "Team -> teams.id: UUIDs are made from its values, as keys of teams",
    ]);
    const { report } = await target.run("sqlite", file, map);
    expect(report.outcome).toBe("verified");
    expect(
      await target.rows(`select full_name, name, is_active, paid, extract(epoch from joined_at)::int as joined, born::text, settings, tags, code
        from people left join teams on teams.id = team_id order by full_name`),
    ).toEqual([
      {
        full_name: "Ann",
        name: "a",
        is_active: true,
        paid: true,
        joined: 1704164645,
        born: "1999-12-31",
        settings: { a: 1 },
        tags: ["x", "y"],
        code: "12",
      },
      {
        full_name: "Bob",
        name: null,
        is_active: false,
        paid: false,
        joined: 1704164646,
        born: "2000-02-01",
        settings: [2],
        tags: [],
        code: "13",
      },
    ]);
  });

  it("reads documents, objects within them, and arrays of objects as tables of their own", async () => {
    const target =
      await cases.begin(`create table users (id uuid primary key, email text not null, wallet_address text, created_at timestamptz not null, settings jsonb);
      create table orders (id uuid primary key, user_id uuid not null references users (id), total numeric not null, required_thing text not null);
      create table admin_logs (id text primary key, ok boolean, at timestamptz);`);
    const source = path.join(target.folder, "data");
    await mkdir(source);
    await writeFile(
      path.join(source, "store.json"),
      `{"version": 3, "users": {"u1": {"email": "a@x.org", "wallet": {"address": "0x1"}, "createdAt": 1704164645000, "settings": {"theme": "dark"},
        "orders": [{"id": "o1", "total": 1.10}, {"id": "o2", "total": "7"}]}, "u2": {"email": "b@x.org", "createdAt": 1704164646000, "orders": []}}}`,
    );
    await writeFile(path.join(source, "admin-logs.ndjson"), '{"id": "l1", "ok": true, "at": "2024-01-02T03:04:05Z"}\n');
    const { map, unsure } = await infer(target, "json", source);
    expect(map.tables).toEqual([
      { to: "admin_logs", from: "admin-logs", columns: { id: "id", ok: "ok", at: "at" } },
      {
        to: "users",
        from: "store.users",
        columns: {
          id: { from: "$name", key: "users" },
          email: "email",
          wallet_address: "wallet.address",
          created_at: { from: "createdAt", as: { kind: "timestamp", unit: "milliseconds" } },
          settings: "settings",
        },
      },
      {
        to: "orders",
        from: "store.users",
        each: "orders",
        columns: {
          id: { from: "id", key: "orders" },
          user_id: { from: "$parent.$name", key: "users" },
          total: "total",
        },
      },
    ]);
    expect(unsure).toContain("store.users, orders -> orders.required_thing: it is required, and no field fits");
    expect(unsure.at(-1)).toBe(
      "to complete: store.users -> orders: column required_thing is required and not mapped; map it, or set computed if a trigger fills it",
    );
    await target.rows("alter table orders drop required_thing");
    const { report } = await target.run("json", source, map);
    expect(report.outcome).toBe("verified");
    expect(
      await target.rows("select email, total::text from users join orders on user_id = users.id order by total"),
    ).toEqual([
      { email: "a@x.org", total: "1.10" },
      { email: "a@x.org", total: "7" },
    ]);
  });

  it("is refused if no table has the name of a collection", async () => {
    const target = await cases.begin("create table unrelated (id integer primary key)");
    const file = target.sqlite("create table item (id integer primary key)");
    expect((await failureOf(infer(target, "sqlite", file))).message).toBe(
      "No table of the target has the name of a collection of the source.",
    );
  });
});
