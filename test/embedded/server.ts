import { randomUUID } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import getPort from "get-port";
import { inject } from "vitest";
import type { Connection } from "../../scripts/connection/connection.ts";
import { unlessAbsent } from "../../scripts/core/absent.ts";
import { poll } from "../../scripts/core/poll.ts";
import { type DatabaseRole, roleName } from "../../scripts/model/names.ts";
import { ensureServer, stopServer } from "../../scripts/server/embedded.ts";
import { portsFor } from "../../scripts/server/port.ts";
import { createDatabase } from "../databases.ts";
import { copyPrepared } from "../support/prepared.ts";

/** A test's own server. */
export interface TestServer {
  /** Returns the superuser's connection to `postgres` or the given database. */
  connection(database?: string): Connection;
  /** Creates a database with its four roles and their privileges, from the same plan as the Pulumi program. */
  createDatabase(name: string): Promise<void>;
  /** Returns the connection of a role to a database that {@link createDatabase} made. */
  as(role: Exclude<DatabaseRole, "owner">, database: string): Connection;
  logDirectory: string;
  dataDirectory: string;
  pid: number;
  /** Kills all processes of the server at once, as a crash does, and starts it again, by default on the same port. */
  crash(port?: number): Promise<void>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

const password = "test-password-of-every-role";
/**
 * Small, because several servers run at once. Without fsync, the disk is spared; no test cuts the power. Commits reach
 * the operating system, because some tests kill the server.
 */
const settings = { shared_buffers: "32MB", max_connections: "60", fsync: "off" };

/** Starts an empty server in the scratch folder of the test run. All its servers share the binaries. */
export async function startServer(extra: Record<string, string> = {}): Promise<TestServer> {
  return startFrom("empty", async () => {}, extra);
}

/** Starts an empty server with a system identifier of its own, which copies of one cluster share. */
export async function startUnrelatedServer(extra: Record<string, string> = {}): Promise<TestServer> {
  const home = join(inject("scratch"), "data-home");
  return startIn(home, join(home, "servers", randomUUID()), extra);
}

/**
 * Starts a server with prepared content.
 *
 * @param name name that says all that the content depends on
 * @param fill fills a server that only its copies will use; called once per test run
 * @param extra settings of the copy
 */
export async function startFilledServer(
  name: string,
  fill: (server: TestServer) => Promise<void>,
  extra: Record<string, string> = {},
): Promise<TestServer> {
  return startFrom(name, fill, extra);
}

async function startFrom(
  name: string,
  fill: (server: TestServer) => Promise<void>,
  extra: Record<string, string>,
): Promise<TestServer> {
  const home = join(inject("scratch"), "data-home");
  const folder = join(home, "servers", randomUUID());
  await copyPrepared(join(home, "prepared"), name, join(folder, "data"), async (data) => {
    // A cluster with content starts as a copy of the empty one.
    const filled = name === "empty" ? await startIn(home, `${data}-server`, {}) : await startServer();
    await fill(filled);
    await stopServer(home, { data: filled.dataDirectory, log: filled.logDirectory });
    await rename(filled.dataDirectory, data);
    await filled.stop();
  });
  return startIn(home, folder, extra);
}

async function startIn(home: string, folder: string, extra: Record<string, string>): Promise<TestServer> {
  const spec = {
    home,
    folder,
    superuserPassword: password,
    settings: { ...settings, ...extra },
    // A copied configuration has the port of another server.
    port: await getPort({ port: portsFor(folder), host: "127.0.0.1" }),
  };
  const server = await ensureServer(spec);
  let { pid, port } = server;
  const login = (user: string, database: string): Connection => {
    return { host: server.host, port, user, password, database, sslmode: "disable" };
  };
  const connection = (database = "postgres") => login("postgres", database);
  return {
    connection,
    as: (role, database) => login(roleName(database, role), database),
    createDatabase: (name) => createDatabase(connection(), name, password),
    logDirectory: server.directory.log,
    dataDirectory: server.directory.data,
    get pid() {
      return pid;
    },
    crash: async (newPort = port) => {
      const children = await unlessAbsent(readFile(`/proc/${pid}/task/${pid}/children`, "utf8"));
      for (const each of [pid, ...(children ?? "").trim().split(" ").filter(Boolean).map(Number)])
        process.kill(each, "SIGKILL");
      // Where children cannot be listed, they end themselves a moment later. Until then the server cannot start.
      const start = () => ensureServer({ ...spec, port: newPort }).catch(() => undefined);
      ({ pid, port } = await poll(start, { intervalMs: 100, timeoutMs: 30_000 }));
    },
    stop: async () => {
      await stopServer(home, server.directory);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
