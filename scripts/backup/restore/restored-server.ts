import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Connection } from "../../connection/connection.ts";
import { listenForContainer } from "../../scratch/container-relay.ts";
import { scratchPrefix, writeHolder } from "../../scratch/left-behind.ts";

/**
 * Runs work with a login of the superuser to a restored server, over a socket that leads to the container.
 *
 * @param container ID of a container without a network
 */
export async function withRestoredServer<T>(
  docker: Docker,
  container: string,
  work: (login: Omit<Connection, "database">) => Promise<T>,
): Promise<T> {
  const sockets = await mkdtemp(join(tmpdir(), scratchPrefix));
  await writeHolder(sockets);
  const [here, there] = [join(sockets, ".s.PGSQL.5432"), "/var/run/postgresql/.s.PGSQL.5432"];
  const relay = await listenForContainer(docker, container, here, there, "postgres");
  try {
    return await work({ host: sockets, port: 5432, user: "postgres", sslmode: "disable" });
  } finally {
    relay.close();
    await rm(sockets, { recursive: true, force: true });
  }
}
