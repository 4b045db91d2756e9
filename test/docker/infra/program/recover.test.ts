import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { ownHolder } from "../../../../scripts/docker/scratch-holder.ts";
import { findings } from "../../../recover-findings.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

describe("recover on a stack in the Docker engine", () => {
  let shop: DockerStack;
  const made: string[] = [];

  beforeAll(async () => {
    shop = await makeDockerStack();
    await shop.succeed("up");
    await shop.query("app", "insert into product values (3, 'cocoa', 2)");
  });
  afterAll(async () => {
    for (const name of made)
      await docker
        .getContainer(name)
        .remove({ force: true })
        .catch(() => {});
  });

  /** A container like those that are made for a moment's work, with some labels as another has them. */
  async function scratch(holder: string, changed: Record<string, string> = {}): Promise<string> {
    const { Image, Config } = await shop.inspected();
    const name = `${shop.prefix}-scratch-${randomBytes(3).toString("hex")}`;
    const labels = { ...Config.Labels, "pgroundwork.role": "scratch", "pgroundwork.holder": holder, ...changed };
    await docker.createContainer({ name, Image, Labels: labels });
    made.push(name);
    return name;
  }
  const dead = `${hostname()}/4194000/1`;
  const isThere = async (name: string) =>
    (await docker.listContainers({ all: true, filters: { name: [`^/${name}$`] } })).length === 1;

  it("has nothing to do where nothing was left", async () => {
    expect((await shop.succeed("recover")).stdout).toBe(`nothing was left by a killed run of stack "${shop.stack}"\n`);
  });

  it("removes containers that a killed run made for a moment's work, and says so first", async () => {
    const name = await scratch(dead);
    const found = `a container that was made for a moment's work is left in the Docker engine: ${name}`;
    const looked = await shop.pgw("recover", "--dry-run");
    expect([looked.code, looked.stderr]).toEqual([4, `found ${found}\n      to do: remove it\n`]);
    expect(await isThere(name)).toBe(true);
    expect(await findings(shop)).toEqual([{ kind: "container", found, action: "remove it", advice: null, done: true }]);
    expect(await isThere(name)).toBe(false);
    expect(await findings(shop)).toEqual([]);
  });

  it("never touches those of a run that lives, of another machine, stack or clone", async () => {
    const living = await scratch(await ownHolder());
    const elsewhere = await scratch("another-machine/1/1");
    const otherStack = await scratch(dead, { "pgroundwork.stack": "another" });
    const otherClone = await scratch(dead, { "pgroundwork.owner": "0123456789ab" });
    expect(await findings(shop)).toEqual([
      expect.objectContaining({ found: expect.stringContaining(elsewhere), action: null, done: false }),
    ]);
    for (const name of [living, elsewhere, otherStack, otherClone]) {
      expect(await isThere(name), name).toBe(true);
      await docker.getContainer(name).remove();
    }
  });

  it("says that it could not tell where the Docker engine does not answer", async () => {
    const { DOCKER_HOST: before } = shop.clone.env;
    shop.clone.env.DOCKER_HOST = "unix:///nowhere/docker.sock";
    try {
      const { code, stderr } = await shop.pgw("recover");
      expect(code).toBe(0);
      expect(stderr).toContain(
        "found could not tell what a killed run left in the Docker engine: No Docker engine answers on unix:///nowhere/docker.sock: ENOENT.",
      );
    } finally {
      shop.clone.env.DOCKER_HOST = before;
    }
  });

  it("says that the next up takes over what no state knows, which it does with every row", async () => {
    await shop.clone.shell("rm -r .pgroundwork/.pulumi");
    expect(await findings(shop)).toEqual([
      {
        kind: "server",
        found: `the state of stack "${shop.stack}" does not know what is there of it in the Docker engine: container ${shop.prefix}-postgres, network ${shop.prefix}-network, volume ${shop.prefix}-config, volume ${shop.prefix}-data, volume ${shop.prefix}-run`,
        action: null,
        advice: "The next `up` takes it over, with new passwords.",
        done: false,
      },
    ]);
    await shop.succeed("up");
    expect(await shop.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await findings(shop)).toEqual([]);
  });
});
