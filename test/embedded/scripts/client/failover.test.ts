import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { withRequestContext } from "../../../../scripts/client/context.ts";
import { createPool } from "../../../../scripts/client/create-pool.ts";
import { OutcomeUnknownError } from "../../../../scripts/client/errors.ts";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { startProtocolProxy } from "../../../support/protocol-proxy.ts";
import { startServer, startUnrelatedServer, type TestServer } from "../../server.ts";
import { startLedger } from "./ledger.ts";

/*
 * Two servers whose roles change. They do not replicate: each one is made read-only or writable, which is what a pool
 * sees of a switchover. The rows of both together tell what was written.
 */

interface Member {
  server: TestServer;
  admin: pg.Client;
  setReadOnly(readOnly: boolean): Promise<void>;
}

let members: Member[];

async function startMember(start: () => Promise<TestServer>): Promise<Member> {
  const server = await start();
  await server.createDatabase("shop");
  const member: Member = {
    server,
    admin: await openAdmin(server),
    setReadOnly: async (readOnly) => {
      await member.admin.query(`alter system set default_transaction_read_only = ${readOnly}`);
      await member.admin.query("select pg_reload_conf()");
    },
  };
  await member.admin.query("set role shop_owner; create table writes (key text not null); reset role");
  return member;
}

/** Opens a session of the superuser that may write on a read-only server. */
async function openAdmin(server: TestServer): Promise<pg.Client> {
  const admin = new pg.Client(clientConfig(server.connection("shop"), "test"));
  // A crash of the server ends this session, too.
  admin.on("error", () => {});
  await admin.connect();
  await admin.query("set default_transaction_read_only = off");
  return admin;
}

beforeAll(async () => {
  members = await Promise.all([startMember(startServer), startMember(startUnrelatedServer)]);
});
afterAll(async () => {
  for (const { admin, server } of members ?? []) {
    await admin.end().catch(() => {});
    await server.stop();
  }
});

describe("a switchover under load", () => {
  it("moves writes to the new primary without a restart, none lost or doubled", async () => {
    const [first, second] = members as [Member, Member];
    await second.setReadOnly(true);
    const { database, user, password } = first.server.as("app", "shop");
    const hosts = members.map(({ server }) => ({ host: "127.0.0.1", port: server.connection().port }));
    const pool = createPool({
      ...{ env: {}, max: 5, targetSessionAttrs: "read-write", probeIntervalMs: 200, retriesPerSecond: 200 },
      connection: { hosts, database, user, password },
    });
    onTestFinished(async () => {
      await pool.end();
    });
    const demoted: number[] = [];
    pool.on("demoted", ({ port }) => demoted.push(port));
    const acknowledged: string[] = [];
    const unknown: string[] = [];
    let running = true;
    let number = 0;
    const writer = async () => {
      while (running) {
        const key = `key-${++number}`;
        const write =
          number % 2 === 0
            ? pool.query("insert into writes (key) values ($1)", [key])
            : pool.transaction((transaction) => transaction.query("insert into writes (key) values ($1)", [key]));
        await write.then(
          () => acknowledged.push(key),
          (error: unknown) => {
            if (!(error instanceof OutcomeUnknownError)) throw error;
            unknown.push(key);
          },
        );
      }
    };
    const writers = Promise.all([1, 2, 3, 4].map(writer));
    // Until writes succeed, the pool has not seen the server as the primary.
    const more = (than: number) => expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(than);
    await more(20);
    await first.setReadOnly(true);
    await sleep(150);
    await second.setReadOnly(false);
    await expect.poll(() => new Set(demoted).size, { timeout: 10_000 }).toBe(1);
    await more(acknowledged.length + 20);
    const beforeReturn = acknowledged.length;
    await second.setReadOnly(true);
    await first.setReadOnly(false);
    await expect.poll(() => new Set(demoted).size, { timeout: 10_000 }).toBe(2);
    await more(acknowledged.length + 20);
    running = false;
    await writers;
    expect(acknowledged.length).toBeGreaterThan(beforeReturn);
    expect(new Set(demoted).size).toBe(2);
    const rows = await Promise.all(members.map(({ admin }) => admin.query<{ key: string }>("select key from writes")));
    expect(rows.every(({ rowCount }) => (rowCount ?? 0) > 0)).toBe(true);
    const written = rows.flatMap((result) => result.rows.map(({ key }) => key));
    expect(new Set(written).size).toBe(written.length);
    // Nothing was lost on the way, so every write was acknowledged or is unknown.
    expect(written.filter((key) => !unknown.includes(key)).sort()).toEqual(acknowledged.sort());
    expect(pool.stats.used).toBe(0);
  });

  it("closes the idle clients of a server that lost its role at once, found by a probe, and the others on return", async () => {
    const [first, second] = members as [Member, Member];
    await Promise.all([first.setReadOnly(false), second.setReadOnly(true)]);
    const { database, user, password } = first.server.as("app", "shop");
    const hosts = members.map(({ server }) => ({ host: "127.0.0.1", port: server.connection().port }));
    // The probes of a pool belong to no request, also if one has created it.
    const pool = withRequestContext({ requestId: "creator" }, () =>
      createPool({
        ...{ env: {}, max: 4, targetSessionAttrs: "read-write", probeIntervalMs: 100 },
        connection: { hosts, database, user, password },
      }),
    );
    const heard: unknown[] = [];
    const listener = (message: unknown) => heard.push(message);
    subscribe("pgroundwork:client:demoted", listener);
    onTestFinished(async () => {
      unsubscribe("pgroundwork:client:demoted", listener);
      await pool.end();
      await first.setReadOnly(false);
    });
    const held = await pool.connect();
    await Promise.all([1, 2, 3].map(() => pool.query("select pg_sleep(0.2)")));
    expect(pool.stats).toMatchObject({ total: 4, idle: 3 });
    await first.setReadOnly(true);
    await expect.poll(() => pool.stats, { timeout: 5_000 }).toMatchObject({ total: 1, idle: 0, used: 1 });
    expect(heard).toEqual([{ pool, host: "127.0.0.1", port: hosts[0]?.port, context: undefined }]);
    expect((await held.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    held.release();
    await expect.poll(() => pool.stats.total).toBe(0);
  });

  it("leaves the result of a lost COMMIT unknown if another server answers, whose transactions have the same numbers", async () => {
    const [first, second] = members as [Member, Member];
    const { database, user, password, port } = first.server.as("app", "shop");
    const proxy = await startProtocolProxy({ host: "127.0.0.1", port });
    onTestFinished(() => proxy.stop());
    await Promise.all(members.map((member) => member.setReadOnly(false)));
    const hosts = [{ host: "127.0.0.1", port: proxy.port }];
    const pool = createPool({ env: {}, connection: { hosts, database, user, password, sslmode: "disable" } });
    onTestFinished(async () => {
      await pool.end();
    });
    const numberOn = async ({ admin }: Member) => {
      const { rows } = await admin.query<{ number: string }>("select pg_current_xact_id()::text as number");
      return BigInt(rows[0]?.number ?? 0);
    };
    const numbers = await numberOn(first);
    while ((await numberOn(second)) < numbers + 10n);
    proxy.decide(({ type, text }) => {
      if (type !== "Q" || !text.includes("commit")) return "pass";
      proxy.redirect(second.server.connection().port);
      return "cut-before";
    });
    const done = pool.transaction((transaction) => transaction.query("insert into writes (key) values ('elsewhere')"));
    await expect(done).rejects.toThrow("another server answers now");
    await expect(done).rejects.toThrow(OutcomeUnknownError);
  });

  it("loses and doubles no write of a server that was killed and started again", async () => {
    const [first] = members as [Member, Member];
    await first.setReadOnly(false);
    const { database, user, password, port } = first.server.as("app", "shop");
    const pool = createPool({
      ...{ env: {}, max: 4, retriesPerSecond: 100 },
      connection: { hosts: [{ host: "127.0.0.1", port }], database, user, password },
    });
    onTestFinished(async () => {
      await pool.end();
    });
    const ledger = startLedger(pool, "killed-");
    await ledger.nextAcknowledged();
    await first.server.crash();
    // Generous, because the machine is busy. test/soak has the limit that is promised.
    expect(await ledger.nextAcknowledged()).toBeLessThan(3_000);
    await ledger.stop();
    first.admin = await openAdmin(first.server);
    const { rows } = await first.admin.query<{ key: string }>("select key from writes where key like 'killed-%'");
    ledger.check(rows.map(({ key }) => key));
  });

  it("ends when a server is stopped and started again", async () => {
    const [first] = members as [Member, Member];
    const { database, user, password, port } = first.server.as("app", "shop");
    const pool = createPool({
      env: {},
      max: 3,
      connection: { hosts: [{ host: "127.0.0.1", port }], database, user, password },
    });
    onTestFinished(async () => {
      await pool.end();
    });
    await first.setReadOnly(false);
    await pool.query("select 1");
    // An immediate restart of all sessions, as after a crash of one of them.
    const { rows } = await first.admin.query<{ pid: number }>(
      "select pid from pg_stat_activity where usename = 'shop_app'",
    );
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    const done = pool.transaction((transaction) =>
      transaction.query("insert into writes (key) values ('after-crash')"),
    );
    await done;
    const check = await pool.query({
      text: "select count(*)::int as n from writes where key = 'after-crash'",
      readOnly: true,
    });
    expect(check.rows).toEqual([{ n: 1 }]);
  });
});
