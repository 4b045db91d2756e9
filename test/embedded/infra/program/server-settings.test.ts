import { createServer, type Server } from "node:net";
import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { makeShop, shopSettings } from "./shop.ts";

describe("a change of the stack's settings", () => {
  let clone: Clone;
  let data: string;
  let port: number;

  const configure = (settings: Record<string, unknown>, postgresql: Record<string, unknown> = {}) =>
    clone.configure({ ...shopSettings, port, ...settings, postgresql: { ...shopSettings.postgresql, ...postgresql } });
  const pid = async () => (await findPostmaster(data))?.pid;
  const shown = async (setting: string) =>
    Object.values((await clone.query<Record<string, string>>("app", `show ${setting}`))[0] ?? {})[0];

  beforeAll(async () => {
    clone = await makeShop();
    port = await getPort();
    await configure({});
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterAll(() => clone?.remove());

  it("finds the server on the port that was configured", async () => {
    expect((await findPostmaster(data))?.port).toBe(port);
    expect((await clone.login("app")).port).toBe(port);
  });

  it("that the server reads again is applied without a restart", async () => {
    const before = await pid();
    await configure({}, { work_mem: "7MB" });
    expect(await changesOf(clone, "preview")).toContain("update server-postgres: settings");
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: settings"]);
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("that PostgreSQL takes at a start only is applied by a restart, data intact", async () => {
    const before = await pid();
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    await configure({ maxConnections: 40 }, { work_mem: "7MB" });
    expect(await changesOf(clone, "preview")).toContain("update server-postgres: settings");
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: settings", "update server-ready: trigger"]);
    expect(await shown("max_connections")).toBe("40");
    expect(await pid()).not.toBe(before);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("that has nothing to do with the server leaves it alone", async () => {
    const before = await pid();
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    expect(await changesOf(clone, "preview")).toEqual(["update server-ready: timeoutSeconds"]);
    expect(await changesOf(clone, "up")).toEqual(["update server-ready: timeoutSeconds"]);
    expect(await pid()).toBe(before);
  });

  it("that PostgreSQL refuses is an error, and the server goes on with the old ones", async () => {
    const before = await pid();
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "lots" });
    const { code, stderr } = await clone.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain(
      'error: server-postgres: PostgreSQL refuses a setting: invalid value for parameter "work_mem": "lots"',
    );
    expect(stderr).toContain("The server was left as it was.");
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("of the port to one that is taken is a clear error, and goes through once it is free", async () => {
    const before = await pid();
    const other = await listening();
    const { port: taken } = other.address() as { port: number };
    port = taken;
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    const refused = await clone.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `error: server-postgres: Port ${taken} of 127.0.0.1 is taken by another program.\n  Choose another port with `,
    );
    expect(refused.stderr).not.toMatch(/^ +at /m);
    expect(await pid()).toBe(before);
    await new Promise((resolve) => other.close(resolve));
    // The server still stands where it stood: it is asked there.
    expect(await changesOf(clone, "preview")).toEqual([
      "update server-postgres: port",
      "update server-ready: port, trigger",
      "update server-admin: port",
    ]);
    await clone.succeed("up");
    expect((await clone.login("app")).port).toBe(taken);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("of the passwords' version makes all of them new, and restarts nothing", async () => {
    const roles = ["app", "readonly", "migrator", "monitor", "backup", "superuser"];
    const before = await pid();
    const old = [];
    for (const role of roles) old.push(await clone.login(role));
    await configure({ maxConnections: 40, readyTimeout: 30, passwordVersion: "2" }, { work_mem: "7MB" });
    expect(await changesOf(clone, "preview")).toEqual(
      expect.arrayContaining(["update shop-app-password: keeper", "update server-superuser-password: keeper"]),
    );
    await clone.succeed("up");
    expect(await pid()).toBe(before);
    for (const [index, role] of roles.entries()) {
      const login = old[index];
      if (login === undefined) throw new Error(`There was no login of ${role}.`);
      await expect(
        withClient(login, async () => undefined),
        role,
      ).rejects.toThrow(/password authentication failed/);
      await withClient(await clone.login(role), async () => undefined);
    }
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });
});

async function listening(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
