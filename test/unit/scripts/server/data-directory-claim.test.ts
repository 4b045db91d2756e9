import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimOfOther, recordedDataDirectory } from "../../../../scripts/server/data-directory-claim.ts";
import { isCloneGone, recordServer, type ServerOwner } from "../../../../scripts/server/server-record.ts";

describe("the other owner of a data directory", () => {
  let scratch: string;
  let data: string;
  let own: ServerOwner;
  let other: ServerOwner;
  const folderOf = ({ stack }: ServerOwner) => join(scratch, stack);

  beforeEach(async () => {
    scratch = await realpath(await mkdtemp(join(tmpdir(), "claim-")));
    data = join(scratch, "data");
    own = { clone: join(scratch, "clone"), project: "shop", stack: "own" };
    other = { ...own, stack: "other" };
    for (const folder of [data, own.clone, folderOf(own), folderOf(other)]) await mkdir(folder);
    for (const owner of [own, other]) await recordServer(folderOf(owner), owner, data);
    await ranLast(other);
  });
  afterEach(() => rm(scratch, { recursive: true }));

  const ranLast = (owner: ServerOwner) =>
    writeFile(join(data, "pgroundwork.conf"), `log_directory = '${join(folderOf(owner), "log")}'\n`);

  it("is the stack whose server ran on it last, unless that is the asking one", async () => {
    expect(await claimOfOther(data, own)).toMatchObject({ record: other, folder: folderOf(other) });
    expect(await claimOfOther(`${data}/`, own)).toMatchObject({ record: other });
    expect(await claimOfOther(data, other)).toBeUndefined();
    expect(await recordedDataDirectory(folderOf(own), own)).toBeUndefined();
    expect(await recordedDataDirectory(folderOf(other), other)).toBe(data);
  });

  it("is not the asking one at another path of its project directory, whose first path is kept", async () => {
    await symlink(own.clone, join(scratch, "link"));
    const linked = { ...own, clone: join(scratch, "link") };
    await ranLast(own);
    expect(await claimOfOther(data, linked)).toBeUndefined();
    expect(await claimOfOther(data, { ...linked, stack: "third" })).toMatchObject({ record: own });
    await recordServer(folderOf(own), linked, data);
    expect(await claimOfOther(data, { ...linked, stack: "third" })).toMatchObject({ record: own });
  });

  it("is undefined if that stack's data is elsewhere by now, or its project is gone", async () => {
    await recordServer(folderOf(other), other, join(scratch, "elsewhere"));
    expect(await claimOfOther(data, own)).toBeUndefined();
    await recordServer(folderOf(other), { ...other, clone: join(scratch, "gone") }, data);
    expect(await claimOfOther(data, own)).toBeUndefined();
    expect(await recordedDataDirectory(folderOf(own), own)).toBe(data);
  });

  it("is that stack if its project directory cannot be read", async () => {
    await symlink("loop", join(scratch, "loop"));
    await writeFile(join(scratch, "file"), "");
    for (const clone of [join(scratch, "loop"), join(scratch, "file", "clone")]) {
      expect(await isCloneGone(clone)).toBe(false);
      await recordServer(folderOf(other), { ...other, clone }, data);
      expect(await claimOfOther(data, own)).toMatchObject({ record: { clone } });
    }
  });

  it("is not recorded as this stack while there is no data", async () => {
    await ranLast(own);
    await recordServer(folderOf(own), own, data, false);
    expect(await recordedDataDirectory(folderOf(own), own)).toBeUndefined();
    await writeFile(join(data, "PG_VERSION"), "17\n");
    expect(await recordedDataDirectory(folderOf(own), own)).toBe(data);
  });
});
