import { mkdir, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setClockBack } from "../../../../set-clock-back.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { makeShop } from "../shop.ts";

describe("a clock that was set back by a day", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    await setClockBack(clone, 1);
  });
  afterAll(() => clone?.remove());

  it("causes no changes", async () => {
    const { stdout } = await clone.shell("node_modules/.bin/node -p 'Date.now()'");
    expect(Number(stdout)).toBeLessThan(Date.now() - 80_000_000);
    expect(await changesOf(clone, "preview")).toEqual([]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("causes no wait for a lock of a killed run whose time is in the future", async () => {
    await clone.succeed("down");
    const servers = join(clone.dataHome, "servers");
    const [server = ""] = await readdir(servers);
    const lock = join(servers, server, "lock");
    await mkdir(lock);
    await utimes(lock, Date.now() / 1000, Date.now() / 1000);
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect(await clone.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });
});
