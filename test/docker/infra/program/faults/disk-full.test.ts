import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { ownerOf } from "../../../../../scripts/docker/names.ts";
import { labelsOf } from "../../../../../scripts/model/labels.ts";
import { commit, shopDrafts } from "../../../../embedded/infra/program/shop.ts";
import { canMount, mountDisk, unmountDisk } from "../../../../mounted-disk.ts";
import { type DockerStack, makeDockerStack } from "../../../stack.ts";

const docker = dockerClient();
const settings = { postgresql: { max_wal_size: "64MB", min_wal_size: "32MB" } };

// The engine and the folders of its volumes are on this machine.
describe.skipIf(!canMount())("a full data volume (needs root, to mount a small one)", () => {
  let shop: DockerStack;
  /** The volume's folder on this machine. */
  let disk: string;
  /** Number of rows whose insertion the server has acknowledged. */
  let acknowledged = 2;

  const bytes = (before: string) => new RegExp(`${before}[\\d.]+ MiB used, [\\d.]+ (bytes|KiB|MiB) free`);
  const rows = () => shop.query("readonly", "select count(*)::int from product");

  beforeAll(async () => {
    shop = await makeDockerStack();
    const { clone, prefix, stack } = shop;
    const Labels = labelsOf({ owner: ownerOf(undefined, clone.root), project: "pgroundwork", role: "data", stack });
    await docker.createVolume({ Name: `${prefix}-data`, Labels });
    disk = (await docker.getVolume(`${prefix}-data`).inspect()).Mountpoint;
    mountDisk(disk, "size=200M,uid=999,gid=999,mode=700");
    await shop.configure(settings);
    await shop.succeed("up");
  });
  afterAll(() => {
    if (disk !== undefined) unmountDisk(disk);
  });

  it("refuses writes with the server's error, and loses no acknowledged row", async () => {
    expect((await shop.clone.shell(`cat /dev/zero >${disk}/filler`)).stderr).toContain("No space left on device");
    const insert = (first: number) =>
      `insert into product select n, 'p' || n || repeat('x', 500), 1 from generate_series(${first}, ${first + 9}) n`;
    let refusal: unknown;
    for (let first = 3; refusal === undefined && first < 10_000; first += 10) {
      await shop.query("app", insert(first)).then(
        () => {
          acknowledged += 10;
        },
        (error: unknown) => {
          refusal = error;
        },
      );
    }
    expect(refusal).toMatchObject({
      message: expect.stringMatching(/could not extend file .*: No space left on device \(SQLSTATE 53100\)/),
    });
    expect(await rows()).toEqual([{ count: acknowledged }]);
  });

  it("is reported by an up that needs room, with the migration's file", async () => {
    const body = "create table big as select n, repeat('x', 1000) as text from generate_series(1, 20000) n;";
    await commit(shop.clone, [...shopDrafts, { name: "big", body }]);
    const { code, stdout, stderr } = await shop.pgw("up");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).not.toMatch(/^ +at |bug in pgroundwork/m);
    expect(stderr).toMatch(/000003-big\.sql/);
    expect(stderr).toMatch(/No space left on device/);
    expect(stderr).toMatch(bytes("The filesystem of the volume [\\w-]+-data is full: "));
    expect(await rows()).toEqual([{ count: acknowledged }]);
  });

  it("is reported by an up whose server cannot start, with the used and free bytes", async () => {
    await docker.getContainer(shop.server).stop();
    const { code, stderr } = await shop.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toMatch(bytes("[Cc]ontainer .* the filesystem of its volume [\\w-]+-data is full \\("));
    expect(stderr).toContain("Free space where the Docker engine keeps its volumes");
    expect(stderr).not.toContain("PANIC");
  });

  it("works again once there is room: up applies the failed migration, and no row is missing", async () => {
    await rm(join(disk, "filler"));
    await shop.succeed("up");
    expect(await rows()).toEqual([{ count: acknowledged }]);
    expect(await shop.query("readonly", "select count(*)::int from big")).toEqual([{ count: 20_000 }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });
});
