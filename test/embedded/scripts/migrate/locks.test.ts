import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, clientConfig } from "../../../../scripts/connection/connection.ts";
import { backendPid } from "../../../../scripts/connection/session.ts";
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";
import { withLockRetry } from "../../../../scripts/migrate/lock-retry.ts";
import { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
let clients: pg.Client[] = [];
beforeEach(() => {
  connection = test.connection;
});
afterEach(async () => {
  for (const client of clients) await client.end();
  clients = [];
});

const table: Draft = { name: "t", body: "create table t (x int); insert into t values (1);" };
const alter: Draft = { name: "alter", body: "alter table t add column y int;" };

/** Opens an application's session in a transaction that has read the table and stays open. */
async function inTransaction(applicationName = "long report"): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(connection, applicationName));
  await client.connect();
  clients.push(client);
  await client.query("begin");
  await client.query("select * from t");
  return client;
}

describe("a migration that does not get its lock", () => {
  it("is retried after a lock timeout, and applied once the blocking session has ended", async () => {
    const { folder } = await folderOf([table, alter]);
    await applyMigrations({ connection, folder, to: "1" });
    const blocker = await inTransaction();
    const events: MigrationEvent[] = [];
    const onEvent = (event: MigrationEvent) => {
      events.push(event);
      if (event.kind === "lock-timeout" && event.attempt === 2) void blocker.query("commit");
    };
    await applyMigrations({ connection, folder, onEvent, timeouts: { lockTimeout: "300ms" } });
    const timedOut = events.filter((event) => event.kind === "lock-timeout");
    expect(timedOut.length).toBeGreaterThanOrEqual(2);
    expect(timedOut[0]).toMatchObject({
      filename: "000002-alter.sql",
      attempt: 1,
      blockers: [
        {
          applicationName: "long report",
          state: "idle in transaction",
          user: connection.user,
          since: expect.any(Date),
        },
      ],
    });
    expect(await query("select x, y from t")).toEqual([{ x: 1, y: null }]);
  });

  it("fails with the blocking session when the time for retries is over, and leaves nothing", async () => {
    const { folder } = await folderOf([table, alter]);
    await applyMigrations({ connection, folder, to: "1" });
    await inTransaction("stuck report");
    const error = await errorOf(
      applyMigrations({ connection, folder, timeouts: { lockTimeout: "1s", retryFor: "3s" } }),
    );
    expect(error.message).toMatch(/^000002-alter\.sql:4:1: canceling statement due to lock timeout\n/);
    expect(error.message).toMatch(/It was tried \d+ times, with a lock timeout of 1000 ms\./);
    expect(error.message).toMatch(/- stuck report \(pid \d+, \S+, idle in transaction, in a transaction since \S+\)/);
    expect(error.hint).toContain("pg_terminate_backend");
    expect(await query("select filename from graphile_migrate.migrations")).toHaveLength(1);
  });

  it("names the session that blocked an earlier attempt if the last one ended too soon to see it", async () => {
    await query("create table t (x int)");
    await inTransaction("stuck report");
    const client = new pg.Client(clientConfig(connection));
    await client.connect();
    clients.push(client);
    await client.query("set lock_timeout = '600ms'");
    const pid = await backendPid(client);
    const timeouts = { lock: 600, statement: 0, retry: 2_500 };
    let attempts = 0;
    const work = async () => {
      attempts += 1;
      // NOWAIT fails before anything can be seen.
      await client.query(`begin; lock table t${attempts === 1 ? "" : " nowait"}`).catch(async (error) => {
        await client.query("rollback");
        throw new SqlFileError(error.message, "", "000002-alter.sql", error.code, undefined, error);
      });
    };
    const error = await errorOf(withLockRetry({ pid, connection, timeouts, onLockTimeout: () => {} }, work));
    expect(attempts).toBeGreaterThan(1);
    expect(error.message).toMatch(/Last seen blocked by:\n- stuck report \(pid \d+, /);
  });

  it("never keeps new writers waiting for longer than its lock timeout", async () => {
    const { folder } = await folderOf([table, alter]);
    await applyMigrations({ connection, folder, to: "1" });
    const blocker = await inTransaction();
    const writers = await Promise.all(Array.from({ length: 4 }, () => writer()));
    const waits = sampleWaits();
    const done = applyMigrations({
      connection,
      folder,
      timeouts: { lockTimeout: "400ms" },
      onEvent: (event) => {
        if (event.kind === "lock-timeout" && event.attempt === 3) void blocker.query("commit");
      },
    });
    await done;
    const longest = await waits.end();
    const written = (await Promise.all(writers.map((each) => each.end()))).reduce((sum, rows) => sum + rows, 0);
    // Writers queued behind the migration, which released them at each lock timeout. Sampling measures more than
    // the real wait, above all on a busy machine.
    expect(longest.samples).toBeGreaterThan(0);
    expect(longest.milliseconds).toBeLessThan(3 * 400);
    expect(written).toBeGreaterThan(0);
    expect(await query("select count(*)::int as rows from t")).toEqual([{ rows: written + 1 }]);
  });

  it("uses its own lock timeout if the file sets one", async () => {
    const own: Draft = { name: "alter", body: "set local lock_timeout = '50ms';\nalter table t add column y int;" };
    const { folder } = await folderOf([table, own]);
    await applyMigrations({ connection, folder, to: "1" });
    await inTransaction();
    const timeouts = { lockTimeout: "1h", retryFor: "0" };
    const error = await errorOf(applyMigrations({ connection, folder, timeouts }));
    expect(error.message).toContain("It was tried once");
  });

  it("drops its unfinished index outside a transaction, and builds it once it gets the lock", async () => {
    const index: Draft = { name: "i", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" };
    const { folder } = await folderOf([table, index]);
    await applyMigrations({ connection, folder, to: "1" });
    const blocker = await inTransaction();
    await blocker.query("insert into t values (2)");
    const onEvent = (event: MigrationEvent) => {
      if (event.kind === "lock-timeout" && event.attempt === 2) void blocker.query("commit");
    };
    await applyMigrations({ connection, folder, onEvent, timeouts: { lockTimeout: "300ms" } });
    expect(
      await query(
        "select relname, indisvalid from pg_index join pg_class on oid = indexrelid where indrelid = 't'::regclass",
      ),
    ).toEqual([{ relname: "t_x", indisvalid: true }]);
  });
});

describe("a timeout", () => {
  it("is wrong usage if the server does not understand its duration, and nothing runs", async () => {
    const { folder } = await folderOf([table]);
    const error = await errorOf(applyMigrations({ connection, folder, timeouts: { lockTimeout: "soon" } }));
    expect(error.text).toBe(
      'The lock timeout "soon" is not a duration.\n  Write it as in PostgreSQL: 3s, 500ms, 2min. 0 means no limit.',
    );
    expect(await query("select to_regclass('t') as t")).toEqual([{ t: null }]);
  });

  it("cancels a statement that runs longer", async () => {
    const { folder } = await folderOf([{ name: "slow", body: "select pg_sleep(60);" }]);
    const error = await errorOf(applyMigrations({ connection, folder, timeouts: { statementTimeout: "100ms" } }));
    expect(error.message).toContain("canceling statement due to statement timeout");
  });
});

/** Inserts rows until it is ended. `end` returns their number. */
async function writer(): Promise<{ end(): Promise<number> }> {
  const client = new pg.Client(clientConfig(test.server.as("app", connection.database), "writer"));
  await client.connect();
  clients.push(client);
  let going = true;
  const writing = (async () => {
    let rows = 0;
    for (; going; rows += 1) {
      await client.query("insert into t (x) values (3)");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return rows;
  })();
  return {
    end: () => {
      going = false;
      return writing;
    },
  };
}

/** Measures every 20 ms how long writers have been waiting for a lock, by the server's clock. */
function sampleWaits(): { end(): Promise<{ milliseconds: number; samples: number }> } {
  let going = true;
  const superuser = test.server.connection(connection.database);
  const sampling = (async () => {
    const client = new pg.Client(clientConfig(superuser, "sampler"));
    await client.connect();
    let milliseconds = 0;
    let samples = 0;
    while (going) {
      const { rows } = await client.query<{ ms: number }>(
        `select extract(epoch from clock_timestamp() - waitstart)::float8 * 1000 as ms
           from pg_locks join pg_stat_activity using (pid)
          where not granted and application_name = 'writer' and relation = 't'::regclass and waitstart is not null`,
      );
      for (const { ms } of rows) {
        samples += 1;
        milliseconds = Math.max(milliseconds, ms);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.end();
    return { milliseconds, samples };
  })();
  return {
    end: () => {
      going = false;
      return sampling;
    },
  };
}
