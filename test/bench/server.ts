import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../scripts/connection/connection.ts";
import { type DatabaseRole, roleName } from "../../scripts/model/names.ts";
import { ensureServer, stopServer } from "../../scripts/server/embedded.ts";
import { createDatabase } from "../databases.ts";

/** A server as `up` makes it, including the settings that keep data through a power failure. */
export interface BenchServer {
  superuser: Connection;
  /** Creates an empty database and returns the superuser's connection to it. */
  createDatabase(): Promise<Connection>;
  /**
   * Creates a database with roles, privileges and extensions, as `up` does. Returns a function with each role's
   * connection.
   */
  createKitDatabase(name: string): Promise<(role: Exclude<DatabaseRole, "owner">) => Connection>;
  stop(): Promise<void>;
}

/** Starts a server with these settings. */
export async function startBenchServer(scratch: string, settings: Record<string, string>): Promise<BenchServer> {
  const home = join(scratch, "data");
  const folder = join(home, "servers", randomUUID());
  await mkdir(home, { recursive: true, mode: 0o755 });
  const password = randomUUID();
  const server = await ensureServer({ home, folder, superuserPassword: password, settings });
  const superuser: Connection = {
    host: server.host,
    port: server.port,
    user: "postgres",
    password,
    database: "postgres",
    sslmode: "disable",
  };
  return {
    superuser,
    async createDatabase() {
      const name = `bench_${randomUUID().slice(0, 8)}`;
      await withClient(superuser, (client) => client.query(`create database ${name}`));
      return inDatabase(superuser, name);
    },
    async createKitDatabase(name) {
      await createDatabase(superuser, name, password);
      return (role) => ({ ...inDatabase(superuser, name), user: roleName(name, role) });
    },
    stop: async () => void (await stopServer(home, server.directory)),
  };
}
