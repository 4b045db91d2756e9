import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMount, mountDisk, resizeDisk, unmountDisk } from "../../../../mounted-disk.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { commit, makeShop, shopDrafts, shopSettings } from "../shop.ts";

describe.skipIf(!canMount())("a full disk (needs root to mount one)", () => {
  let clone: Clone;
  let disk: string;
  const refused = async () => {
    const { code, stdout, stderr } = await clone.pgw("up");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).not.toContain("bug in pgroundwork");
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

  it("is reported during initdb, and no partial data directory remains", async () => {
    expect(await refused()).toMatch(
      /initdb failed in .*(No space left on device|Check free disk space).*disk space, permissions/s,
    );
    expect(await readdir(disk)).toEqual([]);
    resizeDisk(disk, 160);
    await clone.succeed("up");
  });

  it("is reported in a migration with file and SQLSTATE, and existing rows stay", async () => {
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    const body =
      "create table big as\n  select repeat(md5(i::text), 20) as text from generate_series(1, 1000000) as i;";
    await commit(clone, [...shopDrafts, { name: "big", body }]);
    const stderr = await refused();
    expect(stderr).toMatch(/000003-big\.sql|did not start|was lost/);
    expect(stderr).toMatch(/disk.* is full|Read the server's log/);
  });

  it("is reported by preview and by a failed start, with the used and free bytes", async () => {
    await clone.pgw("down");
    expect((await clone.shell(`cat /dev/zero >${disk}/filler`)).stderr).toContain("No space left on device");
    const bytes = "\\d+\\.\\d MiB used, 0 bytes free";
    const { stdout, stderr } = await clone.pgw("preview");
    expect(stdout + stderr).toMatch(new RegExp(`warning: .*The disk of ${disk}/data is full: ${bytes}\\.`));
    const failed = await refused();
    expect(failed).toMatch(
      new RegExp(
        `The server on ${disk}/data (did not start|cannot be started or changed): its disk is full \\(${bytes}\\)\\.`,
      ),
    );
    expect(failed).toContain(`Free space on the disk of ${disk}/data, then run \`up\` again.`);
    expect(failed).not.toContain("PANIC");
    await rm(join(disk, "filler"));
  });

  it("is followed by a successful up after there is room, with all rows", async () => {
    resizeDisk(disk, 3_000);
    await clone.succeed("up");
    expect(await clone.query("readonly", "select count(*)::int as rows from big")).toEqual([{ rows: 1_000_000 }]);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});
