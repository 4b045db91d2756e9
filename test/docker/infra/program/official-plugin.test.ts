import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { unlessMissing } from "../../../../scripts/docker/docker-error.ts";
import type { StateResource } from "../../../../scripts/stack/stack-state.ts";
import { readStateResources } from "../../../embedded/state-resources.ts";
import { findings } from "../../../recover-findings.ts";
import { installOfficialDocker, userOwnPulumi } from "../../../support/official-docker/install.ts";
import { removeOwnImage, useOwnImage } from "../../own-image.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

describe("a Docker stack with the official docker plugin", () => {
  let shop: DockerStack;

  beforeAll(async () => {
    // The user's own pulumi reads the state, too.
    shop = await makeDockerStack({ usersEngine: true });
    shop.clone.env.PULUMI_HOME = join(shop.clone.env.HOME ?? "", "official");
    await installOfficialDocker(shop.clone.env.PULUMI_HOME);
    await useOwnImage(shop);
    await shop.configure({ backups: true });
    const { stderr } = await shop.succeed("up");
    expect(stderr).not.toContain("provider docker");
    await shop.query("app", "insert into product values (3, 'cocoa', 2)");
  });

  /**
   * Changes a value of the state without the official plugin's delta, as the fallback provider of version 0.1.0 did.
   */
  const nullOptionsOfNetwork = async () => {
    const file = join(shop.clone.root, ".pgroundwork/.pulumi/stacks/pgroundwork", `${shop.stack}.json`);
    const state = JSON.parse(await readFile(file, "utf8")) as {
      checkpoint: { latest: { resources: StateResource[] } };
    };
    const network = state.checkpoint.latest.resources.find(({ type }) => type === "docker:index/network:Network");
    expect(network?.outputs).toMatchObject({ options: {} });
    Object.assign(network?.outputs ?? {}, { options: null });
    await writeFile(file, JSON.stringify(state));
  };
  const expectNoChanges = async (command = "up") =>
    expect((await shop.succeed(command)).stdout).toMatch(/^no changes/m);
  const expectEveryRow = async () => {
    const found = await shop.query<{ name: string }>("readonly", "select name from product order by id");
    expect(found.map(({ name }) => name)).toEqual(["tea", "coffee", "cocoa"]);
  };

  it("changes nothing on a second up, also after a refresh", async () => {
    await expectNoChanges();
    await expectNoChanges("refresh");
    await expectNoChanges();
  });

  it("changes nothing in a checkout made with umask 077", async () => {
    await shop.clone.shell("chmod -R go-rwx infra/images");
    await expectNoChanges();
  });

  it("builds its image again if the Docker engine no longer has it", async () => {
    await shop.succeed("down");
    await removeOwnImage(shop);
    expect((await shop.succeed("up")).stdout).toMatch(/Image server-image/);
    await expectEveryRow();
    await expectNoChanges();
  });

  it("comes up again after a kill during the replacement of its container", async () => {
    const before = (await shop.inspected()).Id;
    await shop.configure({ backups: true, shmSize: 200 });
    const up = shop.clone.start("up", "--stack", shop.stack);
    const ended = new Promise((resolve) => up.once("exit", resolve));
    const created = async () => (await unlessMissing(docker.getContainer(shop.server).inspect()))?.Id ?? before;
    await expect.poll(created, { timeout: 120_000, interval: 20 }).not.toBe(before);
    process.kill(-(up.pid ?? 0), "SIGKILL");
    await ended;
    const known = await readStateResources(shop.clone, shop.stack, "docker:index/container:Container");
    expect(known.filter(({ pendingReplacement }) => !pendingReplacement).map(({ id }) => id)).not.toContain(
      await created(),
    );
    await shop.succeed("up", "--recover");
    await expectEveryRow();
    await expectNoChanges();
  });

  it("recovers from a lost state with the user's own pulumi, with every row and no further change", async () => {
    const pulumi = await userOwnPulumi(shop.clone, ["docker", "postgresql"]);
    await shop.clone.shell("rm -r .pgroundwork/.pulumi");
    await pulumi("stack", "init", shop.stack);
    const up = await pulumi("up", "--yes", "--skip-preview", "--stack", shop.stack);
    for (const thing of ["container", "network"])
      expect(up.stdout).toMatch(
        new RegExp(`removed: ${thing} ${shop.prefix}-\\w+ of this stack, which was not in its state`),
      );
    await pulumi("preview", "--expect-no-changes", "--stack", shop.stack);
    await expectEveryRow();
  });

  it("can switch to the fallback provider and back, and the official plugin can still read its state", async () => {
    const { PULUMI_HOME } = shop.clone.env;
    delete shop.clone.env.PULUMI_HOME;
    await shop.clone.shell("rm -r .pgroundwork/home");
    const refreshed = await shop.succeed("refresh");
    expect(refreshed.stderr).toContain("provider docker");
    expect(refreshed.stdout).toMatch(/^no changes/m);
    await expectNoChanges();
    shop.clone.env.PULUMI_HOME = PULUMI_HOME;
    await expectNoChanges("refresh");
    await expectNoChanges();
  });

  it("names recover if a delta in its state does not fit, and recover repairs it", async () => {
    await nullOptionsOfNetwork();
    const broken = await shop.pgw("up");
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain(`npm run pgw -- recover --stack ${shop.stack}`);
    expect(await findings(shop)).toEqual([expect.objectContaining({ kind: "state", done: true })]);
    await expectNoChanges();
  });
});
