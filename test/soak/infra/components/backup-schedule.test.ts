import { beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { lastLogLines } from "../../../../scripts/docker/container-log.ts";
import { type BackedUpShop, makeBackedUpShop } from "../../../docker/backed-up-shop.ts";

const docker = dockerClient();

describe("the backup schedule", () => {
  let shop: BackedUpShop;

  beforeAll(async () => {
    shop = await makeBackedUpShop({ backups: { full: "* * * * *", incremental: "* * * * *" } });
    await shop.succeed("up");
  });

  it("runs a full and an incremental backup every minute, one after another, and logs how each ended", async () => {
    const begun = Date.now();
    const log = () => lastLogLines(docker, shop.sidecar, 1_000);
    const done = async (kind: string) => (await log()).match(new RegExp(`${kind}: done after`, "g"))?.length ?? 0;
    while ((await done("full")) < 2 || (await done("incr")) < 2) {
      expect(Date.now() - begun, await log()).toBeLessThan(240_000);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect(await log()).not.toContain("FAILED");
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
  });
});
