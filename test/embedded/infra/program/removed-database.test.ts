import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop, shopSettings } from "./shop.ts";

describe("a database that is taken out of the settings", () => {
  let clone: Clone;
  let app: Connection;
  const products = (connection: Connection) =>
    withClient(connection, async (client) => (await client.query("select name from product order by id")).rows);

  beforeAll(async () => {
    clone = await makeShop();
    await clone.write("migrations/depot/database.json", "{}");
    await clone.write("migrations/depot/committed/.gitkeep", "");
    await clone.configure({ ...shopSettings, databases: ["shop", "depot"] });
    await clone.succeed("up");
    app = await clone.login("app", "shop");
  });
  afterAll(() => clone?.remove());

  it("is said to stay on the server, in preview and after up", async () => {
    await clone.configure({ ...shopSettings, databases: ["depot"], seeds: [] });
    expect(await changesOf(clone, "preview")).toContain("leave shop-database");
    const { stdout } = await clone.succeed("up");
    expect(stdout).toContain("left on the server");
  });

  it("keeps its rows, and its applications keep their access", async () => {
    expect(await products(app)).toEqual([{ name: "tea" }, { name: "coffee" }]);
  });

  it("comes back with the setting, with new passwords", async () => {
    await clone.configure({ ...shopSettings, databases: ["shop", "depot"] });
    await clone.succeed("up");
    expect(await products(await clone.login("app", "shop"))).toEqual([{ name: "tea" }, { name: "coffee" }]);
    await expect(products(app)).rejects.toThrow(/password/);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});
