import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

describe("a stack's container", () => {
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
      "disconnected from its network",
      () => docker.getNetwork(`${shop.prefix}-network`).disconnect({ Container: shop.server, Force: true }),
      /Container server-postgres \(.*networksAdvanced/,
    ],
  ])("is shown by preview and repaired by up, with every row, when it was %s", async (_what, act, named) => {
    const before = await rows();
    await act();
    expect((await shop.succeed("preview")).stdout).toMatch(named);
    await shop.succeed("up");
    expect(await rows()).toEqual(before);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("recovers by itself, with every row, when its postmaster is killed", async () => {
    const before = await rows();
    const exec = await docker
      .getContainer(shop.server)
      .exec({ Cmd: ["sh", "-c", "kill -9 $(head -1 $PGDATA/postmaster.pid)"] });
    await exec.start({});
    await shop.succeed("up");
    await expect.poll(rows, { timeout: 60_000, interval: 200 }).toEqual(before);
    // A server that Docker restarted counts as running from its first successful health check.
    const health = async () => (await docker.getContainer(shop.server).inspect()).State.Health?.Status;
    await expect.poll(health, { timeout: 60_000, interval: 200 }).toBe("healthy");
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("is stopped by down, reported once by refresh, and started by up with every row", async () => {
    const before = await rows();
    expect((await shop.succeed("down")).stdout).toBe(`stopped; the data is kept in the volume ${shop.prefix}-data\n`);
    expect((await shop.succeed("down")).stdout).toBe(
      `was not running; the data is kept in the volume ${shop.prefix}-data\n`,
    );
    const refreshed = await shop.pgw("refresh");
    expect([refreshed.code, refreshed.stderr.match(/^error: .*/gm)]).toEqual([
      1,
      [`error: The server of stack "${shop.stack}" is stopped, so it cannot be compared with the state.`],
    ]);
    await shop.succeed("up");
    expect(await rows()).toEqual(before);
  });
});
