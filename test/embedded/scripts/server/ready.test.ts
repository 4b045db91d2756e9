import { chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { waitUntilReady } from "../../../../scripts/server/ready.ts";
import { freePort } from "../../../support/free-port.ts";
import { startServer, type TestServer } from "../../server.ts";
import { ownServers, password } from "./own-servers.ts";

const ownServer = ownServers(true);
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

describe("waiting for a server", () => {
  it("returns the server's version once SQL has run", async () => {
    const { rows } = await withClient(server.connection(), (client) => client.query("show server_version"));
    expect(await waitUntilReady(server.connection(), 5, server.logDirectory)).toEqual({
      serverVersion: rows[0].server_version,
    });
  });

  it("continues until a server that starts later is ready", async () => {
    const own = ownServer();
    const { port } = await own.ensure();
    await own.stop();
    const connection = { ...server.connection(), port, password };
    const ready = waitUntilReady(connection, 60, undefined);
    await sleep(1_000);
    await own.ensure();
    expect((await ready).serverVersion).toMatch(/^17\./);
  });

  it("ends at its deadline with the reason and the last lines of the log", async () => {
    const logDirectory = await mkdtemp(join(tmpdir(), "pgw-log-"));
    await writeFile(join(logDirectory, "postgresql-Mon.log"), "first\nsecond to last\nlast\n");
    const port = await freePort();
    await expect(waitUntilReady({ ...server.connection(), port }, 0.2, logDirectory)).rejects.toMatchObject({
      message: [
        `The server was not ready within 0.2 s: Cannot connect to postgres@127.0.0.1:${port}/postgres: nothing listens on 127.0.0.1:${port} (connection refused).`,
        "The end of the server's log:",
        "first",
        "second to last",
        "last",
      ].join("\n"),
      hint: "Start the server (a stack: npm run up), or correct host and port.",
    });
    await rm(logDirectory, { recursive: true });
  });

  it("ends at once on a wrong password", async () => {
    const connection = { ...server.connection(), password: "wrong-password" };
    const { host, port } = connection;
    await expect(waitUntilReady(connection, 3_600, undefined)).rejects.toThrow(
      `The server is not ready: Cannot connect to postgres@${host}:${port}/postgres: password authentication failed for user "postgres".`,
    );
  });

  it("ends at once on a missing database", async () => {
    const connection = server.connection("absent");
    await expect(waitUntilReady(connection, 3_600, undefined)).rejects.toThrow(
      `The server is not ready: Cannot connect to postgres@127.0.0.1:${connection.port}/absent: the database "absent" does not exist.`,
    );
  });

  it("does not accept a standby as ready", async () => {
    const own = ownServer();
    await own.ensure();
    await own.stop();
    const signal = join(own.directory.data, "standby.signal");
    await writeFile(signal, "");
    const { uid, gid } = await stat(own.directory.data);
    await chown(signal, uid, gid);
    const { port } = await own.ensure();
    await expect(waitUntilReady({ ...server.connection(), port, password }, 0.5, undefined)).rejects.toThrow(
      "The server was not ready within 0.5 s: it is still in recovery",
    );
  });

  it("ends when it is cancelled", async () => {
    const cancelled = new AbortController();
    const port = await freePort();
    const ready = waitUntilReady({ ...server.connection(), port }, 3_600, undefined, cancelled.signal);
    setTimeout(() => cancelled.abort(new Error("Cancelled.")), 200);
    await expect(ready).rejects.toThrow("Cancelled.");
  });
});
