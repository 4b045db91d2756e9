import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

describe("what was done to a stack's container by hand", () => {
  let shop: DockerStack;

  beforeAll(async () => {
    shop = await makeDockerStack();
    await shop.succeed("up");
  });
  beforeEach(async () => {
    await shop.query(
      "migrator",
      "insert into product (id, name, price) select max(id) + 1, 'p' || max(id), 1 from product",
    );
  });

  const rows = () => shop.query("readonly", "select count(*)::int, max(id) from product");

  it.each([
    ["removed", () => docker.getContainer(shop.server).remove({ force: true }), /\+ Container server-postgres/],
    ["stopped", () => docker.getContainer(shop.server).stop(), /Container server-postgres \(.*mustRun/],
    [
      "taken out of its network",
      () => docker.getNetwork(`${shop.prefix}-network`).disconnect({ Container: shop.server, Force: true }),
      /Container server-postgres \(.*networksAdvanced/,
    ],
  ])("%s: preview names it, and up mends it with all rows", async (_what, act, named) => {
    const before = await rows();
    await act();
    expect((await shop.succeed("preview")).stdout).toMatch(named);
    await shop.succeed("up");
    expect(await rows()).toEqual(before);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("a postmaster killed inside comes back by itself, with all rows", async () => {
    const before = await rows();
    const exec = await docker
      .getContainer(shop.server)
      .exec({ Cmd: ["sh", "-c", "kill -9 $(head -1 $PGDATA/postmaster.pid)"] });
    await exec.start({});
    await shop.succeed("up");
    await expect.poll(rows, { timeout: 60_000, interval: 200 }).toEqual(before);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("is stopped by down, and started by up, which keeps every row", async () => {
    const before = await rows();
    expect((await shop.succeed("down")).stdout).toBe(`stopped; the data is kept in the volume ${shop.prefix}-data\n`);
    expect((await shop.succeed("down")).stdout).toBe(
      `was not running; the data is kept in the volume ${shop.prefix}-data\n`,
    );
    await shop.succeed("up");
    expect(await rows()).toEqual(before);
  });
});
