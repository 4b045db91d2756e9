import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { makeShop } from "./shop.ts";

describe("a project directory with spaces and an apostrophe in its name", () => {
  let clone: Clone;
  let data: string;
  const names = async () =>
    (await clone.query<{ name: string }>("readonly", "select name from product order by id")).map(({ name }) => name);

  beforeAll(async () => {
    clone = await makeShop({ at: "Ana's own clone" });
  });
  afterAll(() => clone?.remove());

  it("comes up, and a second up changes nothing", async () => {
    await clone.succeed("up");
    expect(await changesOf(clone, "up")).toEqual([]);
    data = (await revealedOutputs(clone)).server.dataDirectory;
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    expect(await names()).toEqual(["tea", "coffee", "cocoa"]);
    await clone.useHosts();
  });

  it("adopts its data again after state and passphrase were lost", async () => {
    const login = await clone.login("app");
    const before = await findPostmaster(data);
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    await rm(join(clone.root, ".pgroundwork", "passphrase"));
    await clone.succeed("up");
    expect((await revealedOutputs(clone)).server.dataDirectory).toBe(data);
    expect((await findPostmaster(data))?.port).toBe(before?.port);
    expect(await names()).toEqual(["tea", "coffee", "cocoa"]);
    await expect(withClient(login, async () => undefined)).rejects.toThrow(/password authentication failed/);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });

  it("continues with the same data after it was renamed", async () => {
    await clone.succeed("down");
    await clone.move("moved");
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect((await revealedOutputs(clone)).server.dataDirectory).toBe(data);
    expect(await names()).toEqual(["tea", "coffee", "cocoa"]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});
