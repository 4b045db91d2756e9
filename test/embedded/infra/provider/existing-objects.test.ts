import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Properties } from "../../../../infra/plugin/values.ts";
import { unknownValue } from "../../../../infra/plugin/values.ts";
import { existingObjects } from "../../../../infra/provider/existing-objects.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import { startServer, type TestServer } from "../../server.ts";
import { connectionInputs } from "./database-work.ts";

let server: TestServer;
const asked = { roles: ["Ann's own", "bob", "postgres"], databases: ["shop", "postgres"] };

beforeAll(async () => {
  server = await startServer();
  await withClient(server.connection(), async (client) => {
    await client.query(`create role "Ann's own" nologin`);
    await client.query("create database shop");
  });
});
afterAll(() => server?.stop());

const ask = (changed: Properties = {}) =>
  existingObjects.call(
    { config: {}, signal: new AbortController().signal },
    { ...connectionInputs(server.connection()), ...asked, ...changed },
  );

describe("the existing objects of a server", () => {
  it("are those of the asked roles and databases that it has", async () => {
    expect(await ask()).toEqual({
      known: true,
      roles: ["Ann's own", "postgres"],
      databases: ["postgres", "shop"],
    });
    expect(await ask({ roles: [], databases: ["depot"] })).toEqual({ known: true, roles: [], databases: [] });
  });

  it("are not known of a server that is down, refuses the login, or has no address yet", async () => {
    const port = await getPort();
    expect(await ask({ port })).toEqual({
      known: false,
      isDown: true,
      reason: expect.stringContaining(`nothing listens on 127.0.0.1:${port} (connection refused)`),
    });
    expect(await ask({ password: "wrong" })).toEqual({
      known: false,
      isDown: false,
      reason: expect.stringMatching(
        /password authentication failed for user "postgres"\.\n {2}Set pgroundwork:passwordVersion of this stack to another value/,
      ),
    });
    expect(await ask({ host: unknownValue })).toEqual({
      known: false,
      isDown: false,
      reason: "its address is not known yet",
    });
  });
});
