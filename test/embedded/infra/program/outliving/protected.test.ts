import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { protectedShopSettings } from "../shop.ts";
import { pulumi, tryPulumi } from "./by-hand.ts";
import { expectAdopted, expectStocked, makeStockedShop } from "./rows.ts";

describe("the data of a protected stack", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeStockedShop();
    await clone.configure(protectedShopSettings);
    await clone.succeed("up");
  });
  afterAll(() => clone?.remove());

  it("survives pulumi destroy, which the engine refuses", async () => {
    const { code, stdout, stderr } = await tryPulumi(clone, "destroy --yes --skip-preview");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/::shop-\S+" cannot be deleted\n\s*because it is protected/);
    await expectStocked(clone);
  });

  it("survives pulumi destroy --exclude-protected", async () => {
    await pulumi(clone, "destroy --yes --skip-preview --exclude-protected");
    await expectStocked(clone);
    await expectAdopted(clone);
  });

  it("survives pulumi destroy --ignore-protect", async () => {
    await pulumi(clone, "destroy --yes --skip-preview --ignore-protect");
    await expectAdopted(clone);
  });

  it("survives pulumi state unprotect --all followed by destroy", async () => {
    await pulumi(clone, "state unprotect --all --yes");
    await pulumi(clone, "destroy --yes --skip-preview");
    await expectAdopted(clone);
  });

  it("survives pgw destroy, which refuses", async () => {
    const { code, stderr } = await clone.pgw("destroy", "--yes");
    expect(code).toBe(3);
    expect(stderr).toContain('error: Stack "local" is protected and cannot be destroyed.\n');
    await expectStocked(clone);
  });
});
