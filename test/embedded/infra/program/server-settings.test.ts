import { createServer, type Server } from "node:net";
import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
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

  /** What a preview lists and what `up` then does are the same; afterwards there is nothing to do. */
  const changesOfBoth = async () => {
    const previewed = await changesOf(clone, "preview");
    expect(await changesOf(clone, "up")).toEqual(previewed);
    expect(await changesOf(clone, "up")).toEqual([]);
    return previewed;
  };

  it("that the server reads again is applied without a restart", async () => {
    const before = await pid();
    await configure({}, { work_mem: "7MB" });
    const preview = await clone.succeed("preview");
    expect(preview.stdout).toContain("EmbeddedServer server-postgres (settings.work_mem)");
    expect(`${preview.stdout}${preview.stderr}`).toContain("server-postgres: work_mem 4MB -> 7MB (reload)");
    expect(await changesOfBoth()).toEqual(["update server-postgres: settings.work_mem"]);
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
  });

  it("that the server takes for the same changes its file and nothing else", async () => {
    const before = await pid();
    await configure({}, { work_mem: "7168kB" });
    const preview = await clone.succeed("preview");
    expect(`${preview.stdout}${preview.stderr}`).toContain(
      "server-postgres: work_mem 7MB -> 7168kB (no effect: the server takes both for the same)",
    );
    expect(await changesOfBoth()).toEqual(["update server-postgres: settings.work_mem"]);
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
  });

  it("that PostgreSQL takes at a start only is applied by a restart, data intact", async () => {
    const before = await pid();
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    await configure({ maxConnections: 40 }, { work_mem: "7MB" });
    const preview = await clone.succeed("preview");
    expect(`${preview.stdout}${preview.stderr}`).toContain(
      "server-postgres: max_connections 30 -> 40 (restart, connections are cut)",
    );
    expect(await changesOfBoth()).toEqual([
      "update server-postgres: settings.max_connections, settings.work_mem, pid",
      "update server-ready: trigger",
    ]);
    expect(await shown("max_connections")).toBe("40");
    expect(await pid()).not.toBe(before);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
  });

  it("that is taken out again leaves what PostgreSQL has by itself", async () => {
    await configure({ maxConnections: 40 }, { work_mem: "7MB", deadlock_timeout: "2s" });
    expect(await changesOfBoth()).toEqual(["update server-postgres: settings.deadlock_timeout"]);
    await configure({ maxConnections: 40 }, { work_mem: "7MB" });
    expect(await changesOfBoth()).toEqual(["update server-postgres: settings.deadlock_timeout"]);
    expect(await shown("deadlock_timeout")).toBe("1s");
  });

  it("that has nothing to do with the server leaves it alone", async () => {
    const before = await pid();
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    expect(await changesOfBoth()).toEqual(["update server-ready: timeoutSeconds"]);
    expect(await pid()).toBe(before);
  });

  it("that PostgreSQL refuses is an error, and the server goes on with the old ones", async () => {
    const before = await pid();
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "lots", shard_buffers: "8MB" });
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await clone.pgw(command);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: server-postgres: (Preview failed: )?PostgreSQL refuses these settings:$/m);
      expect(stderr).toContain("- work_mem is 'lots'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB;");
      expect(stderr).toContain("- shard_buffers is not a setting of this PostgreSQL; did you mean shared_buffers?");
      expect(stderr).toContain("The server was left as it was.");
    }
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
      "update server-postgres: port, pid",
      "update server-ready: port, trigger",
    ]);
    await clone.succeed("up");
    expect((await clone.login("app")).port).toBe(taken);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});

async function listening(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
