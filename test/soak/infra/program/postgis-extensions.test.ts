import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { imageExtensions } from "../../../../scripts/model/image-extensions.ts";
import { makeExtendedShop, use } from "../../../docker/infra/program/extended-shop.ts";
import { extensionUses } from "../../../docker/infra/program/extension-uses.ts";

const others = imageExtensions(false);
const names = [...imageExtensions(true)].filter((name) => !others.has(name));

// Not in `npm test`: the image with PostGIS takes minutes to build.
describe("a database in a container with every extension of PostGIS", () => {
  let migrator: pg.Client;
  beforeAll(async () => {
    const wanted = [...names, "fuzzystrmatch"];
    const shop = await makeExtendedShop((name) => wanted.includes(name), { postgis: true, postgresql: {} });
    await shop.succeed("up");
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    migrator = new pg.Client(clientConfig(await shop.login("migrator"), "test"));
    await migrator.connect();
  }, 900_000);
  afterAll(() => migrator?.end());

  it.each(names)("the migrator uses %s", async (name) => {
    expect(await use(migrator, name, "")).toBe(extensionUses[name]?.value);
  });
});
