import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { ownHolder } from "../../../../scripts/docker/scratch-holder.ts";
import { findings } from "../../../recover-findings.ts";
import { inEngine } from "../../in-engine.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

describe("recover on a Docker stack", () => {
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

  /** Creates a container like the kit's scratch containers, with some changed labels. */
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

  it("has nothing to do if nothing was left", async () => {
    expect((await shop.succeed("recover")).stdout).toBe(`no killed run of stack "${shop.stack}" left anything\n`);
  });

  it("lists and removes the temporary containers of a killed run", async () => {
    const name = await scratch(dead);
    const found = `a temporary container is left in the Docker engine: ${name}`;
    const looked = await shop.pgw("recover", "--dry-run");
    expect([looked.code, looked.stderr]).toEqual([4, `found ${found}\n      action: remove it\n`]);
    expect(await isThere(name)).toBe(true);
    expect(await findings(shop)).toEqual([{ kind: "container", found, action: "remove it", advice: null, done: true }]);
    expect(await isThere(name)).toBe(false);
    expect(await findings(shop)).toEqual([]);
  });

  it("does not touch containers of a live run, another machine, stack or project directory", async () => {
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

  it("says that it cannot tell if the Docker engine does not answer", async () => {
    const { DOCKER_HOST: before } = shop.clone.env;
    shop.clone.env.DOCKER_HOST = "unix:///nowhere/docker.sock";
    try {
      const { code, stdout, stderr } = await shop.pgw("recover");
      expect(code).toBe(5);
      expect(stdout).toMatch(/^found nothing to recover, and (?:one thing was|\d things were) not checked\n$/);
      expect(stderr).toContain(
        "found could not check the Docker engine for leftovers of a killed run: No Docker engine answers on unix:///nowhere/docker.sock: ENOENT.",
      );
    } finally {
      shop.clone.env.DOCKER_HOST = before;
    }
  });

  it("removes containers and networks that no state knows, and keeps volumes, which up adopts", async () => {
    const lasting = { "pgroundwork.role": "postgres" };
    const otherClone = await scratch(dead, { ...lasting, "pgroundwork.owner": "0123456789ab" });
    const otherStack = await scratch(dead, { ...lasting, "pgroundwork.stack": "another" });
    await shop.clone.shell("rm -r .pgroundwork/.pulumi");
    const found = (things: string[]) =>
      `the state of stack "${shop.stack}" does not contain these objects in the Docker engine: ${things.join(", ")}`;
    const volumes = ["config", "data", "log", "run"].map((role) => `volume ${shop.prefix}-${role}`);
    expect(await findings(shop)).toEqual([
      {
        kind: "container",
        found: found([`container ${shop.prefix}-postgres`, `network ${shop.prefix}-network`]),
        action: "remove them: they hold no data, and `up` creates them again",
        advice: null,
        done: true,
      },
      {
        kind: "server",
        found: found(volumes),
        action: null,
        advice: "The next `up` adopts the data and sets new passwords.",
        done: false,
      },
    ]);
    expect((await inEngine(shop.prefix)).filter((thing) => !thing.includes("-scratch-"))).toEqual(volumes);
    await shop.succeed("up");
    expect(await shop.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await findings(shop)).toEqual([]);
    for (const name of [otherClone, otherStack]) expect(await isThere(name), name).toBe(true);
  });
});
