import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EndedTransactionError, UnfinishedWorkError, UseAfterEndError } from "../../../../scripts/client/errors.ts";
import { kyselyOn, kyselyTransaction } from "../../../../scripts/client/kysely.ts";
import type { Transaction } from "../../../../scripts/client/running-transaction.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

/* Code that goes on after its client was returned, or after its transaction ended. */

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());
beforeEach(() => on.admin.query("truncate writes"));

const insert = "insert into writes (key) values ($1)";
const keys = async () => [...(await on.written("")).keys()].sort();

/** Statement that fails in a way that makes the pool repeat the transaction. */
const conflict = "do $$ begin raise exception using errcode = '40001'; end $$";

describe("a transaction", () => {
  it("sends nothing of a Promise.all any more after one of its statements failed, and a repetition writes once", async () => {
    const pool = on.pool({ max: 1 });
    let runs = 0;
    const late: Promise<unknown>[] = [];
    await pool.transaction(async (transaction) => {
      const isFirst = ++runs === 1;
      const other = sleep(50).then(() => transaction.query(insert, ["late"]));
      late.push(other.catch((error: unknown) => error));
      await Promise.all([transaction.query(isFirst ? conflict : "select 1"), other]);
    });
    expect([runs, await keys()]).toEqual([2, ["late"]]);
    expect(await late[0]).toBeInstanceOf(UseAfterEndError);
  });

  it("sends nothing after its function returned, in the pool's own form and in Kysely's", async () => {
    const pool = on.pool({ max: 1 });
    const left: Promise<unknown>[] = [];
    const leave = (work: Promise<unknown>) => void left.push(work.catch((error: unknown) => error));
    await pool.transaction(async (transaction) => {
      leave(sleep(20).then(() => transaction.query(insert, ["statement"])));
      leave(sleep(20).then(() => transaction.batch([{ text: insert, values: ["batch"] }])));
      leave(sleep(20).then(() => transaction.savepoint(async () => "savepoint")));
      leave(sleep(20).then(() => transaction.client.query(insert, ["client"])));
      await transaction.query(insert, ["kept"]);
    });
    await kyselyTransaction(pool, async (db: Kysely<{ writes: { key: string } }>) => {
      leave(sleep(20).then(() => db.insertInto("writes").values({ key: "kysely" }).execute()));
      leave(sleep(20).then(() => db.selectFrom("writes").selectAll().stream().next()));
    });
    const refused = await Promise.all(left);
    expect(refused.map((error) => error instanceof UseAfterEndError)).toEqual(refused.map(() => true));
    expect(await keys()).toEqual(["kept"]);
  });

  it("refuses statements next to an open savepoint, whose rollback would concern them, too", async () => {
    const pool = on.pool({ max: 1 });
    const fails = async (savepoint: Transaction) => {
      await savepoint.query(insert, ["taken back"]);
      await sleep(20);
      throw new Error("no");
    };
    await pool.transaction(async (transaction) => {
      const nextTo = (key: string) => sleep(5).then(() => transaction.query(insert, [key]));
      const results = await Promise.allSettled([
        transaction.savepoint(fails),
        transaction.savepoint((inner) => inner.query(insert, ["second savepoint"])),
        nextTo("next to it"),
      ]);
      const reasons = results.map((result) => (result.status === "rejected" ? result.reason : undefined));
      expect(reasons).toEqual([new Error("no"), expect.any(UseAfterEndError), expect.any(UseAfterEndError)]);
      // Code within the savepoint may use the object of the transaction, and savepoints may follow each other.
      await transaction.savepoint(() => transaction.savepoint(() => transaction.query(insert, ["nested"])));
      await transaction.query(insert, ["after"]);
    });
    expect(await keys()).toEqual(["after", "nested"]);
  });

  it("is not reported as committed if a statement in it had ended it", async () => {
    const pool = on.pool({ max: 1 });
    let runs = 0;
    const work = pool.transaction(async (transaction) => {
      runs += 1;
      await transaction.query(insert, ["rolled back"]);
      await transaction.query("rollback");
      await transaction.query(insert, ["on its own"]);
    });
    const error = await work.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EndedTransactionError);
    expect((error as Error).message).toMatch(/^A statement in the transaction had ended it/);
    expect(runs).toBe(1);
    expect(await keys()).toEqual(["on its own"]);
  });

  it("runs no statement after its signal has aborted between two of them", async () => {
    const pool = on.pool({ max: 1 });
    const abort = new AbortController();
    const work = pool.transaction(
      async (transaction) => {
        await transaction.query(insert, ["first"]);
        abort.abort(new Error("the user left"));
        await expect(transaction.query("select pg_sleep(60)")).rejects.toThrow("the user left");
      },
      { signal: abort.signal },
    );
    await expect(work).rejects.toThrow("the user left");
    expect(await keys()).toEqual([]);
  });
});

describe("a returned client", () => {
  it("cannot be returned or used again by its former user, whoever has it now", async () => {
    const pool = on.pool({ max: 1 });
    const former = await pool.connect();
    former.release();
    const next = await pool.connect();
    await next.query("begin");
    await next.query(insert, ["kept"]);
    expect(() => former.release()).toThrow(UseAfterEndError);
    await expect(former.query("rollback")).rejects.toThrow(UseAfterEndError);
    expect((await next.query("commit")).command).toBe("COMMIT");
    next.release();
    const kept = await pool.withClient(async (client) => client);
    await expect(kept.query("select 1")).rejects.toThrow(UseAfterEndError);
    expect(await keys()).toEqual(["kept"]);
  });

  it("is free again after a call that the driver refused", async () => {
    const pool = on.pool({ max: 1 });
    await pool.transaction(async ({ client }) => {
      expect(() => client.query(undefined as unknown as string)).toThrow(TypeError);
    });
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("a statement that leaves a transaction open", () => {
  it("is rolled back, and its caller is told", async () => {
    const pool = on.pool({ max: 1 });
    const db = kyselyOn<{ writes: { key: string } }>(pool);
    const reported: unknown[] = [];
    pool.on("unfinished", ({ statement }) => reported.push(statement));
    const open = "begin; insert into writes (key) values ('left open')";
    await expect(pool.query(open)).rejects.toThrow(UnfinishedWorkError);
    await expect(sql.raw(open).execute(db)).rejects.toThrow(UnfinishedWorkError);
    const held = db.connection().execute(async (connection) => {
      await sql.raw(open).execute(connection);
    });
    await expect(held).rejects.toThrow(UnfinishedWorkError);
    expect([reported.length, await keys()]).toEqual([3, []]);
  });
});

describe("an error with a code of lost connections", () => {
  it.each([
    ["a missing parameter", "select $1::text, $2::text", ["one"], "08P01"],
    ["an error of a function", "do $$ begin raise exception using errcode = '08001'; end $$", undefined, "08001"],
  ])("is the caller's, and nothing is repeated: %s", async (_name, text, values, code) => {
    const pool = on.pool({ max: 1 });
    await expect(pool.query(text, values)).rejects.toMatchObject({ code });
    let runs = 0;
    const work = pool.transaction(async (transaction) => {
      runs += 1;
      await transaction.query(text, values);
    });
    await expect(work).rejects.toMatchObject({ code });
    const foreign = pool.transaction(async () => {
      runs += 1;
      throw new Error("redis: Connection terminated");
    });
    await expect(foreign).rejects.toThrow("redis: Connection terminated");
    expect(runs).toBe(2);
  });
});
