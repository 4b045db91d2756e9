import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { type Connection, clientConfig, inDatabase } from "../../../../../scripts/connection/connection.ts";
import { dropDatabase, rolesOf } from "../../../../../scripts/stack/erase/drop-database.ts";
import { databasesOn, measureDatabases } from "../../../../../scripts/stack/erase/losses.ts";
import { startServer, type TestServer } from "../../../server.ts";

describe("dropping a database", () => {
  let server: TestServer;
  let admin: Connection;
  const run = (connection: Connection, ...statements: string[]) =>
    withClient(connection, async (client) => {
      for (const statement of statements) await client.query(statement);
    });

  beforeAll(async () => {
    server = await startServer({ max_prepared_transactions: "5" });
    admin = server.connection();
  });
  afterAll(() => server?.stop());

  it("measures its size, tables, rows and sessions first", async () => {
    await server.createDatabase("measured");
    await run(
      server.as("migrator", "measured"),
      "create table counted (id int) partition by range (id)",
      "create table counted_low partition of counted for values from (0) to (1000)",
      "create table counted_high partition of counted for values from (1000) to (2000)",
      "insert into counted select generate_series(0, 1499)",
    );
    const guest = new pg.Client(clientConfig(server.as("app", "measured")));
    await guest.connect();
    try {
      const [loss] = await measureDatabases(admin, ["measured", "no_such"]);
      expect(loss).toMatchObject({
        name: "measured",
        sessions: 1,
        content: { tables: 2, rows: 1500, unknownTables: 0 },
      });
      expect(loss?.bytes).toBeGreaterThan(5_000_000);
    } finally {
      await guest.end();
    }
  });

  it("does not count rows of which the statistics were reset as none", async () => {
    await server.createDatabase("crashed");
    const crashed = inDatabase(admin, "crashed");
    await run(
      crashed,
      "create table small as select generate_series(1, 1234) as id",
      "create table locked as select generate_series(1, 50) as id",
      // 37 MB: not counted.
      "create table large with (autovacuum_enabled = off) as select repeat('x', 1900) from generate_series(1, 18000)",
      "create table analyzed with (autovacuum_enabled = off) as table large",
      "analyze analyzed",
      "select pg_stat_force_next_flush()",
    );
    await run(crashed, "select pg_stat_reset()");
    const holder = new pg.Client(clientConfig(crashed));
    await holder.connect();
    try {
      await holder.query("begin; lock table locked");
      const [loss] = await measureDatabases(admin, ["crashed"]);
      // Not known: `locked` and `large`.
      expect(loss?.content).toEqual({ tables: 4, rows: 1234 + 18_000, unknownTables: 2 });
    } finally {
      await holder.end();
    }
    await dropDatabase(admin, "crashed");
  });

  it("ends its sessions, and drops its four roles", async () => {
    await server.createDatabase("shop");
    await server.createDatabase("shop_two");
    const guest = new pg.Client(clientConfig(server.as("app", "shop")));
    guest.on("error", () => undefined);
    await guest.connect();
    const ended = new Promise<void>((resolve) => guest.once("end", resolve));
    expect(await rolesOf(admin, "shop")).toEqual(["shop_owner", "shop_migrator", "shop_app", "shop_readonly"]);
    expect(await dropDatabase(admin, "shop")).toEqual([]);
    await ended;
    expect(await rolesOf(admin, "shop")).toEqual([]);
    const databases = await databasesOn(admin);
    expect(databases).not.toContain("shop");
    expect(databases).toContain("shop_two");
    expect(await rolesOf(admin, "shop_two")).toHaveLength(4);
  });

  it("can be repeated, whatever is already gone", async () => {
    await server.createDatabase("half");
    await run(admin, "drop database half", "drop role half_migrator");
    expect(await rolesOf(admin, "half")).toEqual(["half_owner", "half_app", "half_readonly"]);
    expect(await dropDatabase(admin, "half")).toEqual([]);
    expect(await dropDatabase(admin, "half")).toEqual([]);
    expect(await rolesOf(admin, "half")).toEqual([]);
  });

  it("keeps a role that owns something in another database, with what it owns", async () => {
    await server.createDatabase("guest");
    await server.createDatabase("host");
    await run(
      server.connection("host"),
      "create table lent (id int)",
      "insert into lent values (1)",
      "alter table lent owner to guest_app",
    );
    expect(await dropDatabase(admin, "guest")).toEqual([{ name: "guest_app", reason: "1 object in database host" }]);
    expect(await rolesOf(admin, "guest")).toEqual(["guest_app"]);
    const rows = await withClient(server.connection("host"), async (client) => (await client.query("table lent")).rows);
    expect(rows).toEqual([{ id: 1 }]);
  });

  it("reports the reason if PostgreSQL refuses, and keeps the roles", async () => {
    await server.createDatabase("held");
    await run(server.connection("held"), "begin", "create table t (id int)", "prepare transaction 'deployment'");
    await expect(dropDatabase(admin, "held")).rejects.toThrow(
      'Cannot drop the database "held": database "held" is being used by prepared transactions.',
    );
    expect(await rolesOf(admin, "held")).toHaveLength(4);
    await run(server.connection("held"), "rollback prepared 'deployment'");
    expect(await dropDatabase(admin, "held")).toEqual([]);
  });

  it("works for a template and for a database that refuses connections", async () => {
    await server.createDatabase("closed");
    await run(admin, "alter database closed allow_connections false", "alter database closed is_template true");
    expect(await measureDatabases(admin, ["closed"])).toMatchObject([{ name: "closed", content: undefined }]);
    await dropDatabase(admin, "closed");
    expect(await databasesOn(admin)).not.toContain("closed");
  });
});
