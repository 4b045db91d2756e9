import { PassThrough, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WorkTimeoutError } from "../../../../scripts/client/errors.ts";
import { kyselyOn, pageOf } from "../../../../scripts/client/kysely.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

/** Counts the sessions of a pool that run a statement now. */
async function running(applicationName: string): Promise<number> {
  const { rows } = await on.admin.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where application_name = $1 and state = 'active'",
    [applicationName],
  );
  return rows[0]?.n ?? 0;
}

/** Reads a stream to its end. */
async function drain(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

/** A target that takes nothing. */
const stalled = () => new Writable({ highWaterMark: 1, write: () => {} });

describe("a stream of rows", () => {
  it("reads in batches at the consumer's speed, and returns its client when the loop ends early", async () => {
    const pool = on.pool({ max: 1 });
    let sum = 0;
    for await (const { x } of pool.stream<{ x: number }>("select x from generate_series(1, $1) as x", [1_000], {
      batchSize: 64,
    }))
      sum += x;
    expect(sum).toBe(500_500);
    for await (const { x } of pool.stream<{ x: number }>("select x from generate_series(1, 1000000) as x"))
      if (x === 250) break;
    expect(pool.stats.used).toBe(0);
    await expect(
      (async () => {
        for await (const _ of pool.stream("select 1 / (500 - x) from generate_series(1, 1000) as x"));
      })(),
    ).rejects.toThrow("division by zero");
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.stats).toMatchObject({ used: 0, connects: 1 });
  });

  it("ends with its signal", async () => {
    const pool = on.pool({ max: 1 });
    const abort = new AbortController();
    const reading = (async () => {
      for await (const _ of pool.stream("select pg_sleep(0.02) from generate_series(1, 1000)", [], {
        batchSize: 1,
        signal: abort.signal,
      }));
    })();
    setTimeout(() => abort.abort(), 100);
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("pages", () => {
  interface Tables {
    ranked: { id: number; rank: number | null; done: boolean | null };
  }
  const order = [{ direction: "asc" }, { direction: "desc" }] as const;

  it.each(order)("have every row once and in order, $direction, also those without a value", async ({ direction }) => {
    const database = kyselyOn<Tables>(on.pool({ max: 1 }));
    await on.admin.query(`
      drop table if exists ranked;
      create table ranked as select id, case when id % 3 = 0 then null when id % 7 = 0 then 'NaN' else (id % 4)::float8 / 2 end as rank,
        nullif(id % 4, 0) > 1 as done from generate_series(1, 20) as id;
      grant select on ranked to public`);
    for (const by of ["rank", "done"] as const)
      for (const limit of [1, 3, 4, 20]) {
        const seen: number[] = [];
        let after: string | undefined;
        do {
          const page = await pageOf(
            database.selectFrom("ranked").selectAll(),
            { by, id: "id", direction },
            { limit, after },
          );
          seen.push(...page.rows.map(({ id }) => id));
          after = page.next;
        } while (after !== undefined && seen.length <= 20);
        const all = await database.selectFrom("ranked").select("id").orderBy(by, direction).orderBy("id").execute();
        expect({ by, limit, seen }).toEqual({ by, limit, seen: all.map(({ id }) => id) });
      }
    const without = pageOf(
      database.selectFrom("ranked").select("id"),
      { by: "rank", id: "id", direction },
      { limit: 1 },
    );
    await expect(without).rejects.toThrow('no column "rank"');
  });
});

describe("streams and COPY", () => {
  it("leave no statement at the server when they are aborted", async () => {
    const applicationName = "aborted often";
    const pool = on.pool({ max: 2, applicationName });
    const sleeping = "select pg_sleep(120)";
    const abort = (index: number) => {
      const signal = AbortSignal.timeout(50);
      return index % 2 === 0
        ? drain(pool.stream(sleeping, [], { signal }))
        : pool.copyTo(`copy (${sleeping}) to stdout`, stalled(), { signal });
    };
    for (let round = 0; round < 3; round += 1) {
      const [one, other] = await Promise.allSettled([abort(0), abort(1)]);
      expect([one, other]).toMatchObject([{ reason: { name: "TimeoutError" } }, { reason: { name: "TimeoutError" } }]);
      expect(pool.stats.used).toBe(0);
    }
    await expect.poll(() => running(applicationName), { timeout: 5_000 }).toBe(0);
    const client = await pool.connect();
    client.query(sleeping).catch(() => {});
    await expect.poll(() => running(applicationName), { timeout: 5_000 }).toBe(1);
    client.release(true);
    await expect.poll(() => running(applicationName), { timeout: 5_000 }).toBe(0);
  });

  it.each(["stream", "copyTo"] as const)("send no statement after an abort: %s", async (method) => {
    const proxy = await on.proxy();
    const applicationName = `aborted ${method}`;
    const pool = on.pool({ max: 1, applicationName }, proxy.port);
    await pool.query("select 1");
    const abort = new AbortController();
    proxy.decide(({ from, type, text }) => {
      // The request to cancel, which is a connection of its own, does not arrive.
      if (type === "") return "hold";
      if (from === "client" && text.includes("begin")) abort.abort();
      return "pass";
    });
    const { signal } = abort;
    const sleeping = "select pg_sleep(120)";
    const done =
      method === "stream"
        ? drain(pool.stream(sleeping, [], { signal }))
        : pool.copyTo(`copy (${sleeping}) to stdout`, stalled(), { signal });
    await expect(done).rejects.toMatchObject({ name: "AbortError" });
    expect(await running(applicationName)).toBe(0);
    expect(pool.stats.used).toBe(0);
  });

  it("have no limit for the other end by default, and one for all with timeoutMs", async () => {
    const pool = on.pool({ max: 2, queryTimeoutMs: 150 });
    let rows = 0;
    for await (const _ of pool.stream("select x from generate_series(1, 20) as x", [], { batchSize: 10 })) {
      rows += 1;
      await sleep(15);
    }
    const numbers = sql<{ x: number }>`generate_series(1, 20)`.as<"x">("x");
    for await (const _ of kyselyOn(pool).selectFrom(numbers).selectAll().stream(10)) {
      rows += 1;
      await sleep(15);
    }
    expect(rows).toBe(40);
    async function* slow() {
      for (let index = 0; index < 5; index += 1) {
        await sleep(50);
        yield `slow-${index}\n`;
      }
    }
    expect(await pool.copyFrom("copy writes (key) from stdin", slow())).toBe(5);
    await expect(drain(pool.stream("select pg_sleep(20)"))).rejects.toThrow(
      "The stream got no answer of the server within 150 ms.",
    );
    await drain(pool.stream("select pg_sleep(0.2)", [], { timeoutMs: null }));
    await expect(drain(pool.stream("select pg_sleep(20)", [], { timeoutMs: 50 }))).rejects.toThrow(WorkTimeoutError);
    await expect(pool.copyFrom("copy writes (key) from stdin", slow(), { timeoutMs: 80 })).rejects.toThrow(
      "The COPY was not done within 80 ms.",
    );
    await expect(pool.copyTo("copy (select 1) to stdout", stalled(), { timeoutMs: 0 })).rejects.toThrow(
      "timeoutMs is 0, expected a number above 0",
    );
    await expect(drain(pool.stream("select 1 / (500 - x) from generate_series(1, 1000) as x"))).rejects.toThrow(
      "division by zero",
    );
    expect((await pool.query("show statement_timeout")).rows).toEqual([{ statement_timeout: "150ms" }]);
    expect(pool.stats.used).toBe(0);
  });
});

describe("COPY", () => {
  it("ends with its signal, its session and the server's error while its source or target waits", async () => {
    const pool = on.pool({ max: 1 });
    const source = (line: string) => {
      const stream = new PassThrough();
      stream.write(line);
      return stream;
    };
    async function* waiting() {
      yield "stalled-1\n";
      await new Promise(() => {});
    }
    const text = "copy writes (key) from stdin";
    // A limit, so that a copy that goes on fails here.
    const options = { timeoutMs: 10_000 };
    const terminate = async () => {
      const statement =
        "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and query like 'copy%' and wait_event = 'ClientRead'";
      const ended = async () => {
        const [checkout] = pool.checkouts.all;
        return (await on.admin.query(statement, [checkout?.client.pid])).rowCount;
      };
      await expect.poll(ended, { timeout: 5_000 }).toBe(1);
    };
    for (const make of [() => source("stalled-1\n"), waiting]) {
      const aborted = pool.copyFrom(text, make(), { signal: AbortSignal.timeout(100) });
      await expect(aborted).rejects.toMatchObject({ name: "TimeoutError" });
      const [killed] = await Promise.allSettled([pool.copyFrom(text, make(), options), terminate()]);
      expect(killed).toMatchObject({
        status: "rejected",
        reason: expect.not.objectContaining({ constructor: WorkTimeoutError }),
      });
    }
    const wrong = source("1\t2\t3\n".repeat(10_000));
    await expect(pool.copyFrom(text, wrong)).rejects.toThrow("extra data after last expected column");
    expect(wrong.destroyed).toBe(true);
    const target = stalled();
    const rows = "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout";
    await expect(pool.copyTo(rows, target, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    expect(await on.written("stalled-")).toEqual(new Map());
    expect(pool.stats.used).toBe(0);
  });

  it("works in both directions, and nothing arrives from a source that fails", async () => {
    const pool = on.pool({ max: 1 });
    async function* lines(count: number, failAt = Number.NaN) {
      for (let index = 0; index < count; index += 1) {
        if (index === failAt) throw new Error("the source failed");
        yield `copy-${index}\n`;
      }
    }
    expect(await pool.copyFrom("copy writes (key) from stdin", lines(1_000))).toBe(1_000);
    const failing = pool.copyFrom("copy writes (key) from stdin", lines(1_000, 500));
    await expect(failing).rejects.toThrow("the source failed");
    await expect(pool.copyFrom("copy nowhere from stdin", lines(1))).rejects.toThrow('"nowhere" does not exist');
    let text = "";
    const target = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    expect(await pool.copyTo("copy (select key from writes where key like 'copy-%') to stdout", target)).toBe(1_000);
    expect(text.trim().split("\n")).toHaveLength(1_000);
    const insert = pool.copyFrom("insert into writes (key) values ('copy-insert')", lines(1));
    await expect(insert).rejects.toThrow("copyFrom() runs one COPY … FROM STDIN");
    await expect(pool.copyFrom("copy writes (key) to stdout", lines(1))).rejects.toThrow("copyFrom() runs one COPY");
    await expect(pool.copyTo("copy writes (key) from stdin", target)).rejects.toThrow("copyTo() runs one COPY");
    expect(await on.written("copy-insert")).toEqual(new Map());
    expect(pool.stats.used).toBe(0);
  });
});

describe("a signal", () => {
  it("cancels its statement at the server, which is rolled back", async () => {
    const pool = on.pool({ max: 1 });
    // To log in can take longer than the statement's limit.
    await pool.query("select 1");
    const started = performance.now();
    const cancelled = pool.query({
      text: "insert into writes (key) select 'cancelled-1' from pg_sleep(20)",
      signal: AbortSignal.timeout(100),
    });
    await expect(cancelled).rejects.toMatchObject({ name: "TimeoutError" });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await on.written("cancelled-")).toEqual(new Map());
    const transaction = pool.transaction((each) => each.query("select pg_sleep(20)"), {
      signal: AbortSignal.timeout(100),
    });
    await expect(transaction).rejects.toMatchObject({ name: "TimeoutError" });
    expect(pool.stats).toMatchObject({ used: 0, connects: 1 });
  });

  it("that aborts as the result arrives cancels no statement of the next borrower", async () => {
    const pool = on.pool({ max: 1 });
    const failures: unknown[] = [];
    for (let round = 0; round < 60; round += 1) {
      const abort = new AbortController();
      const first = pool
        .query({ text: "select pg_sleep(0.004)", signal: abort.signal })
        .catch((error: unknown) => (abort.signal.aborted ? undefined : failures.push(error)));
      const next = pool
        .query("select pg_sleep(0.003), $1::int as round", [round])
        .catch((error: unknown) => failures.push(error));
      setTimeout(() => abort.abort(), 3 + (round % 6) / 2);
      await Promise.all([first, next]);
    }
    expect(failures).toEqual([]);
    expect(pool.stats.connects).toBe(1);
  });
});

describe("prepared statements", () => {
  it("are limited for each client, and survive a change of their result", async () => {
    const pool = on.pool({ max: 1, maxPreparedStatements: 3 });
    for (let index = 0; index < 10; index += 1) {
      const { rows } = await pool.query({ text: `select ${index} + $1::int as sum`, values: [1], prepare: true });
      expect(rows).toEqual([{ sum: index + 1 }]);
    }
    expect((await pool.query("select name from pg_prepared_statements")).rowCount).toBe(3);
    await on.admin.query(
      "create table changing (a int); insert into changing values (1); grant select on changing to public",
    );
    const statement = { text: "select * from changing", prepare: true };
    expect((await pool.query(statement)).rows).toEqual([{ a: 1 }]);
    await on.admin.query("alter table changing add b int default 2");
    expect((await pool.query(statement)).rows).toEqual([{ a: 1, b: 2 }]);
    await expect(pool.query({ text: "select nothing", prepare: true })).rejects.toThrow('"nothing" does not exist');
  });

  it("are limited if a transaction sends many at once, also after one of them failed", async () => {
    const pool = on.pool({ max: 1, maxPreparedStatements: 3 });
    const many = Array.from({ length: 30 }, (_, index) => index % 10);
    const sums = await pool.transaction((transaction) =>
      Promise.all(
        many.map((n) => transaction.query({ text: `select ${n} + $1::int as sum`, values: [1], prepare: true })),
      ),
    );
    expect(sums.map(({ rows }) => rows[0]?.sum)).toEqual(many.map((n) => n + 1));
    const failing = pool.transaction((transaction) =>
      Promise.allSettled(many.map((n) => transaction.query({ text: `select 1 / ${n}`, prepare: true }))),
    );
    await expect(failing).rejects.toThrow("rolled back");
    await pool.query({ text: "select 1 as one", prepare: true });
    expect((await pool.query("select from pg_prepared_statements")).rowCount).toBeLessThanOrEqual(3);
  });

  it("that are out of date repeat their transaction, and a savepoint can use them again", async () => {
    const pool = on.pool({ max: 1 });
    await on.admin.query("create table renewed (a int); grant all on renewed to public");
    const statement = { text: "select * from renewed", prepare: true };
    let runs = 0;
    const read = () =>
      pool.transaction(async (transaction) => {
        runs += 1;
        await transaction.query("insert into renewed (a) values (1)");
        return (await transaction.query(statement)).rows;
      });
    expect(await read()).toEqual([{ a: 1 }]);
    await on.admin.query("alter table renewed add b int");
    expect(await read()).toEqual([1, 2].map(() => ({ a: 1, b: null })));
    expect(runs).toBe(3);
    await on.admin.query("alter table renewed add c int");
    const rows = await pool.transaction(async (transaction) => {
      await expect(transaction.savepoint((inner) => inner.query(statement))).rejects.toMatchObject({ code: "0A000" });
      return (await transaction.query(statement)).rows;
    });
    expect(rows).toHaveLength(2);
  });

  it("that fail with the same code for another reason run once", async () => {
    const pool = on.pool({ max: 1 });
    await on.admin.query(`
      create procedure commits() language plpgsql as $$ begin
        insert into writes values ('committed-1'); commit; raise exception using errcode = '0A000';
      end $$`);
    const call = () => pool.query({ text: "call commits()", prepare: true });
    for (const _ of [1, 2]) await expect(call()).rejects.toMatchObject({ code: "0A000" });
    expect(await on.written("committed-")).toEqual(new Map([["committed-1", 2]]));
  });
});

describe("values", () => {
  it.each(["America/New_York", "Europe/Rome"])("come back as the same text in %s", async (zone) => {
    const before = process.env.TZ;
    process.env.TZ = zone;
    try {
      const values = {
        date: "2026-03-29",
        at: "2026-03-29 01:59:59.123457",
        zoned: "2026-03-29 01:59:59.123457+00",
        numeric: "12345678901234567890.123456789",
        int8: "9007199254740993",
        dates: ["2026-10-25", null],
        numerics: ["1.10", "99999999999999999999.5"],
      };
      const { rows } = await on.pool().query(
        `select $1::date as date, $2::timestamp as at, $3::timestamptz as zoned, $4::numeric as numeric, $5::int8 as int8,
          $6::date[] as dates, $7::numeric[] as numerics`,
        Object.values(values),
      );
      expect(rows).toEqual([values]);
      const { rows: dates } = await on.admin.query("select '2026-03-29'::date as date");
      expect(dates[0]?.date).toBeInstanceOf(Date);
    } finally {
      process.env.TZ = before;
    }
  });
});
