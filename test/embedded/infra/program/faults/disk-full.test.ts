import { chmod, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMount, mountDisk, resizeDisk, unmountDisk } from "../../../../mounted-disk.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { commit, makeShop, shopDrafts, shopSettings } from "../shop.ts";

describe.skipIf(!canMount())("a disk that is full (needs root, to mount one)", () => {
  let clone: Clone;
  let disk: string;
  const refused = async () => {
    const { code, stdout, stderr } = await clone.pgw("up");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).not.toContain("fault of pgroundwork");
    return stderr;
  };

  beforeAll(async () => {
    clone = await makeShop();
    disk = join(dirname(clone.root), "disk");
    await mkdir(disk);
    mountDisk(disk, "size=20M");
    await chmod(disk, 0o755);
    const postgresql = { ...shopSettings.postgresql, max_wal_size: "64MB", min_wal_size: "32MB" };
    await clone.configure({ ...shopSettings, postgresql, dataDirectory: join(disk, "data") });
  });
  afterAll(async () => {
    await clone?.pgw("down");
    if (disk !== undefined) unmountDisk(disk);
    await clone?.remove();
  });

  it("while the cluster is made is named, and nothing half-made is left", async () => {
    expect(await refused()).toMatch(
      /initdb failed in .*(No space left on device|Check free disk space).*room on the disk/s,
    );
    expect(await readdir(disk)).toEqual([]);
    resizeDisk(disk, 160);
    await clone.succeed("up");
  });

  it("in a migration is shown with its file and code, and the rows that were there stay", async () => {
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    const body =
      "create table big as\n  select repeat(md5(i::text), 20) as text from generate_series(1, 1000000) as i;";
    await commit(clone, [...shopDrafts, { name: "big", body }]);
    const stderr = await refused();
    expect(stderr).toMatch(/000003-big\.sql|did not start|was lost/);
    expect(stderr).toMatch(/disk.* is full|Read the server's log/);
  });

  it("is over once there is room: up applies what failed, and no row is missing", async () => {
    resizeDisk(disk, 3_000);
    await clone.succeed("up");
    expect(await clone.query("readonly", "select count(*)::int as rows from big")).toEqual([{ rows: 1_000_000 }]);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});
