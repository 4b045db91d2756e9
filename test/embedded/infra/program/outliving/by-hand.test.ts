import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { shopSettings } from "../shop.ts";
import { pulumi, urnOf } from "./by-hand.ts";
import { expectAdopted, expectStocked, makeStockedShop } from "./rows.ts";

describe("the data of a stack", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeStockedShop();
  });
  afterAll(() => clone?.remove());

  it("survives pulumi destroy", async () => {
    const stdout = await pulumi(clone, "destroy --yes --skip-preview");
    expect(stdout).toMatch(/The server is stopped\. Its data is kept in \S+\/data\.\n/);
    expect((await clone.pgw("outputs")).stderr).toBe('error: Stack "local" is not up.\n  Run `npm run up`.\n');
    await expectAdopted(clone);
  });

  it("survives pulumi destroy of the database alone", async () => {
    await pulumi(
      clone,
      `destroy --yes --skip-preview --target-dependents --target '${await urnOf(clone, "shop-database")}'`,
    );
    await expectStocked(clone);
    await expectAdopted(clone);
  });

  it("survives pulumi state delete of the server and its dependents", async () => {
    await pulumi(clone, `state delete --yes --target-dependents '${await urnOf(clone, "server-postgres")}'`);
    await expectAdopted(clone);
  });

  it("survives pulumi stack rm --force, which also deletes the settings", async () => {
    await pulumi(clone, "stack rm --force --yes");
    await clone.configure(shopSettings);
    await expectAdopted(clone);
  });

  it("survives the deletion of the state", async () => {
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    await expectAdopted(clone);
  });
});
