import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type Connection, inDatabase } from "../../../../scripts/connection/connection.ts";
import { adviseIndexes, type DatabaseAdvice } from "../../../../scripts/doctor/index-advice/advise.ts";
import { draftIndex } from "../../../../scripts/doctor/index-advice/draft-migration.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { commitMigration } from "../../../../scripts/migrate/authoring/commit.ts";
import { cloneRoot } from "../../../clone-root.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";

const test = databasePerTest({ shared_preload_libraries: "pg_stat_statements", autovacuum: "off", jit: "off" });

const tables: Draft = {
  name: "tables",
  body: `
    create table customer (id int primary key, name text not null);
    create table fresh (id int not null);
    create table "Order" (id int primary key, customer int not null, placed date not null, paid boolean, note text);
    create table event (kind int not null, day date not null) partition by range (day);
    create table event_1 partition of event for values from ('2020-01-01') to ('2020-07-01');
    create table event_2 partition of event for values from ('2020-07-01') to ('2021-01-01');`,
};

const rows = [
  "insert into customer select n, 'name ' || n from generate_series(1, 30) n",
  `insert into "Order" select n, n % 5000, date '2020-01-01' + n % 300, n % 2 = 0, repeat('x', 40) from generate_series(1, 60000) n`,
  "insert into event select n % 4000, date '2020-01-01' + n % 366 from generate_series(1, 60000) n",
];

const admin = () => inDatabase(test.server.connection(), test.connection.database);

/** Fills the test's database, and runs statements in it that are then the only ones that were counted. */
async function used(statements: readonly string[]): Promise<{ folder: string; advise: () => Promise<DatabaseAdvice> }> {
  const { folder } = await test.folderOf([tables]);
  const connection = test.connection;
  await applyMigrations({ connection, folder });
  for (const each of [...rows, `vacuum analyze "Order"`, "vacuum analyze event", "vacuum analyze customer"])
    await test.query(each, admin());
  await test.query("create extension pg_stat_statements", admin());
  await test.query("select pg_stat_statements_reset()", admin());
  for (const each of statements) await test.query(each);
  const advise = async () => {
    const answer = await adviseIndexes({ connection, observed: admin(), folder });
    if (!answer.known) throw new Error(answer.reason);
    return answer;
  };
  return { folder, advise };
}

/** Returns the cost of a statement with unknown parameters on the live server. */
async function liveCost(sql: string): Promise<number> {
  type Row = { "QUERY PLAN": [{ Plan: { "Total Cost": number } }] };
  const [row] = await test.query<Row>(`explain (generic_plan, format json) ${sql}`);
  return row?.["QUERY PLAN"][0].Plan["Total Cost"] ?? Number.NaN;
}

describe("index advice", () => {
  it("is one index for all statements that the planner would use it for, with costs as on the live server", async () => {
    const newest = (customer: string, limit: string) =>
      `select id from "Order" where customer = ${customer} order by placed desc limit ${limit}`;
    const ofCustomer = (customer: string) => `select note from "Order" where customer = ${customer}`;
    const { folder, advise } = await used([newest("7", "10"), newest("8", "10"), ofCustomer("7")]);
    const before = { newest: await liveCost(newest("$1", "$2")), ofCustomer: await liveCost(ofCustomer("$1")) };
    const { advice, unknown } = await advise();
    expect(unknown).toEqual([]);
    expect(advice).toMatchObject([{ table: 'public."Order"', columns: ["customer", "placed"], writes: 60_000 }]);
    const [index] = advice;
    if (index === undefined) return;
    const shown = await test.query("select indexrelid from pg_index where indrelid = '\"Order\"'::regclass");
    expect(shown).toHaveLength(1);

    await draftIndex(folder, index);
    expect(await readFile(path.join(folder, "current.sql"), "utf8")).toContain(
      '\ncreate index concurrently "Order_customer_placed_idx" on public."Order" (customer, placed);\n',
    );
    await commitMigration({ connection: test.connection, admin: admin(), folder });
    await test.query(`vacuum analyze "Order"`, admin());
    const after = { newest: await liveCost(newest("$1", "$2")), ofCustomer: await liveCost(ofCustomer("$1")) };
    const costs = (statement: keyof typeof before) =>
      index.statements.find(({ text }) => text.startsWith(statement === "newest" ? "select id" : "select note"));
    for (const statement of ["newest", "ofCustomer"] as const) {
      expect(costs(statement)?.costBefore).toBeCloseTo(before[statement], 0);
      expect((costs(statement)?.costAfter ?? 0) / after[statement]).toBeCloseTo(1, 0);
    }
    const [{ bytes } = { bytes: 0 }] = await test.query<{ bytes: number }>(
      `select pg_relation_size('"Order_customer_placed_idx"')::int as bytes`,
    );
    expect(bytes).toBeGreaterThan(index.bytes.low);
    expect(bytes).toBeLessThan(index.bytes.high);
    expect((await advise()).advice).toEqual([]);
  });

  it("is one index for a partitioned table, and none where an index would not help", async () => {
    const { advise } = await used([
      "select count(*) from event where kind = 7",
      `select note from "Order" where id = 7`,
      `select count(*) from "Order" where paid`,
      `select note from "Order" where paid = true`,
      `select note from "Order" where abs(customer) = 7`,
      "select id from customer where name = 'name 7'",
      "select * from fresh where id = 7",
      "select count(*) from pg_stat_activity where pid = 7",
      "create temporary table mine as select 1 as one",
    ]);
    const { advice, unknown, examined } = await advise();
    expect(advice.map(({ table, columns }) => [table, ...columns])).toEqual([["public.event", "kind"]]);
    expect(advice[0]?.fix).toMatchObject({
      statements: [expect.anything(), "create index event_kind_idx on public.event (kind)"],
      effect: expect.stringContaining("blocks writes"),
    });
    expect(examined).toBe(6);
    expect(unknown.map(({ reason }) => reason)).toEqual(["public.fresh was never analyzed, so its size is not known"]);
  });

  it("is not available if the role cannot see the statements, with exit code 5", async () => {
    await test.query("create extension pg_stat_statements", admin());
    const { host, port, user, password, database }: Connection = test.connection;
    const url = `postgresql://${user}@${host}:${port}/${database}`;
    const command = ["scripts/pgw.ts", "index-advice", "--url", url, "-d", "trading", "--json"];
    const env = { ...process.env, PGPASSWORD: password };
    const failure = await promisify(execFile)(process.execPath, command, { cwd: cloneRoot, env }).then(
      () => undefined,
      (error: { code: number; stdout: string }) => error,
    );
    expect(failure?.code).toBe(5);
    expect(JSON.parse(failure?.stdout ?? "")).toEqual({
      known: false,
      reason: expect.stringContaining("grant it pg_monitor or pg_read_all_stats"),
    });
  });
});
