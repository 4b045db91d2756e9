import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deleteCluster, isPartlyDeleted } from "../../../../../scripts/stack/erase/cluster-files.ts";

const uuid = "4f0a2c1e-0000-4000-8000-0123456789ab";

describe("the deletion of a cluster", () => {
  let parent: string;
  let data: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "cluster-files-"));
    data = join(parent, "data");
    await makeCluster(data);
  });
  afterEach(() => rm(parent, { recursive: true }));

  async function makeCluster(folder: string): Promise<void> {
    for (const name of ["base/5", "pg_wal", "pg_tblspc", "global"])
      await mkdir(join(folder, name), { recursive: true });
    for (const name of ["PG_VERSION", "base/5/1259", "postgresql.conf", "pgroundwork.conf"])
      await writeFile(join(folder, name), "17");
  }

  it("leaves nothing behind", async () => {
    expect(await deleteCluster(data)).toEqual({ foreign: [], linked: [] });
    expect(await readdir(parent)).toEqual([]);
  });

  it("leaves foreign files where they are", async () => {
    await writeFile(join(data, "notes.txt"), "of somebody else");
    await mkdir(join(data, "pg_dumps"));
    const { foreign } = await deleteCluster(data);
    expect(foreign.sort()).toEqual([join(data, "notes.txt"), join(data, "pg_dumps")]);
    expect(await readFile(join(data, "notes.txt"), "utf8")).toBe("of somebody else");
    expect((await readdir(data)).sort()).toEqual(["notes.txt", "pg_dumps"]);
  });

  it("does not follow a link, and reports its target", async () => {
    const elsewhere = join(parent, "tablespace");
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, "16400"), "rows");
    await symlink(elsewhere, join(data, "pg_tblspc", "16399"));
    expect((await deleteCluster(data)).linked).toEqual([elsewhere]);
    expect(await readdir(parent)).toEqual(["tablespace"]);
    expect(await readFile(join(elsewhere, "16400"), "utf8")).toBe("rows");
  });

  it("continues a deletion that was killed", async () => {
    await rename(data, `${data}.erased-${uuid}`);
    await rm(join(`${data}.erased-${uuid}`, "PG_VERSION"));
    expect(await isPartlyDeleted(data)).toBe(true);
    expect(await deleteCluster(data)).toEqual({ foreign: [], linked: [] });
    expect(await isPartlyDeleted(data)).toBe(false);
    expect(await readdir(parent)).toEqual([]);
  });

  it("puts foreign files back that a killed deletion moved", async () => {
    await writeFile(join(data, "notes.txt"), "of somebody else");
    await rename(data, `${data}.erased-${uuid}`);
    expect((await deleteCluster(data)).foreign).toEqual([join(data, "notes.txt")]);
    expect(await readdir(data)).toEqual(["notes.txt"]);
  });

  it("ignores folders with names similar to its own temporary ones", async () => {
    const alike = [`data.erased-${uuid}x`, "data.erased-", `database.erased-${uuid}`];
    for (const name of alike) await mkdir(join(parent, name));
    await symlink(join(parent, "data.erased-"), join(parent, `data.erased-${uuid}`));
    await deleteCluster(data);
    expect((await readdir(parent)).sort()).toEqual([...alike, `data.erased-${uuid}`].sort());
  });

  it("leaves a folder alone that is not a cluster", async () => {
    await rm(join(data, "PG_VERSION"));
    expect((await deleteCluster(data)).foreign.sort()).toEqual((await readdir(data)).map((name) => join(data, name)));
    expect(await readdir(join(data, "base", "5"))).toEqual(["1259"]);
  });

  it("does nothing if there is no cluster", async () => {
    expect(await deleteCluster(join(parent, "no", "such"))).toEqual({ foreign: [], linked: [] });
  });
});
