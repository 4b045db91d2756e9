import pg from "pg";
import { onTestFinished } from "vitest";
import { createPool } from "../../../../scripts/client/create-pool.ts";
import type { Pool } from "../../../../scripts/client/pool.ts";
import type { PoolOptions } from "../../../../scripts/client/settings.ts";
import { type Connection, clientConfig } from "../../../../scripts/connection/connection.ts";
import { type ProtocolProxy, startProtocolProxy } from "../../../support/protocol-proxy.ts";
import { startServer, type TestServer } from "../../server.ts";

/** A server for the tests of a file, with the database `shop` and a table whose rows are counted. */
export interface PoolServer {
  server: TestServer;
  /** Session of the superuser in `shop`. */
  admin: pg.Client;
  /** Creates a pool of the application's role, which the test's end closes. */
  pool(options?: PoolOptions, port?: number): Pool;
  /** Starts a proxy in front of the server, which the test's end stops. */
  proxy(): Promise<ProtocolProxy>;
  /** Returns how often each key was written. */
  written(prefix: string): Promise<Map<string, number>>;
  stop(): Promise<void>;
}

/** Starts the server of a test file. */
export async function startPoolServer(extra: Record<string, string> = {}): Promise<PoolServer> {
  const server = await startServer(extra);
  await server.createDatabase("shop");
  const admin = new pg.Client(clientConfig(server.connection("shop"), "test"));
  admin.on("error", () => {});
  await admin.connect();
  await admin.query(`
    set role shop_owner;
    create table writes (key text not null, at timestamptz not null default clock_timestamp());
    create table items (id int primary key, name text not null, price numeric(12, 2) not null default 0 check (price >= 0));
    reset role`);
  const login = (port?: number): Connection => {
    const connection = server.as("app", "shop");
    return { ...connection, port: port ?? connection.port };
  };
  return {
    server,
    admin,
    pool: (options = {}, port) => {
      const { host, port: own, database, user, password, sslmode } = login(port);
      const hosts = [{ host, port: own }];
      const pool = createPool({ env: {}, connection: { hosts, database, user, password, sslmode }, ...options });
      onTestFinished(async () => {
        await pool.end({ timeoutMs: 0 });
      });
      return pool;
    },
    proxy: async () => {
      const { host, port } = server.as("app", "shop");
      const proxy = await startProtocolProxy({ host, port });
      onTestFinished(() => proxy.stop());
      return proxy;
    },
    written: async (prefix) => {
      const { rows } = await admin.query<{ key: string; count: number }>(
        "select key, count(*)::int as count from writes where starts_with(key, $1) group by key",
        [prefix],
      );
      return new Map(rows.map(({ key, count }) => [key, count]));
    },
    stop: async () => {
      await admin.end();
      await server.stop();
    },
  };
}
