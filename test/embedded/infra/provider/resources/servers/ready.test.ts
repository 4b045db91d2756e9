import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../../../../../infra/provider/resources/servers/ready.ts";
import { type Properties, unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { freePort } from "../../../../../support/free-port.ts";
import { contextOf } from "../../../../../unit/infra/provider/call-context.ts";
import { ownServers, password } from "../../../../scripts/server/own-servers.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { bringUp, connectionInputs } from "../../database-work.ts";

const ownServer = ownServers(true);
let server: TestServer;
let declared: Properties;
beforeAll(async () => {
  server = await startServer();
  declared = { ...connectionInputs(server.connection()), trigger: 1, timeoutSeconds: 30 };
});
afterAll(() => server?.stop());

describe("the readiness of a server", () => {
  it("has host, port and version, and no changes until an input changes", async () => {
    const up = await bringUp(ready, contextOf("Ready"), declared);
    expect(up.outputs).toMatchObject({ ...declared, serverVersion: expect.stringMatching(/^17\./) });
    expect((await bringUp(ready, contextOf("Ready"), declared, up)).changes).toEqual([]);
    expect((await bringUp(ready, contextOf("Ready"), { ...declared, trigger: 2 }, up)).changes).toEqual(["trigger"]);
    expect(await ready.read(contextOf("Ready"), up)).toBe(up);
  });

  it("keeps host and port known in the preview of a restart", async () => {
    const up = await bringUp(ready, contextOf("Ready"), declared);
    const preview = await ready.update(contextOf("Ready"), up, { ...declared, trigger: 2 }, true);
    expect(preview).toMatchObject({ host: declared.host, port: declared.port });
  });

  it("keeps the current password in the preview of a rotation while the new one is unknown", async () => {
    const up = await bringUp(ready, contextOf("Ready"), declared);
    const unknown = await ready.update(contextOf("Ready"), up, { ...declared, password: unknownValue }, true);
    expect(unknown.password).toBe(declared.password);
    const known = await ready.update(contextOf("Ready"), up, { ...declared, password: "the next one" }, true);
    expect(known.password).toBe("the next one");
  });

  it("waits for a server that starts later", async () => {
    const own = ownServer();
    const { port } = await own.ensure();
    await own.stop();
    const waiting = bringUp(ready, contextOf("Ready"), { ...declared, port, password });
    await sleep(1_000);
    await own.ensure();
    expect((await waiting).outputs.serverVersion).toMatch(/^17\./);
  });

  it("fails after the timeout with the end of the server's log", async () => {
    const logDirectory = await mkdtemp(join(tmpdir(), "pgw-log-"));
    await writeFile(join(logDirectory, "postgresql-Mon.log"), "the last line\n");
    const port = await freePort();
    const late = bringUp(ready, contextOf("Ready"), { ...declared, port, timeoutSeconds: 0, logDirectory });
    await expect(late).rejects.toThrow(
      `The server was not ready within 0 s: Cannot connect to postgres@127.0.0.1:${port}/postgres: nothing listens on 127.0.0.1:${port} (connection refused).\nThe end of the server's log:\nthe last line`,
    );
    await rm(logDirectory, { recursive: true });
  });

  it("fails at once for a wrong password or a missing database", async () => {
    const hopeless = { ...declared, timeoutSeconds: 3_600 };
    await expect(bringUp(ready, contextOf("Ready"), { ...hopeless, password: "wrong-password" })).rejects.toThrow(
      "The server is not ready: Cannot connect to postgres@127.0.0.1:" +
        `${declared.port}/postgres: password authentication failed for user "postgres".`,
    );
    await expect(bringUp(ready, contextOf("Ready"), { ...hopeless, database: "absent" })).rejects.toThrow(
      `/absent: the database "absent" does not exist.`,
    );
  });

  it("checks its inputs before it waits", async () => {
    await expect(bringUp(ready, contextOf("Ready"), { ...declared, port: 70_000 })).rejects.toThrow(
      "port must be a whole number from 1 to 65535, but is 70000",
    );
  });
});
