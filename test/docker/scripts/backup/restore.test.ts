import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { type DatabaseContents, readContents } from "../../../../scripts/backup/contents.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { asLines, type BackedUpShop, makeBackedUpShop } from "../../backed-up-shop.ts";

const docker = dockerClient();

describe("a restored backup", () => {
  let shop: BackedUpShop;
  let first: string;
  let atFirst: string[];

  beforeAll(async () => {
    shop = await makeBackedUpShop();
    await shop.succeed("up");
    await shop.until("the first backup", async () => (await shop.list()).found.backups.length === 1);
    const { stdout } = await shop.succeed("backup", "create", "--type", "full", "--json");
    first = (JSON.parse(stdout) as { backup: { label: string } }).backup.label;
    atFirst = await shopTables();
    await shop.query("migrator", "insert into product select g, 'p' || g, g from generate_series(10, 5000) g");
    await shop.query("migrator", "delete from customer_order");
  });

  /** What the running server has. */
  const shopTables = async () => tablesOf(await readContents(docker, shop.server, new AbortController().signal));
  const tablesOf = (databases: readonly DatabaseContents[]) =>
    asLines(databases.find(({ database }) => database === "shop")?.tables ?? []);
  const restore = async (...args: string[]) => {
    const { stdout } = await shop.succeed("backup", "restore", "--json", ...args);
    return JSON.parse(stdout) as { databases: DatabaseContents[]; complete: true | string };
  };
  const leftOvers = async () => {
    const filters = { label: [`pgroundwork.stack=${shop.stack}`, "pgroundwork.role=scratch"] };
    const containers = await docker.listContainers({ all: true, filters });
    const { Volumes } = await docker.listVolumes({ filters });
    return [...containers.map(({ Id }) => Id), ...(Volumes ?? []).map(({ Name }) => Name)];
  };

  it("has every row that was written since, in a folder that is the caller's", async () => {
    const folder = join(inject("scratch"), `restored-${shop.stack}`);
    const now = await shopTables();
    expect(now).not.toEqual(atFirst);
    const restored = await restore("--to", folder);
    expect(restored.complete).toBe(true);
    expect(tablesOf(restored.databases)).toEqual(now);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["PG_VERSION", "base", "global", "pg_wal"]));
    const { uid, mode } = await stat(folder);
    expect([uid, mode & 0o777]).toEqual([process.getuid?.(), 0o700]);
    expect(await readdir(folder)).not.toContain("postmaster.pid");
    await rm(folder, { recursive: true });
    expect(await leftOvers()).toEqual([]);
  });

  it("named by its label has what there was when it was done, and nothing newer", async () => {
    const volume = `${shop.prefix}-restored`;
    const restored = await restore("--to-volume", volume, "--backup", first);
    expect(tablesOf(restored.databases)).toEqual(atFirst);
    const { Labels } = await docker.getVolume(volume).inspect();
    expect(Labels["pgroundwork.role"]).toBe("restored");
    expect(await leftOvers()).toEqual([]);
    const again = await shop.pgw("backup", "restore", "--to-volume", volume);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`There is a volume ${volume} already.`)]);
  });

  it("takes no folder that holds something, and no backup that is not there", async () => {
    const full = await shop.pgw("backup", "restore", "--to", inject("scratch"));
    expect([full.code, full.stderr]).toEqual([
      2,
      expect.stringContaining("is there already, and not an empty folder."),
    ]);
    const nowhere = await shop.pgw("backup", "restore");
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("--to DIR or --to-volume NAME")]);
    const unknown = await shop.pgw(
      "backup",
      "restore",
      "--to-volume",
      `${shop.prefix}-x`,
      "--backup",
      "20200101-000000F",
    );
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("20200101-000000F")]);
    expect(await leftOvers()).toEqual([]);
    await expect(docker.getVolume(`${shop.prefix}-x`).inspect()).rejects.toThrow(/no such volume/);
  });

  it("is had while the server is down, and it is said that something may be missing", async () => {
    await shop.succeed("down");
    const volume = `${shop.prefix}-down`;
    const restored = await restore("--to-volume", volume);
    expect(restored.complete).toBe("the server does not run: what it had not archived yet is missing");
    expect(tablesOf(restored.databases).length).toBeGreaterThan(0);
    const { code, text, found } = await shop.list();
    expect(code).toBe(5);
    expect(found.backups.length).toBe(2);
    expect(text).toContain(`Whether the server archives could not be told: the container ${shop.server} does not run.`);
  });
});
