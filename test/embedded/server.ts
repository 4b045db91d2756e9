import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { type DatabaseRole, roleName } from "../../infra/plan/names.ts";
import { ensureServer, stopServer } from "../../scripts/server/embedded.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { createDatabase } from "../databases.ts";

/** A server of a test's own. */
export interface TestServer {
  /** As the superuser, to `postgres` or the database named. */
  connection(database?: string): Connection;
  /** Makes a database with its four roles and their privileges, by the plan that the program uses. */
  createDatabase(name: string): Promise<void>;
  /** As a role of a database that {@link createDatabase} made. */
  as(role: Exclude<DatabaseRole, "owner">, database: string): Connection;
  logDirectory: string;
  dataDirectory: string;
  pid: number;
  /** Stops it and removes what it kept. */
  stop(): Promise<void>;
}

const password = "test-password-of-every-role";
/** Small, since several run at once; unsafe settings save the disk, and no test pulls the plug. */
const settings = { shared_buffers: "32MB", max_connections: "60", fsync: "off", synchronous_commit: "off" };

/** Starts a server in the run's scratch folder. Its binaries are shared with the other servers of the run. */
export async function startServer(extra: Record<string, string> = {}): Promise<TestServer> {
  const home = join(inject("scratch"), "data-home");
  const folder = join(home, "servers", randomUUID());
  const server = await ensureServer({ home, folder, superuserPassword: password, settings: { ...settings, ...extra } });
  const login = (user: string, database: string): Connection => {
    return { host: server.host, port: server.port, user, password, database, sslmode: "disable" };
  };
  const connection = (database = "postgres") => login("postgres", database);
  return {
    connection,
    as: (role, database) => login(roleName(database, role), database),
    createDatabase: (name) => createDatabase(connection(), name, password),
    logDirectory: server.directory.log,
    dataDirectory: server.directory.data,
    pid: server.pid,
    stop: async () => {
      await stopServer(home, server.directory);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
