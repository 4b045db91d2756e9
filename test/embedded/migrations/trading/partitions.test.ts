import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { catalogOf } from "../catalog.ts";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";

const partitioned = ["api_access_log", "audit_log", "lp_quotes", "order_audit", "user_activity_log"];
let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("trading", ["reference", "dev"]);
});
afterAll(() => database?.stop());
// Restores the partitions of the migrations and deletes rows from the future.
afterEach(async () => {
  const { migrator } = database;
  const { suffix } = await month(3);
  await inTransaction(migrator, "commit", async () => {
    await migrator.query("set local app.maintenance = 'on'");
    const { rows } = await migrator.query<{ name: string }>(
      "select relname as name from pg_class where relispartition and relkind = 'r' and right(relname, 7) > $1 and relname ~ '_\\d{4}_\\d{2}$'",
      [suffix],
    );
    for (const { name } of rows) await migrator.query(`drop table ${name}`);
    await migrator.query("delete from api_access_log");
    await migrator.query("delete from lp_quotes where quoted_at > now()");
  });
});

/** Returns the first day of the month that is `ahead` months from now, in UTC, and the suffix of its partitions. */
async function month(ahead: number): Promise<{ start: string; suffix: string }> {
  const { rows } = await database.migrator.query(
    `select to_char(month, 'YYYY-MM-DD"T00:00:00Z"') as start, to_char(month, 'YYYY_MM') as suffix
     from (select date_trunc('month', now() at time zone 'UTC') + make_interval(months => $1) as month) as asked`,
    [ahead],
  );
  return rows[0] as { start: string; suffix: string };
}

async function ensure(client: Client, monthsAhead: number, dryRun = false): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>("select ensure_partitions($1, $2) as name", [
    monthsAhead,
    dryRun,
  ]);
  return rows.map(({ name }) => name);
}

const log =
  "insert into api_access_log (occurred_at, method, path, status_code, duration_ms) values ($1, 'GET', $2, 200, 1)";
const where = "select tableoid::regclass::text as partition from api_access_log where path = $1";

describe("ensure_partitions", () => {
  it("has nothing to do after the migrations, which made this month and the next three", async () => {
    expect(await ensure(database.migrator, 3)).toEqual([]);
    const { rows } = await database.migrator.query<{ name: string }>(
      "select relname as name from pg_class where relispartition and relkind = 'r' order by 1",
    );
    const suffixes = ["default"];
    for (const ahead of [0, 1, 2, 3]) suffixes.push((await month(ahead)).suffix);
    expect(rows.map(({ name }) => name).sort()).toEqual(
      partitioned.flatMap((table) => suffixes.map((suffix) => `${table}_${suffix}`)).sort(),
    );
  });

  it("lists in a dry run what it would make, in a read-only transaction, and makes nothing", async () => {
    const before = await catalogOf(database.migrator);
    const told = await inTransaction(database.migrator, "commit", async () => {
      await database.migrator.query("set transaction read only");
      return ensure(database.migrator, 4, true);
    });
    const { suffix } = await month(4);
    expect(told).toEqual(partitioned.map((table) => `${table}_${suffix}`));
    expect(await catalogOf(database.migrator)).toEqual(before);
    expect(await ensure(database.migrator, 4)).toEqual(told);
    expect(await ensure(database.migrator, 4)).toEqual([]);
  });

  it("moves rows out of the default partition into their new partition, and no others", async () => {
    const { app, migrator } = database;
    const inside = await month(5);
    const outside = await month(6);
    await app.query(log, [inside.start, "/inside"]);
    await app.query(log, [outside.start, "/outside"]);
    expect((await app.query(where, ["/inside"])).rows).toEqual([{ partition: "api_access_log_default" }]);

    await ensure(migrator, 5);
    expect((await app.query(where, ["/inside"])).rows).toEqual([{ partition: `api_access_log_${inside.suffix}` }]);
    expect((await app.query(where, ["/outside"])).rows).toEqual([{ partition: "api_access_log_default" }]);
  });

  it("moves rows with generated columns and foreign keys", async () => {
    const { migrator } = database;
    const { start, suffix } = await month(4);
    await migrator.query(
      `insert into lp_quotes (quoted_at, liquidity_provider_id, instrument_id, bid, ask, bid_quantity, ask_quantity)
       select $1, liquidity_provider_id, instrument_id, 1, 2, 1, 1 from lp_instruments limit 1`,
      [start],
    );
    await ensure(migrator, 4);
    const { rows } = await migrator.query(
      "select tableoid::regclass::text as partition, mid, spread from lp_quotes where quoted_at = $1",
      [start],
    );
    expect(rows).toEqual([{ partition: `lp_quotes_${suffix}`, mid: "1.5000000000", spread: "1.0000000000" }]);
    const lost = migrator.query(
      `insert into lp_quotes_${suffix} (quoted_at, liquidity_provider_id, instrument_id, bid, ask, bid_quantity, ask_quantity)
       values ($1, gen_random_uuid(), gen_random_uuid(), 1, 2, 1, 1)`,
      [start],
    );
    expect((await refusal(lost)).code).toBe("23503");
  });

  it("bounds months in UTC, whatever the session's time zone", async () => {
    const { migrator } = database;
    await migrator.query("set timezone = 'Pacific/Auckland'");
    await ensure(migrator, 5);
    await migrator.query("set timezone = 'UTC'");
    const [from, to] = [await month(5), await month(6)];
    const { rows } = await migrator.query(
      "select pg_get_expr(relpartbound, oid) as bounds from pg_class where relname = $1",
      [`audit_log_${from.suffix}`],
    );
    const utc = (start: string) => start.replace("T", " ").replace("Z", "+00");
    expect(rows).toEqual([{ bounds: `FOR VALUES FROM ('${utc(from.start)}') TO ('${utc(to.start)}')` }]);
  });

  it("makes each partition once if several sessions call it at once", async () => {
    const callers = await Promise.all(
      [1, 2, 3, 4].map(() => database.connect(database.server.as("migrator", "trading"))),
    );
    const made = await Promise.all(callers.map((client) => ensure(client, 9)));
    const all = made.flat().sort();
    expect(all).toEqual([...new Set(all)]);
    expect(all).toHaveLength(partitioned.length * 6);
  });

  it("works while the app writes, and loses no row", async () => {
    const { app, migrator } = database;
    const { start } = await month(0);
    let written = 0;
    let done = false;
    const writing = (async () => {
      while (!done) {
        await app.query(log, [start, "/busy"]);
        written++;
      }
    })();
    await ensure(migrator, 12);
    done = true;
    await writing;
    const { rows } = await app.query("select count(*)::int as found from api_access_log where path = '/busy'");
    expect(rows).toEqual([{ found: written }]);
  });

  it("gives new partitions no more privileges than their table", async () => {
    const { app, migrator } = database;
    const { suffix, start } = await month(4);
    await ensure(migrator, 4);
    const { rows } = await migrator.query(
      `select relname as name, acl.grantee::regrole::text as grantee, string_agg(privilege_type, ',' order by privilege_type) as privileges
       from pg_class, aclexplode(relacl) as acl where relname like $1 and acl.grantee <> relowner group by 1, 2 order by 1, 2`,
      [`%\\_${suffix}`],
    );
    expect(rows).toEqual(
      partitioned.flatMap((table) => [
        {
          name: `${table}_${suffix}`,
          grantee: "trading_app",
          privileges: /audit/.test(table) ? "SELECT" : "INSERT,SELECT",
        },
        { name: `${table}_${suffix}`, grantee: "trading_readonly", privileges: "SELECT" },
      ]),
    );
    await app.query(log, [start, "/direct"]);
    expect((await refusal(app.query(`delete from api_access_log_${suffix}`))).message).toBe(
      `permission denied for table api_access_log_${suffix}`,
    );
    expect((await refusal(migrator.query(`delete from api_access_log_${suffix}`))).message).toBe(
      `DELETE on api_access_log_${suffix} is not allowed: the table is append-only`,
    );
  });

  it("leaves app.maintenance as it found it", async () => {
    const { migrator } = database;
    await inTransaction(migrator, "rollback", async () => {
      await ensure(migrator, 4);
      expect((await migrator.query("select current_setting('app.maintenance', true) as value")).rows).toEqual([
        { value: "" },
      ]);
    });
  });

  it("refuses a number of months that is out of range", async () => {
    expect((await refusal(ensure(database.migrator, -1))).message).toBe("months_ahead is -1, it must be from 0 to 60");
    expect((await refusal(ensure(database.migrator, 61))).message).toBe("months_ahead is 61, it must be from 0 to 60");
  });

  it("cannot be called by the app", async () => {
    expect((await refusal(ensure(database.app, 3, true))).message).toBe(
      "permission denied for function ensure_partitions",
    );
  });
});
