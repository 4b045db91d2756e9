import { setTimeout as sleep } from "node:timers/promises";
import getPort from "get-port";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { withRequestContext } from "../../../../scripts/client/context.ts";
import { OutcomeUnknownError } from "../../../../scripts/client/errors.ts";
import { kyselyOn, kyselyTransaction } from "../../../../scripts/client/kysely.ts";
import type { Pool } from "../../../../scripts/client/pool.ts";
import type { StandbyReader } from "../../../../scripts/client/replicas/standby-reader.ts";
import type { Statement } from "../../../../scripts/client/statements.ts";
import { startStandby, type TestStandby } from "../../standby.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

let on: PoolServer;
let standby: TestStandby;
beforeAll(async () => {
  on = await startPoolServer();
  standby = await startStandby(on.server, "shop");
});
afterAll(async () => {
  await standby?.stop();
  await on?.stop();
});
afterEach(() => resume());

const pause = () => standby.admin().query("select pg_wal_replay_pause()");
const resume = () => standby.admin().query("select pg_wal_replay_resume() where pg_is_in_recovery()");

/** Creates a pool of both servers. */
function poolOfBoth(ports = [on.server.connection().port, standby.port]): Pool {
  const { database, user, password } = on.server.as("app", "shop");
  const hosts = ports.map((port) => ({ host: "127.0.0.1", port }));
  return on.pool({
    connection: { hosts, database, user, password, sslmode: "disable" },
    targetSessionAttrs: "primary",
    probeIntervalMs: 200,
    max: 4,
  });
}

/** Returns what a read sees, and which server answered. */
async function read(pool: Pool, conditions: Partial<Statement> = {}): Promise<{ standby: boolean; writes: number }> {
  const { rows } = await pool.query<{ standby: boolean; writes: number }>({
    text: "select pg_is_in_recovery() as standby, count(*)::int as writes from writes",
    replica: true,
    ...conditions,
  });
  return rows[0] as { standby: boolean; writes: number };
}

const untilStandby = (pool: Pool, conditions?: Partial<Statement>) =>
  expect.poll(async () => (await read(pool, conditions)).standby, { interval: 30, timeout: 60_000 }).toBe(true);
const write = (pool: Pool) => pool.query("insert into writes (key) values ('replica')");

describe("a read with `replica`", () => {
  it("is answered by the standby, and by the primary without it", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    expect(await read(pool, { replica: false })).toMatchObject({ standby: false });
  });

  it("is also one of pool.standby(), in transactions and with Kysely", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    const text = "select pg_is_in_recovery() as standby, $1::text as given";
    const isStandby = sql<{
      standby: boolean;
      given: string;
    }>`select pg_is_in_recovery() as standby, ${"x"}::text as given`;
    const standbys = pool.standby();
    const all = async (reader: StandbyReader) => [
      (await reader.query(text, ["x"])).rows,
      (await reader.query({ text, values: ["x"] })).rows,
      await reader.transaction(async (transaction) => (await transaction.query(text, ["x"])).rows),
      (await isStandby.execute(kyselyOn(reader))).rows,
      await kyselyTransaction(reader, async (database) => (await isStandby.execute(database)).rows),
    ];
    expect(await all(standbys)).toEqual(Array(5).fill([{ standby: true, given: "x" }]));
    expect((await isStandby.execute(kyselyOn(pool))).rows).toEqual([{ standby: false, given: "x" }]);
    // No standby is that new.
    expect(await all(pool.standby({ maxLagMs: 0 }))).toEqual(Array(5).fill([{ standby: false, given: "x" }]));
    const database = kyselyOn<{ writes: { key: string } }>(standbys);
    const own = database.transaction().execute((transaction) => isStandby.execute(transaction));
    await expect(own).rejects.toThrow("Kysely on pool.standby() has no transactions");
    const stream = database.selectFrom("writes").selectAll().stream();
    await expect(stream.next()).rejects.toThrow("has no streams");
    const written = database.insertInto("writes").values({ key: "replica" }).execute();
    await expect(written).rejects.toMatchObject({ code: "25006" });
    expect(pool.stats.used).toBe(0);
  });

  it("sees the writes of its own request, and those of others within maxLagMs", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    const { writes } = await read(pool, { replica: false });
    await untilStandby(pool);
    // It does not know of the writes of other requests.
    await withRequestContext({}, async () => {
      expect(await read(pool)).toMatchObject({ standby: true });
      await pool.query({ text: "select 1", readOnly: true });
      expect(await read(pool)).toMatchObject({ standby: true });
    });
    await pause();
    await withRequestContext({ requestId: "in a transaction" }, async () => {
      await pool.transaction(async (transaction) => {
        await transaction.query("select 1");
        expect(await read(pool)).toMatchObject({ standby: false });
      });
    });
    await withRequestContext({ requestId: "writer" }, async () => {
      await write(pool);
      expect(await read(pool)).toEqual({ standby: false, writes: writes + 1 });
      await sleep(400);
      // The position is known by now, and the standby does not have it.
      expect(await read(pool)).toEqual({ standby: false, writes: writes + 1 });
      await withRequestContext({ requestId: "reader" }, () => read(pool)).then((seen) =>
        // A nested context is a part of the request.
        expect(seen).toEqual({ standby: false, writes: writes + 1 }),
      );
      await resume();
      await untilStandby(pool);
      expect(await read(pool)).toEqual({ standby: true, writes: writes + 1 });
    });
  });

  it("of another request is answered by a standby that lags less than maxLagMs, and then by the primary", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    await pause();
    const before = (await standby.admin().query("select count(*)::int as n from writes")).rows[0]?.n;
    await write(pool);
    expect(await read(pool)).toEqual({ standby: true, writes: before });
    await sleep(700);
    expect(await read(pool, { maxLagMs: 500 })).toEqual({ standby: false, writes: before + 1 });
    expect(await read(pool)).toEqual({ standby: true, writes: before });
    await resume();
    await untilStandby(pool, { maxLagMs: 500 });
    expect(await read(pool, { maxLagMs: 500 })).toMatchObject({ writes: before + 1 });
  });

  it("is answered by the primary if the standby lost it, although nothing is left to replay", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool, { maxLagMs: 600 });
    // All that it received is replayed, so only the primary's position shows how old it is.
    await on.admin.query("alter role replicator nologin");
    await on.admin.query("select pg_terminate_backend(pid) from pg_stat_replication");
    await write(pool);
    await sleep(900);
    expect(await read(pool, { maxLagMs: 600 })).toMatchObject({ standby: false });
    await on.admin.query("alter role replicator login");
    await untilStandby(pool, { maxLagMs: 600 });
  });

  it("waits for a position of another process", async () => {
    const [writer, reader] = [on.pool(), poolOfBoth()];
    await untilStandby(reader);
    await pause();
    await write(writer);
    const afterLsn = await writer.lsn();
    expect(await read(reader, { afterLsn })).toMatchObject({ standby: false });
    await resume();
    await untilStandby(reader, { afterLsn });
    await expect(read(reader, { afterLsn: "later" })).rejects.toThrow('"later" is not a position in the WAL.');
  });

  it("that writes is refused, and not repeated on the primary", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    const statement = { text: "insert into writes (key) values ('on a standby')", replica: true };
    await expect(pool.query(statement)).rejects.toMatchObject({ code: "25006" });
    expect((await on.written("on a standby")).size).toBe(0);
  });

  it("fails for no caller while the standby is killed, and uses it again when it is back", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    let running = true;
    let answered = 0;
    const reader = async () => {
      while (running) {
        await read(pool);
        answered += 1;
      }
    };
    const readers = Promise.all([1, 2, 3].map(reader));
    await sleep(200);
    await standby.kill();
    const before = answered;
    try {
      await expect.poll(() => answered, { timeout: 60_000 }).toBeGreaterThan(before);
    } finally {
      running = false;
    }
    await readers;
    expect(await read(pool)).toMatchObject({ standby: false });
    await standby.start();
    await untilStandby(pool);
  });

  it("is answered by the primary without a wait if there is no standby", async () => {
    const pool = poolOfBoth([on.server.connection().port, await getPort()]);
    for (let index = 0; index < 50; index += 1) expect(await read(pool)).toMatchObject({ standby: false });
    expect(await read(on.pool())).toMatchObject({ standby: false });
  });

  it("is refused by a pool that may take a standby for the primary", async () => {
    const { host, port } = on.server.connection();
    const { database, user, password } = on.server.as("app", "shop");
    const hosts = [port, standby.port].map((each) => ({ host, port: each }));
    const pool = on.pool({ connection: { hosts, database, user, password, sslmode: "disable" } });
    await expect(read(pool)).rejects.toThrow('targetSessionAttrs is "any"');
  });
});

describe("a transaction with `replica`", () => {
  const count = (pool: Pool) =>
    pool.transaction(
      async (transaction) => {
        const { rows } = await transaction.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
        return rows[0]?.standby;
      },
      { replica: true },
    );

  it("runs on the standby, and on the primary after a write of the same request", async () => {
    const pool = poolOfBoth();
    await untilStandby(pool);
    expect(await count(pool)).toBe(true);
    await pause();
    await withRequestContext({}, async () => {
      await pool.transaction((transaction) => transaction.query("insert into writes (key) values ('replica')"));
      expect(await count(pool)).toBe(false);
    });
    expect(await count(pool)).toBe(true);
  });
});

// The last test: afterwards, there are two primaries.
describe("a transaction whose COMMIT is lost", () => {
  it("has an unknown result if a standby was promoted meanwhile, which may lack it", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2 }, proxy.port);
    proxy.decide(({ type, text }) => {
      if (type !== "Q" || !text.includes("commit")) return "pass";
      proxy.redirect(standby.port);
      return "cut-before";
    });
    const done = pool.transaction((transaction) => transaction.query("insert into writes (key) values ('promoted')"));
    const [error] = await Promise.all([
      done.catch((thrown: unknown) => thrown),
      standby.admin().query("select pg_promote()"),
    ]);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(String(error)).toContain("a standby was promoted");
  });
});
