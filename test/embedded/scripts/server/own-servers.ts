import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { afterEach, inject } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { directoryOf, type EmbeddedServerSpec, ensureServer, stopServer } from "../../../../scripts/server/embedded.ts";
import type { ServerDirectory } from "../../../../scripts/server/locations.ts";
import { copyInitialisedCluster } from "../../initialised-cluster.ts";

export const password = "a-password-nobody-may-see";

/** A server that the test itself starts and breaks. */
export interface OwnServer {
  spec: EmbeddedServerSpec;
  directory: ServerDirectory;
  /** Creates, starts or changes the server to match its spec. */
  ensure(changed?: Partial<EmbeddedServerSpec>): ReturnType<typeof ensureServer>;
  stop(): Promise<boolean>;
  /** Runs a query as superuser, by default with the password of the spec. */
  query<T extends object>(port: number, sql: string, as?: string): Promise<T[]>;
}

/**
 * Returns a function that creates servers of a test file. Each folder has spaces and quotes in its path. All servers
 * are stopped and removed after each test.
 *
 * @param isCopied true if new servers in a folder of their own start from a copied cluster, for tests that are not
 * about their creation
 */
export function ownServers(isCopied = false): (extra?: Partial<EmbeddedServerSpec>) => OwnServer {
  let made: OwnServer[] = [];
  afterEach(async () => {
    const all = made;
    made = [];
    // Stops all servers first: the data of one may be in the folder of another.
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
      ensure: async (changed = {}) => {
        const wanted: EmbeddedServerSpec = { ...spec, ...changed };
        const { data } = directoryOf(wanted);
        if (isCopied && data === directoryOf({ folder }).data && !existsSync(folder))
          await copyInitialisedCluster(home, data, wanted.superuserPassword);
        return ensureServer(wanted);
      },
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
