import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../../../scripts/docker/client.ts";
import { inEngine } from "../../../../in-engine.ts";
import { type DockerStack, makeDockerStack } from "../../../../stack.ts";

const docker = dockerClient();
const cocoa = "insert into product values (3, 'cocoa', 2)";
const names = "select name from product order by id";
const all = [{ name: "tea" }, { name: "coffee" }, { name: "cocoa" }];

describe("pgw destroy of a Docker stack", () => {
  let shop: DockerStack;
  let volume: string;

  beforeAll(async () => {
    shop = await makeDockerStack();
    volume = `${shop.prefix}-data`;
    await shop.succeed("up");
    await shop.query("app", cocoa);
  });

  const up = () => `npm run up -- --stack ${shop.stack}`;

  it("lists what is removed and what stays, and needs --yes without a terminal", async () => {
    const { code, stdout, stderr } = await shop.pgw("destroy");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      new RegExp(
        [
          `^Stack "${shop.stack}" will be destroyed:`,
          "  remove  its \\d+ resources in the state, and every generated password",
          `  remove  the container ${shop.prefix}-postgres`,
          `  remove  the network ${shop.prefix}-network`,
          `  remove  the volumes ${shop.prefix}-config, ${shop.prefix}-log, ${shop.prefix}-run`,
          `  stop    the server in the container ${shop.prefix}-postgres`,
          `  keep    the data in the volume ${volume}: shop`,
          `  keep    the image ${shop.prefix}-postgres:17`,
          `error: Destroying stack "${shop.stack}" needs a confirmation\\. Nothing was changed\\.\n  Add --yes\\.`,
        ].join("\n"),
        "m",
      ),
    );
    expect(await shop.query("readonly", names)).toEqual(all);
  });

  it("keeps only the data volume; the next up adopts it with every row and new passwords", async () => {
    const { stdout: former } = await shop.succeed("url", "--role", "app");
    const { stdout } = await shop.succeed("destroy", "--yes");
    expect(stdout).toBe(
      `stack "${shop.stack}" is destroyed, its server is stopped\nThe data is kept in the volume ${volume}. \`${up()}\` adopts it and sets new passwords.\n`,
    );
    expect(await inEngine(shop.prefix)).toEqual([`volume ${volume}`]);
    expect((await shop.succeed("destroy", "--yes")).stdout).toBe(
      `Stack "${shop.stack}" is not up: there is nothing to destroy.\nThe data is kept in the volume ${volume}. \`${up()}\` adopts it and sets new passwords.\n`,
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

  it("erases one database over verified TLS and leaves the rest unchanged", async () => {
    const { Id } = await shop.inspected();
    const told = await shop.pgw("destroy", "--erase", "shop");
    expect(told.code).toBe(3);
    expect(told.stderr).toMatch(
      / {2}database shop: [\d.]+ MB, \d+ tables with about \d+ rows, last backup: none known/,
    );
    const { stdout } = await shop.succeed("destroy", "--erase", "shop", "--yes");
    expect(stdout).toBe(
      `shop erased; the rest of stack "${shop.stack}" is unchanged\n\`${up()}\` creates shop again, empty.\n`,
    );
    expect((await shop.inspected()).Id).toBe(Id);
    await shop.succeed("up");
    expect(await shop.query("readonly", names)).toEqual(all.slice(0, 2));
    await shop.query("app", cocoa);
  });

  it("needs a running server to erase one database", async () => {
    await shop.succeed("down");
    const { code, stderr } = await shop.pgw("destroy", "--erase", "shop", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error: A database of stack "${shop.stack}" can be dropped only while its server is reachable: the server is not running.`,
    );
    await shop.succeed("up");
  });

  it("refuses a protected stack, also with --erase", async () => {
    await shop.configure({ protected: true, airgap: true, seeds: ["reference"] });
    await shop.succeed("up");
    for (const erase of [[], ["--erase", shop.stack], ["--erase", "shop"]]) {
      const { code, stderr } = await shop.pgw("destroy", ...erase, "--yes");
      expect([code, stderr]).toEqual([3, expect.stringContaining(`Stack "${shop.stack}" is protected and cannot be`)]);
    }
    await shop.configure();
    await shop.succeed("up");
    expect(await shop.query("readonly", names)).toEqual(all);
  });

  it("refuses to erase after the project directory has moved, because it may be a copy, until an up in it", async () => {
    await shop.clone.move("moved");
    const { code, stderr } = await shop.pgw("destroy", "--erase", shop.stack, "--yes");
    expect([code, stderr]).toEqual([3, expect.stringContaining("Another project directory created")]);
    expect(await shop.query("readonly", names)).toEqual(all);
    // The next test erases it here.
    await shop.succeed("up");
  });

  it("lists what is lost, erases the whole stack, and leaves only the settings", async () => {
    const told = await shop.pgw("destroy", "--erase", shop.stack);
    expect(told.code).toBe(3);
    expect(told.stderr).toMatch(
      new RegExp(
        [
          `^Stack "${shop.stack}" and everything in it will be deleted permanently:`,
          "  its \\d+ resources, and every generated password",
          `  the server's data in the volume ${volume} \\(\\d+ MB, running in the container ${shop.prefix}-postgres\\)`,
          "    database shop: [\\d.]+ MB, \\d+ tables with about \\d+ rows",
        ].join("\n"),
        "m",
      ),
    );
    expect(await shop.query("readonly", names)).toEqual(all);
    const ca = join(shop.clone.root, ".pgroundwork", `ca-${shop.stack}.pem`);
    expect(existsSync(ca)).toBe(true);
    const { stdout } = await shop.succeed("destroy", "--erase", shop.stack, "--yes");
    expect(stdout).toContain(`stack "${shop.stack}" is erased\n`);
    expect(existsSync(ca)).toBe(false);
    expect(await inEngine(shop.prefix)).toEqual([]);
    expect(await docker.listImages({ filters: { reference: [`${shop.prefix}-*`] } })).toEqual([]);
    expect(await states(shop)).not.toContain(`${shop.stack}.json`);
    expect((await shop.succeed("destroy", "--erase", shop.stack, "--yes")).stdout).toBe(
      `Stack "${shop.stack}" has no resources and no data: there is nothing to erase.\n`,
    );
  });

  it("completes an erasure that was killed after the volume had left the state", async () => {
    await shop.succeed("up");
    const note = join(shop.clone.root, ".pgroundwork", `erasing-${shop.stack}.json`);
    await holdVolume(volume, shop, async () => {
      const { code, stderr } = await shop.pgw("destroy", "--erase", shop.stack, "--yes");
      expect(code).toBe(1);
      expect(stderr).toContain(`The volume ${volume} is in use by ${shop.prefix}-guest and was not removed.`);
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

/** Runs work while a foreign container uses a volume. */
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
