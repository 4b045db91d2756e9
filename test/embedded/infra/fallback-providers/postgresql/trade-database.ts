import { afterAll, beforeAll, expect } from "vitest";
import { startServer, type TestServer } from "../../../server.ts";
import { type Made, PluginProcess } from "./plugin-process.ts";
import { sql } from "./sql.ts";

/** A plugin, and a server on which it has made the database `trade`, its owner, and the roles app, reader and other. */
export interface TradeDatabase {
  readonly server: TestServer;
  readonly plugin: PluginProcess;
  /** Runs statements as the database's owner. */
  asOwner(...statements: string[]): ReturnType<typeof sql>;
  /** Returns true if a role has a privilege, as PostgreSQL reports it. */
  may(role: string, kind: string, object: string, privilege: string): Promise<boolean>;
  /** Expects that a resource is as declared: no diff, and a read returns the same. */
  expectSettled(made: Made): Promise<void>;
}

/** Makes the database before the tests of a file, and stops its server after them. */
export function useTradeDatabase(): TradeDatabase {
  let server: TestServer;
  let plugin: PluginProcess;
  beforeAll(async () => {
    server = await startServer();
    plugin = await PluginProcess.start(server.connection());
    await plugin.create("Role", "owner", { name: "trade_owner" });
    for (const name of ["app", "reader", "other"]) await plugin.create("Role", name, { name });
    await plugin.create("Database", "trade", { name: "trade", owner: "trade_owner" });
  });
  afterAll(async () => {
    await plugin?.stop();
    await server?.stop();
  });
  return {
    get server() {
      return server;
    },
    get plugin() {
      return plugin;
    },
    asOwner: (...statements) => sql(server.connection("trade"), "set role trade_owner", ...statements),
    async may(role, kind, object, privilege) {
      const [row] = await sql(
        server.connection("trade"),
        `select has_${kind}_privilege('${role}', '${object}', '${privilege}') as may`,
      );
      return row?.may === true;
    },
    async expectSettled(made) {
      expect(await plugin.diff(made)).toEqual([]);
      expect(await plugin.read(made)).toEqual(made);
    },
  };
}
