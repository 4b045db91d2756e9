import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { inEngine } from "../../in-engine.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();
const cocoa = "insert into product values (3, 'cocoa', 2)";
const names = "select name from product order by id";
const all = [{ name: "tea" }, { name: "coffee" }, { name: "cocoa" }];

describe("pgw destroy of a stack in the Docker engine", () => {
  let shop: DockerStack;
  let volume: string;

  beforeAll(async () => {
    shop = await makeDockerStack();
    volume = `${shop.prefix}-data`;
    await shop.succeed("up");
    await shop.query("app", cocoa);
  });

  const up = () => `npm run up -- --stack ${shop.stack}`;

  it("says what would go and what stays, and without a terminal does it only with --yes", async () => {
    const { code, stdout, stderr } = await shop.pgw("destroy");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      new RegExp(
        [
          `^Stack "${shop.stack}" is taken down:`,
          "  goes   its \\d+ resources in the state, and every generated password",
          `  goes   the container ${shop.prefix}-postgres`,
          `  goes   the network ${shop.prefix}-network`,
          `  goes   the volumes ${shop.prefix}-config, ${shop.prefix}-run`,
          `  stops  the server in the container ${shop.prefix}-postgres`,
          `  stays  the data in the volume ${volume}: shop`,
          `  stays  the image ${shop.prefix}-postgres:17`,
          `error: Taking down stack "${shop.stack}" needs a confirmation: nothing was changed\\.\n  Add --yes\\.`,
        ].join("\n"),
        "m",
      ),
    );
    expect(await shop.query("readonly", names)).toEqual(all);
  });

  it("keeps the volume with the data alone, and up takes it back with every row and new passwords", async () => {
    const { stdout: former } = await shop.succeed("url", "--role", "app");
    const { stdout } = await shop.succeed("destroy", "--yes");
    expect(stdout).toBe(
      `stack "${shop.stack}" is taken down, its server is stopped\nThe data is kept in the volume ${volume}: \`${up()}\` takes it back, with new passwords.\n`,
    );
    expect(await inEngine(shop.prefix)).toEqual([`volume ${volume}`]);
    expect((await shop.succeed("destroy", "--yes")).stdout).toBe(
      `Stack "${shop.stack}" is not up: there is nothing to take down.\nThe data is kept in the volume ${volume}: \`${up()}\` takes it back, with new passwords.\n`,
    );
    await shop.succeed("up");
    expect(await shop.query("readonly", names)).toEqual(all);
    const { stdout: present } = await shop.succeed("url", "--role", "app");
    const old = new URL(present.trim());
    old.password = new URL(former.trim()).password;
    expect((await shop.clone.shell(`psql "${old.href}" -c "select 1"`)).stderr).toContain(
      "password authentication failed",
    );
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("erases one database over verified TLS, and leaves the rest as it was", async () => {
    const { Id } = await shop.inspected();
    const told = await shop.pgw("destroy", "--erase", "shop");
    expect(told.code).toBe(3);
    expect(told.stderr).toMatch(
      / {2}database shop: [\d.]+ MB, \d+ tables with about \d+ rows, last backup: none known/,
    );
    const { stdout } = await shop.succeed("destroy", "--erase", "shop", "--yes");
    expect(stdout).toBe(
      `shop erased; the rest of stack "${shop.stack}" is as it was\n\`${up()}\` makes shop anew, empty.\n`,
    );
    expect((await shop.inspected()).Id).toBe(Id);
    await shop.succeed("up");
    expect(await shop.query("readonly", names)).toEqual(all.slice(0, 2));
    await shop.query("app", cocoa);
  });

  it("needs the server to run to erase one database", async () => {
    await shop.succeed("down");
    const { code, stderr } = await shop.pgw("destroy", "--erase", "shop", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error: A database of stack "${shop.stack}" can be dropped by its server alone: the server does not run.`,
    );
    await shop.succeed("up");
  });

  it("refuses while the stack is protected, erasing included", async () => {
    await shop.configure({ protected: true, airgap: true, seeds: ["reference"] });
    await shop.succeed("up");
    for (const erase of [[], ["--erase", shop.stack], ["--erase", "shop"]]) {
      const { code, stderr } = await shop.pgw("destroy", ...erase, "--yes");
      expect([code, stderr]).toEqual([
        3,
        expect.stringContaining(`Stack "${shop.stack}" is protected: nothing of it is`),
      ]);
    }
    await shop.configure();
    await shop.succeed("up");
    expect(await shop.query("readonly", names)).toEqual(all);
  });

  it("refuses to erase what a clone in another place made, which this may be a copy of", async () => {
    await shop.clone.move("moved");
    const { code, stderr } = await shop.pgw("destroy", "--erase", shop.stack, "--yes");
    expect([code, stderr]).toEqual([3, expect.stringContaining("was made by a clone in another place")]);
    expect(await shop.query("readonly", names)).toEqual(all);
    await shop.clone.move("clone");
  });

  it("erases the whole stack: says what is lost, then leaves nothing but the settings", async () => {
    const told = await shop.pgw("destroy", "--erase", shop.stack);
    expect(told.code).toBe(3);
    expect(told.stderr).toMatch(
      new RegExp(
        [
          `^Lost for good: stack "${shop.stack}" with everything in it\\.`,
          "  its \\d+ resources, and every generated password",
          `  the server's data in the volume ${volume} \\(\\d+ MB, running in the container ${shop.prefix}-postgres\\)`,
          "    database shop: [\\d.]+ MB, \\d+ tables with about \\d+ rows",
        ].join("\n"),
        "m",
      ),
    );
    expect(await shop.query("readonly", names)).toEqual(all);
    const { stdout } = await shop.succeed("destroy", "--erase", shop.stack, "--yes");
    expect(stdout).toContain(`stack "${shop.stack}" is erased\n`);
    expect(await inEngine(shop.prefix)).toEqual([]);
    expect(await states(shop)).not.toContain(`${shop.stack}.json`);
    expect((await shop.succeed("destroy", "--erase", shop.stack, "--yes")).stdout).toBe(
      `Nothing of stack "${shop.stack}" is there: there is nothing to erase.\n`,
    );
  });

  it("completes an erasure that was killed once the state had forgotten the volume", async () => {
    await shop.succeed("up");
    const note = join(shop.clone.root, ".pgroundwork", `erasing-${shop.stack}.json`);
    await holdVolume(volume, shop, async () => {
      const { code, stderr } = await shop.pgw("destroy", "--erase", shop.stack, "--yes");
      expect(code).toBe(1);
      expect(stderr).toContain(`The volume ${volume} is in use by ${shop.prefix}-guest: it was not removed.`);
    });
    expect(JSON.parse(await readFile(note, "utf8"))).toMatchObject([{ volumes: expect.arrayContaining([volume]) }]);
    expect((await shop.succeed("recover")).stderr).toContain(
      `an erasure of stack "${shop.stack}" was not finished: the volume`,
    );
    await shop.succeed("destroy", "--erase", shop.stack, "--yes");
    expect(existsSync(note)).toBe(false);
    expect(await inEngine(shop.prefix)).toEqual([]);
  });
});

/** Has somebody else's container on a volume meanwhile. */
async function holdVolume(
  volume: string,
  { prefix, inspected }: DockerStack,
  work: () => Promise<void>,
): Promise<void> {
  const { Image } = await inspected();
  const guest = await docker.createContainer({
    name: `${prefix}-guest`,
    Image,
    HostConfig: { Mounts: [{ Type: "volume", Source: volume, Target: "/mnt", ReadOnly: true }] },
  });
  try {
    await work();
  } finally {
    await guest.remove({ force: true });
  }
}

async function states({ clone }: DockerStack): Promise<string> {
  return (await clone.shell("ls .pgroundwork/.pulumi/stacks/*/")).stdout;
}
