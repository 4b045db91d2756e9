import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { AbortedCommitError, OutcomeUnknownError } from "../../../../scripts/client/errors.ts";
import { kyselyOn } from "../../../../scripts/client/kysely.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { ProtocolMessage, Verdict } from "../../../support/protocol-proxy.ts";
import { type PoolServer, startPoolServer } from "./pool-server.ts";

let on: PoolServer;
beforeAll(async () => {
  on = await startPoolServer();
});
afterAll(() => on.stop());

interface Tables {
  writes: { key: string };
}

/** Makes a rule that decides about the first message that matches, and lets all others pass. */
function once(matches: (message: ProtocolMessage) => boolean, verdict: Verdict) {
  const state = { hit: false };
  const rule = (message: ProtocolMessage): Verdict => {
    if (state.hit || !matches(message)) return "pass";
    state.hit = true;
    return verdict;
  };
  return { rule, state };
}

const fromClient =
  (type: string, text = "") =>
  (message: ProtocolMessage) =>
    message.from === "client" && message.type === type && message.text.includes(text);
const fromServer =
  (type: string, text = "") =>
  (message: ProtocolMessage) =>
    message.from === "server" && message.type === type && message.text.startsWith(text);

const cuts: [name: string, matches: (message: ProtocolMessage) => boolean, verdict: Verdict][] = [
  ...(["cut-before", "cut-inside", "cut-after"] as const).flatMap((verdict) => [
    [`${verdict} Bind`, fromClient("B", "key-"), verdict] as [string, (m: ProtocolMessage) => boolean, Verdict],
    [`${verdict} Execute`, fromClient("E"), verdict] as [string, (m: ProtocolMessage) => boolean, Verdict],
  ]),
  ["cut before the answer to the INSERT", fromServer("C", "INSERT"), "cut-before"],
];
const commits: typeof cuts = [
  ...(["cut-before", "cut-inside", "cut-after"] as const).map(
    (verdict) => [`${verdict} COMMIT`, fromClient("Q", "commit"), verdict] as (typeof cuts)[number],
  ),
  ["cut after the server committed and before its answer", fromServer("C", "COMMIT"), "cut-before"],
];

/** Creates a pool with an open connection, which is cut at the first message that matches. */
async function poolToCut(matches: (message: ProtocolMessage) => boolean, verdict: Verdict) {
  const proxy = await on.proxy();
  const pool = on.pool({ max: 2 }, proxy.port);
  await pool.query("select 1");
  const { rule, state } = once(matches, verdict);
  proxy.decide(rule);
  return { pool, state };
}

describe("a transaction function", () => {
  it.each([...cuts, ...commits])(
    "is committed exactly once, without an error, if the connection is cut: %s",
    async (name, matches, verdict) => {
      const key = `tx key-${name}`;
      const { pool, state } = await poolToCut(matches, verdict);
      await pool.transaction((transaction) => transaction.query("insert into writes (key) values ($1)", [key]));
      expect(state.hit).toBe(true);
      expect(await on.written(key)).toEqual(new Map([[key, 1]]));
      expect(pool.stats.used).toBe(0);
    },
  );

  it.each(commits)(
    "that only reads is repeated, without an error, if the connection is cut: %s",
    async (_, matches, verdict) => {
      const { pool, state } = await poolToCut(matches, verdict);
      const options = { readOnly: true };
      const { rows } = await pool.transaction((transaction) => transaction.query("select 1 as one"), options);
      expect([rows, state.hit]).toEqual([[{ one: 1 }], true]);
    },
  );

  it.each(commits)(
    "of a pool with one client is committed exactly once, also with Kysely, if the connection is cut: %s",
    async (name, matches, verdict) => {
      const proxy = await on.proxy();
      for (const kind of ["pool", "kysely"] as const) {
        const pool = on.pool({ max: 1, connectionTimeoutMs: 4_000 }, proxy.port);
        const key = `single key-${kind}-${name}`;
        const { rule, state } = once(matches, verdict);
        proxy.decide(rule);
        const insert = (): Promise<unknown> =>
          kind === "pool"
            ? pool.transaction((transaction) => transaction.query("insert into writes (key) values ($1)", [key]))
            : kyselyOn<Tables>(pool)
                .transaction()
                .execute((transaction) => transaction.insertInto("writes").values({ key }).execute());
        // Kysely's own transactions are not repeated.
        await insert().catch((error: unknown) => {
          if (!(error instanceof AbortedCommitError) || kind === "pool") throw error;
          return insert();
        });
        expect(state.hit).toBe(true);
        expect(await on.written(key)).toEqual(new Map([[key, 1]]));
        expect(pool.stats).toMatchObject({ used: 0, waiting: 0 });
      }
    },
  );

  it.each(["before the server has the COMMIT", "before the answer to the COMMIT"])(
    "is committed exactly once if each client of the pool is cut at the same time, %s",
    async (when) => {
      const proxy = await on.proxy();
      const max = 4;
      const pool = on.pool({ max, connectionTimeoutMs: 6_000 }, proxy.port);
      const key = `together ${when} key-`;
      let committing = 0;
      let cut = false;
      const isCommit = when.includes("answer") ? fromServer("C", "COMMIT") : fromClient("Q", "commit");
      proxy.decide((message) => {
        if (cut || !isCommit(message)) return "pass";
        committing += 1;
        cut = committing === max;
        if (cut) proxy.cutAll();
        return "hold";
      });
      // None may commit before all clients are in use.
      const all = Promise.withResolvers<void>();
      let begun = 0;
      const writes = Array.from({ length: max }, (_, index) =>
        pool.transaction(async (transaction) => {
          await transaction.query("insert into writes (key) values ($1)", [`${key}${index}`]);
          begun += 1;
          if (begun === max) all.resolve();
          await all.promise;
        }),
      );
      await Promise.all(writes);
      expect(cut).toBe(true);
      expect(await on.written(key)).toEqual(new Map(writes.map((_, index) => [`${key}${index}`, 1])));
      expect(pool.stats).toMatchObject({ used: 0, waiting: 0 });
    },
  );

  it.each(["cut-before", "cut-after"] as const)(
    "of Kysely that cannot begin leaves no client behind if the connection is cut: %s BEGIN",
    async (verdict) => {
      const { pool, state } = await poolToCut(fromClient("Q", "begin"), verdict);
      const database = kyselyOn<Tables>(pool);
      const begin = () => database.transaction().execute(async () => "begun");
      // What was forwarded whole may be answered in time.
      const [result] = await Promise.allSettled([begin()]);
      expect([state.hit, result?.status]).toEqual([true, verdict === "cut-before" ? "rejected" : expect.any(String)]);
      expect(pool.stats.used).toBe(0);
      expect(await Promise.all([begin(), begin()])).toEqual(["begun", "begun"]);
    },
  );

  it("reports a lost COMMIT as unknown if it may not ask, and does not repeat it", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2, resolveCommits: false }, proxy.port);
    // A COMMIT that was forwarded whole may be answered in time.
    const unanswered = commits.filter(([, , verdict]) => verdict !== "cut-after");
    for (const [index, [, matches, verdict]] of unanswered.entries()) {
      const key = `unasked key-${index}`;
      const { rule, state } = once(matches, verdict);
      proxy.decide(rule);
      let runs = 0;
      const done = pool.transaction((transaction) => {
        runs += 1;
        return transaction.query("insert into writes (key) values ($1)", [key]);
      });
      await expect(done).rejects.toThrow(OutcomeUnknownError);
      expect(state.hit).toBe(true);
      expect(runs).toBe(1);
      expect((await on.written(key)).get(key) ?? 0).toBeLessThanOrEqual(1);
    }
    // The last cut comes after the commit, so this row exists although its writer was told that it is unknown.
    expect(await on.written(`unasked key-${unanswered.length - 1}`)).toHaveProperty("size", 1);
  });

  it("is not called committed if the server crashed since and gave its number to another transaction", async () => {
    // This server writes asynchronous commits to its disk every 10 s only.
    const crashing = await startPoolServer({ wal_writer_delay: "10s" });
    onTestFinished(() => crashing.stop());
    const proxy = await crashing.proxy();
    const pool = crashing.pool({ max: 2 }, proxy.port);
    await pool.query("select 1");
    proxy.decide((message) => {
      if (!fromServer("C", "COMMIT")(message)) return "pass";
      void proxy.close();
      return "cut-before";
    });
    let lost = "";
    const done = pool.transaction(async (transaction) => {
      await transaction.query("set local synchronous_commit = off");
      const { rows } = await transaction.query<{ id: string }>("select pg_current_xact_id()::text as id");
      lost = rows[0]?.id ?? "";
      await transaction.query("insert into writes (key) values ('lost key')");
    });
    const outcome = done.catch((error: unknown) => error);
    await expect.poll(() => proxy.open).toBe(0);
    await crashing.server.crash();
    const found = await withClient(crashing.server.connection("shop"), async (admin) => {
      const { rows } = await admin.query("select pg_current_xact_id()::text as id");
      const status = await admin.query("select pg_xact_status($1::xid8) as status", [lost]);
      const written = await admin.query("select from writes");
      return [rows, status.rows, written.rowCount];
    });
    // What makes the trial count: the row is gone, and its number is committed.
    expect(found).toEqual([[{ id: lost }], [{ status: "committed" }], 0]);
    proxy.decide(() => "pass");
    await proxy.reopen();
    expect(await outcome).toBeInstanceOf(OutcomeUnknownError);
    expect(await outcome).toHaveProperty("message", expect.stringContaining("has restarted since"));
  });

  it.each([
    ["while it waits for a standby", fromClient("Q", "commit"), "cut-after", undefined, /its session is still running/],
    ["while it waits, and its session ends", fromClient("Q", "commit"), "cut-after", "end", /no synchronous standby/],
  ] as const)(
    "is not called committed before a synchronous standby has it, if the connection is cut %s",
    async (_, matches, verdict, end, reason) => {
      const key = `unconfirmed ${end}`;
      const proxy = await on.proxy();
      const pool = on.pool({ max: 2, connectionTimeoutMs: 2_500 }, proxy.port);
      await pool.query("select 1");
      await on.admin.query("alter system set synchronous_standby_names = 'nobody'");
      await on.admin.query("select pg_reload_conf()");
      try {
        proxy.decide(once(matches, verdict).rule);
        const done = pool.transaction((transaction) =>
          transaction.query("insert into writes (key) values ($1)", [key]),
        );
        const outcome = done.catch((error: unknown) => error);
        const waiting = "from pg_stat_activity where wait_event = 'SyncRep' and query = 'commit'";
        const isWaiting = async () => (await on.admin.query(`select pid ${waiting}`)).rowCount;
        await expect.poll(isWaiting).toBe(1);
        if (end === "end") await on.admin.query(`select pg_terminate_backend(pid) ${waiting}`);
        expect(await outcome).toBeInstanceOf(OutcomeUnknownError);
        expect(await outcome).toMatchObject({ message: expect.stringMatching(reason) });
      } finally {
        await on.admin.query("alter system reset synchronous_standby_names");
        await on.admin.query("select pg_reload_conf()");
      }
    },
  );

  it("is committed by a role that may not ask, and its result is unknown if the COMMIT is lost", async () => {
    const control = "execute on function pg_catalog.pg_control_system()";
    await on.admin.query(`revoke ${control} from public`);
    try {
      const proxy = await on.proxy();
      const pool = on.pool({ max: 2 }, proxy.port);
      const write = () =>
        pool.transaction((transaction) => transaction.query("insert into writes (key) values ('revoked key-')"));
      await write();
      expect(await on.written("revoked key-")).toEqual(new Map([["revoked key-", 1]]));
      proxy.decide(once(fromClient("Q", "commit"), "cut-before").rule);
      await expect(write()).rejects.toThrow("may not execute the functions");
    } finally {
      await on.admin.query(`grant ${control} to public`);
    }
  });

  it("ends the session that holds its COMMIT back, and then knows the result", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2 }, proxy.port);
    await pool.query("select 1");
    // The server never gets the COMMIT, and keeps the connection: its transaction stays open.
    const { rule } = once(fromClient("Q", "commit"), "hold");
    proxy.decide(rule);
    const done = pool.transaction((transaction) => transaction.query("insert into writes (key) values ('held key-')"));
    await expect.poll(() => pool.checkouts.all.size).toBe(1);
    const [held] = pool.checkouts.all;
    await expect.poll(() => held?.client.lastText).toBe("commit");
    held?.client.destroy();
    await done;
    expect(await on.written("held key-")).toEqual(new Map([["held key-", 1]]));
  });
});

describe("a statement", () => {
  it.each(cuts)(
    "that may write is written at most once and reported as unknown if the connection is cut: %s",
    async (name, matches, verdict) => {
      const key = `statement key-${name}`;
      const { pool, state } = await poolToCut(matches, verdict);
      const error: unknown = await pool
        .query("insert into writes (key) values ($1)", [key])
        .catch((thrown: unknown) => thrown);
      expect(state.hit).toBe(true);
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect((await on.written(key)).get(key) ?? 0).toBeLessThanOrEqual(1);
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    },
  );

  it.each(cuts.slice(0, 6))(
    "that is marked read-only is repeated without an error if the connection is cut: %s",
    async (name, matches, verdict) => {
      const { pool, state } = await poolToCut(matches, verdict);
      const { rows } = await pool.query({ text: "select $1::text as key", values: [`key-${name}`], readOnly: true });
      expect(rows).toEqual([{ key: `key-${name}` }]);
      expect(state.hit).toBe(true);
      expect(pool.stats.retries).toBe(1);
    },
  );

  it("is sent on another connection if the idle one was cut before", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2 }, proxy.port);
    for (let round = 0; round < 5; round += 1) {
      await pool.query("insert into writes (key) values ($1)", [`idle key-${round}`]);
      proxy.cutAll();
      await expect.poll(() => pool.stats.total).toBe(0);
    }
    expect(await on.written("idle key-")).toHaveProperty("size", 5);
  });
});

describe("a COPY", () => {
  const lines = (key: string) => Readable.from([`${key}\n`]);

  it.each(commits)(
    "reports if its rows were written when the connection is cut: %s",
    async (name, matches, verdict) => {
      const key = `copy key-${name}`;
      const { pool, state } = await poolToCut(matches, verdict);
      const [copied] = await Promise.allSettled([pool.copyFrom("copy writes (key) from stdin", lines(key))]);
      expect(state.hit).toBe(true);
      const written = (await on.written(key)).get(key) ?? 0;
      expect(copied).toMatchObject(
        written === 1 ? { value: 1 } : { reason: expect.any(AbortedCommitError), status: "rejected" },
      );
      expect(pool.stats.used).toBe(0);
    },
  );

  it("is reported as unknown if the connection is cut in its COMMIT and the server may not be asked", async () => {
    const proxy = await on.proxy();
    const pool = on.pool({ max: 2, resolveCommits: false }, proxy.port);
    proxy.decide(once(fromServer("C", "COMMIT"), "cut-before").rule);
    const copied = pool.copyFrom("copy writes (key) from stdin", lines("copy unasked-"));
    await expect(copied).rejects.toThrow(OutcomeUnknownError);
    expect(await on.written("copy unasked-")).toHaveProperty("size", 1);
  });
});
