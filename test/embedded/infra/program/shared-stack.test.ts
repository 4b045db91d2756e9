import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../clone.ts";
import { makeShop } from "./shop.ts";

describe("a shared stack", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.write(
      "Pulumi.ci.yaml",
      "config:\n  pgroundwork:databases: [shop]\n  pgroundwork:seeds: [reference]\n  pgroundwork:protected: true\n  pgroundwork:airgap: true\n",
    );
  });
  afterAll(async () => {
    await clone?.shell("PULUMI_CONFIG_PASSPHRASE=ci node_modules/.bin/node scripts/pgw.mjs down --stack ci");
    await clone?.remove();
  });

  it("is not encrypted with the project's own passphrase", async () => {
    const { code, stderr } = await clone.pgw("preview", "--stack", "ci");
    expect(code).toBe(2);
    expect(stderr).toContain('error: Stack "ci" is shared, but has no passphrase of its own.');
    expect(stderr).toContain("Set PULUMI_CONFIG_PASSPHRASE");
  });

  it("refuses development seeds while it is protected", async () => {
    const pgw = (args: string) =>
      clone.shell(`PULUMI_CONFIG_PASSPHRASE=ci node_modules/.bin/node scripts/pgw.mjs ${args} --stack ci`);
    const up = await pgw("up");
    expect(up.code, up.stderr).toBe(0);
    const seeded = await pgw("seed apply --set dev");
    expect(seeded.code).toBe(3);
    expect(seeded.stderr).toContain("error: shop of stack ci is protected and refuses the seeds dev.");
  });
});
