import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/target/client.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { shopSettings } from "../shop.ts";
import { expectTakenBack, makeStockedShop } from "./rows.ts";

describe("a database whose folder and setting are renamed", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeStockedShop();
  });
  afterAll(() => clone?.remove());

  it("stays under its old name, and the new one begins with the seeds", async () => {
    const shop = await clone.login("app");
    await clone.shell("mv migrations/shop migrations/store");
    await clone.configure({ ...shopSettings, databases: ["store"] });
    const preview = await changesOf(clone, "preview");
    expect(preview).toContain("leave shop-database");
    expect(preview).toContain("create store-database");
    await clone.succeed("up");
    const store = await clone.login("app", "store");
    const count = "select count(*)::int as products from product";
    const counted = (connection: typeof shop) =>
      withClient(connection, async (client) => (await client.query(count)).rows);
    expect(await counted(store)).toEqual([{ products: 2 }]);
    expect(await counted(shop)).toEqual([{ products: 3 }]);
  });

  it("is taken back with its old name", async () => {
    await clone.shell("mv migrations/store migrations/shop");
    await clone.configure(shopSettings);
    await expectTakenBack(clone);
  });
});
