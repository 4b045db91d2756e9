import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { afterEach, inject } from "vitest";
import { directoryOf, type EmbeddedServerSpec, ensureServer, stopServer } from "../../../../scripts/server/embedded.ts";
import type { ServerDirectory } from "../../../../scripts/server/locations.ts";
import { withClient } from "../../../../scripts/target/client.ts";

export const password = "a-password-nobody-may-see";

/** A server that a test makes and breaks by itself. */
export interface OwnServer {
  spec: EmbeddedServerSpec;
  directory: ServerDirectory;
  /** Makes it what the spec says. */
  ensure(changed?: Partial<EmbeddedServerSpec>): ReturnType<typeof ensureServer>;
  stop(): Promise<boolean>;
  /** As the superuser, with the password of the spec unless told otherwise. */
  query<T extends object>(port: number, sql: string, as?: string): Promise<T[]>;
}

/** Servers of a test file: each new one has a folder with spaces in its path; all are stopped and removed after each test. */
export function ownServers(): (extra?: Partial<EmbeddedServerSpec>) => OwnServer {
  let made: OwnServer[] = [];
  afterEach(async () => {
    const all = made;
    made = [];
    // All of them first: one's data may lie in the folder of another.
    for (const server of all) await server.stop();
    for (const { spec, directory } of all)
      for (const folder of [spec.folder, directory.data]) await rm(folder, { recursive: true, force: true });
  });
  return (extra = {}) => {
    const home = join(inject("scratch"), "data-home");
    const folder = join(home, "servers with spaces", `${randomUUID()} and 'quotes'`);
    const settings = { shared_buffers: "16MB", max_connections: "20", fsync: "off" };
    const spec = { home, folder, superuserPassword: password, settings, ...extra };
    const server: OwnServer = {
      spec,
      directory: directoryOf(spec),
      ensure: (changed = {}) => ensureServer({ ...spec, ...changed }),
      stop: () => stopServer(home, directoryOf(spec)),
      query: (port, sql, as = spec.superuserPassword) =>
        withClient(
          { host: "127.0.0.1", port, database: "postgres", user: "postgres", password: as, sslmode: "disable" },
          async (client: Client) => (await client.query(sql)).rows,
        ),
    };
    made.push(server);
    return server;
  };
}
