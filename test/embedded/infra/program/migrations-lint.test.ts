import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../clone.ts";
import { pulumi, tryPulumi } from "./outliving/by-hand.ts";
import { commit, makeShop, protectedShopSettings, shopDrafts } from "./shop.ts";

const drop = "alter table product drop column price;";

describe("a protected stack", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.configure(protectedShopSettings);
    await clone.succeed("up");
    await commit(clone, [...shopDrafts, { name: "drop", body: drop }]);
  });
  afterAll(() => clone?.remove());

  it("refuses an unsafe migration at preview and at up, also with pulumi and migrate up", async () => {
    const finding = "000003-drop.sql:4:21: error ban-drop-column: Dropping a column may break existing clients.";
    for (const { code, stdout, stderr } of [
      await clone.pgw("preview"),
      await clone.pgw("up"),
      await tryPulumi(clone, "up --yes --skip-preview"),
    ]) {
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain(finding);
    }
    const applying = await clone.pgw("migrate", "up", "--stack", "local");
    expect([applying.code, applying.stderr]).toEqual([3, expect.stringContaining(finding)]);
    expect(applying.stderr).toContain("-- squawk-ignore <rule>: <reason>");
    expect(await clone.query("migrator", "select count(price)::int from product")).toEqual([{ count: 2 }]);
  });

  it("accepts an unsafe migration that gives a reason", async () => {
    await commit(clone, [
      ...shopDrafts,
      { name: "drop", body: `-- squawk-ignore ban-drop-column: prices moved to the shop's own service\n${drop}` },
    ]);
    await pulumi(clone, "up --yes --skip-preview");
    expect(await clone.query("migrator", "select * from product where id = 1")).toEqual([{ id: 1, name: "tea" }]);
  });
});
