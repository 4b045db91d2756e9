import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applySeeds, inTransaction, sqlFiles, startTradingDatabase, type TradingDatabase } from "./trading-database.ts";

let database: TradingDatabase;

beforeAll(async () => {
  database = await startTradingDatabase();
});
afterAll(() => database?.stop());

/** Every table with a digest of all its rows, and how many. */
async function contents(client: Client): Promise<Record<string, string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition",
  );
  const digests: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ digest: string }>(
      `select count(*) || ' rows ' || coalesce(md5(string_agg(md5(${name}::text), '' order by md5(${name}::text))), '') as digest from ${name}`,
    );
    digests[name] = rows[0]?.digest ?? "";
  }
  return digests;
}

async function count(table: string): Promise<number> {
  const { rows } = await database.migrator.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return rows[0]?.count ?? -1;
}

/** The lines `--! Login: address / password` of a set. */
async function logins(set: string): Promise<{ email: string; password: string }[]> {
  const found: { email: string; password: string }[] = [];
  for (const path of await sqlFiles(join("seeds", set))) {
    for (const [, email = "", password = ""] of (await readFile(path, "utf8")).matchAll(
      /^--! Login: (\S+) \/ (\S+)$/gm,
    )) {
      found.push({ email, password });
    }
  }
  return found;
}

// Each test stands on the sets that those before it applied.
describe("seeds", () => {
  it("of the reference set put in what every environment needs, and no people", async () => {
    await applySeeds(database.migrator, "reference");
    expect(await count("currencies")).toBe(15);
    expect(await count("roles")).toBe(6);
    expect(await count("permissions")).toBe(21);
    expect(await count("stress_test_scenarios")).toBe(7);
    expect(await count("margin_requirements")).toBe(30);
    for (const table of ["users", "accounts", "instruments", "orders"]) expect(await count(table), table).toBe(0);
  });

  it("of the dev set put in the figures that were asked for", async () => {
    await applySeeds(database.migrator, "dev");
    const figures = {
      users: 4,
      instruments: 15,
      accounts: 4,
      liquidity_providers: 4,
      sor_rules: 4,
      risk_limits: 5,
      circuit_breakers: 3,
      orders: 16,
      order_fills: 10,
      trades: 10,
      positions: 6,
      lp_quotes: 936,
      price_bars: 1080,
    };
    for (const [table, rows] of Object.entries(figures)) expect(await count(table), table).toBe(rows);
    const { rows } = await database.migrator.query("select distinct status from orders order by 1");
    expect(rows.map(({ status }) => status)).toEqual([
      "cancelled",
      "expired",
      "filled",
      "new",
      "partially_filled",
      "pending_new",
      "rejected",
    ]);
  });

  it("let every user named log in with the password shown, and everybody active is named", async () => {
    await applySeeds(database.migrator, "demo");
    await database.superuser.query("create schema crypto; create extension pgcrypto schema crypto");
    const named = [...(await logins("dev")), ...(await logins("demo"))];
    for (const { email, password } of named) {
      // pgcrypto knows the older name of the same algorithm.
      const { rows } = await database.superuser.query(
        `select status, replace(password_hash, '$2b$', '$2a$') = crypto.crypt($2, replace(password_hash, '$2b$', '$2a$')) as right,
           replace(password_hash, '$2b$', '$2a$') = crypto.crypt('wrong', replace(password_hash, '$2b$', '$2a$')) as wrong
         from users where email = $1`,
        [email, password],
      );
      expect(rows, email).toEqual([{ status: "active", right: true, wrong: false }]);
    }
    const { rows } = await database.migrator.query("select email from users where status = 'active' order by 1");
    expect(rows.map(({ email }) => email)).toEqual(named.map(({ email }) => email).sort());
  });

  it("carry a title each, and those of the reference set no login", async () => {
    for (const set of ["reference", "dev", "demo"]) {
      for (const path of await sqlFiles(join("seeds", set))) {
        expect(await readFile(path, "utf8"), basename(path)).toMatch(/^--! Title: \S.*\n/);
      }
    }
    for (const path of await sqlFiles("seeds/reference")) {
      expect(await readFile(path, "utf8"), basename(path)).not.toMatch(/^--! Login/m);
    }
  });

  it("applied again change no row of any table, the audit's included", async () => {
    const before = await contents(database.migrator);
    for (const set of ["reference", "dev", "demo"]) await applySeeds(database.migrator, set);
    expect(await contents(database.migrator)).toEqual(before);
  });

  it("leave something to look at in every table but one-time tokens", async () => {
    const empty = Object.entries(await contents(database.migrator)).filter(([, digest]) => digest.startsWith("0 rows"));
    expect(empty.map(([table]) => table)).toEqual(["password_reset_tokens"]);
  });

  it("make books that add up", async () => {
    const { rows } = await database.migrator.query(`
      select
        (select count(*)::int from accounts where balance <> (select coalesce(sum(amount), 0) from account_transactions where account_id = accounts.id)) as balances,
        (select count(*)::int from orders where filled_quantity <> (select coalesce(sum(quantity), 0) from order_fills where order_id = orders.id)) as orders,
        (select count(*)::int from positions where status = 'open' and quantity <>
          (select coalesce(sum(case when (trades.side = 'buy') = (positions.side = 'long') then trades.quantity else -trades.quantity end), 0)
           from trades where position_id = positions.id)) as positions,
        (select count(*)::int from positions where realized_pnl <>
          (select coalesce(sum(realized_pnl), 0) from trades where position_id = positions.id)) as results`);
    expect(rows).toEqual([{ balances: 0, orders: 0, positions: 0, results: 0 }]);
  });

  it("keep what a developer changed in activity and mend what a login needs", async () => {
    const { migrator } = database;
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query(
        "update users set locked_until = now() + interval '1 day', failed_login_attempts = 5 where username = 'trader1'",
      );
      await migrator.query("update accounts set name = 'Mine' where account_number = 'LIVE-100001'");
      for (const path of await sqlFiles("seeds/dev")) await migrator.query(await readFile(path, "utf8"));
      const { rows } = await migrator.query(
        "select locked_until, failed_login_attempts, name from users join accounts on user_id = users.id where account_number = 'LIVE-100001'",
      );
      expect(rows).toEqual([{ locked_until: null, failed_login_attempts: 0, name: "Mine" }]);
    });
  });
});
