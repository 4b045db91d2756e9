import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { watchOutage } from "../../../outage.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

/** On a busy machine, `up` can come to the new server too late to know when it was ready. It says so. */
const downtime = /replaced: the (?:server was down for (\d+\.\d) s|downtime is unknown)/;

describe("the replacement of a container", () => {
  let shop: DockerStack;

  beforeAll(async () => {
    shop = await makeDockerStack();
    await shop.succeed("up");
    await shop.query("app", "insert into product select n, 'p' || n, 1 from generate_series(3, 2000) n");
  });

  const total = () => shop.query("readonly", "select count(*)::int, sum(id)::int from product");

  it("follows a changed image and keeps every row, and up prints how long the server was down", async () => {
    const [before, rows] = [await shop.inspected(), await total()];
    const file = "infra/images/postgres/Dockerfile";
    const dockerfile = await readFile(join(shop.clone.root, file), "utf8");
    await shop.clone.write(file, `${dockerfile}\nLABEL of="${shop.stack}"\n`);
    const client = watchOutage(await shop.login("readonly"));
    const up = await shop.succeed("up");
    const seconds = await client.end();

    const after = await shop.inspected();
    expect(after.Id).not.toBe(before.Id);
    expect(after.Image).not.toBe(before.Image);
    expect(await total()).toEqual(rows);
    const said = downtime.exec(up.stdout + up.stderr);
    expect(said).not.toBeNull();
    process.stderr.write(`replaced: ${said?.[1] ?? "unknown"} s by up, ${seconds.toFixed(1)} s for a client\n`);
    // The client measures between two attempts, which take long on a busy machine.
    if (said?.[1] !== undefined) expect(Math.abs(Number(said[1]) - seconds)).toBeLessThan(12 + seconds / 2);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("follows a change of shared memory and keeps every row", async () => {
    const rows = await total();
    await shop.configure({ shmSize: 300 });
    expect((await shop.succeed("preview")).stdout).toMatch(/Container server-postgres/);
    const { stdout, stderr } = await shop.succeed("up");
    expect(stdout + stderr).toMatch(downtime);
    expect(await total()).toEqual(rows);
  });
});
