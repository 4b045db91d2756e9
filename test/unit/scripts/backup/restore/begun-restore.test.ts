import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { notedRestores, requireFree, withNote } from "../../../../../scripts/backup/restore/begun-restore.ts";
import { exitCode } from "../../../../../scripts/core/operation-error.ts";

describe("the record of a running restore", () => {
  let root: string;
  const to = { kind: "directory", path: "/srv/copy" } as const;
  const folder = () => join(root, ".pgroundwork");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "begun-restore-"));
  });
  afterEach(() => rm(root, { recursive: true }));

  it("exists while the restore runs, and belongs to one stack", async () => {
    await withNote(root, "dev", { to }, async () => {
      expect(await notedRestores(root, "dev")).toMatchObject([{ to, state: "living" }]);
      expect(await notedRestores(root, "de")).toEqual([]);
      await withNote(root, "dev-2", { to: { kind: "volume", name: "copy" } }, async () => {
        expect(await notedRestores(root, "dev")).toHaveLength(1);
      });
      await expect(requireFree(root, "dev", to)).rejects.toMatchObject({
        message: "Another restore to /srv/copy is running.",
        exitCode: exitCode.notAllowed,
      });
      await requireFree(root, "dev", { kind: "directory", path: "/srv/other" });
    });
    expect(await readdir(folder())).toEqual([]);
  });

  it("is removed when the restore fails, and left behind when it is killed", async () => {
    const failing = withNote(root, "dev", { to }, () => Promise.reject(new Error("no space")));
    await expect(failing).rejects.toThrow("no space");
    expect(await readdir(folder())).toEqual([]);
    const name = "restoring-dev-00000000-0000-4000-8000-000000000000.json";
    await writeFile(join(folder(), name), JSON.stringify({ holder: `${hostname()}/4194000/1`, to }));
    await expect(requireFree(root, "dev", to)).rejects.toThrow("A restore to /srv/copy was killed");
    await writeFile(join(folder(), name), "{");
    await expect(requireFree(root, "dev", to)).rejects.toThrow(`${join(folder(), name)} is damaged`);
  });

  it("does not exist in a new project directory", async () => {
    expect(await notedRestores(root, "dev")).toEqual([]);
  });
});
