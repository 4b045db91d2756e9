import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperationError } from "../../../../../scripts/core/operation-error.ts";
import { withServerLock } from "../../../../../scripts/server/server-lock.ts";
import { recordServer } from "../../../../../scripts/server/server-record.ts";
import { eraseServer, findServer, type Ownership } from "../../../../../scripts/stack/erase/server-place.ts";

describe("the erasure of a stack's server", () => {
  let scratch: string;
  let ownership: Ownership;
  /** Default data directory in the server's folder. */
  let data: string;

  beforeEach(async () => {
    scratch = await realpath(await mkdtemp(join(tmpdir(), "server-place-")));
    const folder = join(scratch, "home", "servers", "pgroundwork-local-11111111");
    ownership = {
      home: join(scratch, "home"),
      owner: { clone: join(scratch, "clone"), project: "pgroundwork", stack: "local" },
      folder,
      begun: [],
    };
    data = join(folder, "data");
    await makeCluster(data);
    await mkdir(join(folder, "log"));
    await mkdir(ownership.owner.clone);
  });
  afterEach(() => rm(scratch, { recursive: true }));

  async function makeCluster(folder: string, log?: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "PG_VERSION"), "17\n");
    if (log !== undefined) await writeFile(join(folder, "pgroundwork.conf"), `log_directory = '${log}'\n`);
  }
  /**
   * Returns the reason why a server is not erased. findServer and eraseServer give the same reason, and all files are
   * kept.
   */
  async function refusal(folder: string, dataDirectory: string): Promise<string> {
    const place = { folder, dataDirectory };
    const error = await findServer(ownership, place).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OperationError);
    await expect(eraseServer(ownership, place)).rejects.toThrow((error as OperationError).message);
    expect((error as OperationError).exitCode).toBe(3);
    return (error as OperationError).message;
  }

  it("deletes the files with their folder", async () => {
    const place = { folder: ownership.folder, dataDirectory: data };
    expect(await findServer(ownership, place)).toEqual({ ...place, running: undefined, hasData: true, bytes: 3 });
    await eraseServer(ownership, place);
    expect(await readdir(join(scratch, "home", "servers"))).toEqual([]);
    expect(await findServer(ownership, place)).toBeUndefined();
  });

  it("includes a data directory elsewhere if this server ran on it last", async () => {
    const elsewhere = join(scratch, "pg");
    await rm(data, { recursive: true });
    await makeCluster(elsewhere, join(ownership.folder, "log"));
    await eraseServer(ownership, { folder: ownership.folder, dataDirectory: elsewhere });
    expect((await readdir(scratch)).sort()).toEqual(["clone", "home"]);
  });

  it("excludes another data directory in the same folder", async () => {
    const elsewhere = join(scratch, "pg");
    await makeCluster(elsewhere, join(ownership.folder, "log"));
    await eraseServer(ownership, { folder: ownership.folder, dataDirectory: elsewhere });
    expect(await readdir(ownership.folder)).toEqual(["data"]);
    expect(await readdir(data)).toEqual(["PG_VERSION"]);
  });

  it("refuses data on which another stack's server ran last", async () => {
    const elsewhere = join(scratch, "pg");
    const other = join(scratch, "home", "servers", "pgroundwork-ci-11111111");
    await makeCluster(elsewhere, join(other, "log"));
    expect(await refusal(ownership.folder, elsewhere)).toBe(
      `The data in ${elsewhere} may not belong to this stack. The server of ${other} ran on it last. Nothing was deleted.`,
    );
  });

  it("refuses a cluster on which no server of the kit ever ran", async () => {
    const elsewhere = join(scratch, "pg");
    await makeCluster(elsewhere);
    expect(await refusal(ownership.folder, elsewhere)).toBe(
      `The data in ${elsewhere} may not belong to this stack. No server of pgroundwork has run on it. Nothing was deleted.`,
    );
  });

  it("refuses files without a cluster", async () => {
    await rm(join(data, "PG_VERSION"));
    await writeFile(join(data, "thesis.txt"), "");
    expect(await refusal(ownership.folder, data)).toBe(
      `${data} contains files, but no PostgreSQL cluster (no PG_VERSION). Nothing was deleted.`,
    );
  });

  it("refuses files without a cluster even if another erasure was begun", async () => {
    const stuff = join(scratch, "stuff");
    await mkdir(join(stuff, "base"), { recursive: true });
    ownership = { ...ownership, begun: [data] };
    expect(await refusal(ownership.folder, stuff)).toBe(
      `${stuff} contains files, but no PostgreSQL cluster (no PG_VERSION). Nothing was deleted.`,
    );
  });

  it("refuses data that another project's stack uses now", async () => {
    const other = join(scratch, "home", "servers", "pgroundwork-local-33333333");
    const owner = { clone: join(scratch, "other"), project: "pgroundwork", stack: "local" };
    for (const folder of [other, owner.clone]) await mkdir(folder);
    await recordServer(other, owner, data);
    await makeCluster(data, join(other, "log"));
    expect(await refusal(ownership.folder, data)).toBe(
      `The data in ${data} belongs to stack "local" of the project directory ${owner.clone}, whose server last ran on it. Nothing was deleted.`,
    );
    await rm(owner.clone, { recursive: true });
    expect(await findServer(ownership, { folder: ownership.folder, dataDirectory: data })).toMatchObject({
      hasData: true,
    });
  });

  it("refuses data that another stack adopted while it waited for the lock", async () => {
    const other = join(scratch, "home", "servers", "pgroundwork-local-33333333");
    const owner = { clone: join(scratch, "other"), project: "pgroundwork", stack: "local" };
    for (const folder of [other, owner.clone]) await mkdir(folder);
    const erased = await withServerLock(ownership.folder, async () => {
      const erasing = eraseServer(ownership, { folder: ownership.folder, dataDirectory: data }).catch((error) => error);
      // Long enough for the first check, after which the erasure waits for this lock.
      await sleep(1_000);
      await recordServer(other, owner, data);
      await makeCluster(data, join(other, "log"));
      return { erasing };
    });
    expect(await erased.erasing).toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(`belongs to stack "local" of the project directory ${owner.clone}`),
    });
    expect(await readdir(data)).toContain("PG_VERSION");
  });

  it("does not follow a link", async () => {
    const target = join(scratch, "disk");
    await rm(data, { recursive: true });
    await makeCluster(target, join(ownership.folder, "log"));
    await symlink(target, data);
    expect(await refusal(ownership.folder, data)).toBe(`${data} is a symbolic link to ${target}. Nothing was deleted.`);
    expect((await readdir(target)).sort()).toEqual(["PG_VERSION", "pgroundwork.conf"]);
  });

  it("refuses a folder outside the data folder", async () => {
    const folder = join(scratch, "clone", "servers");
    expect(await refusal(folder, join(folder, "data"))).toBe(
      `The server's folder ${folder} is not below ${join(scratch, "home", "servers")}. Nothing was deleted.`,
    );
  });

  describe("of a folder that is named for another project directory", () => {
    let folder: string;
    const record = (clone: string) =>
      recordServer(folder, { clone, project: "pgroundwork", stack: "local" }, join(folder, "data"));

    beforeEach(async () => {
      folder = join(scratch, "home", "servers", "pgroundwork-local-22222222");
      await makeCluster(join(folder, "data"));
    });

    it("is refused if that project exists, because this one may be a copy", async () => {
      const original = join(scratch, "original");
      await mkdir(original);
      await record(original);
      expect(await refusal(folder, join(folder, "data"))).toBe(
        `The server in ${folder} belongs to the project directory ${original}, and this project directory may be a copy of it. Nothing was deleted.`,
      );
    });

    it("is refused if no record names the owner", async () => {
      expect(await refusal(folder, join(folder, "data"))).toBe(
        `The server in ${folder} belongs to another project directory, and this project directory may be a copy of it. Nothing was deleted.`,
      );
    });

    it("is allowed if that project directory is gone, because it was moved", async () => {
      await record(join(scratch, "gone"));
      await eraseServer(ownership, { folder, dataDirectory: join(folder, "data") });
      expect(await readdir(join(scratch, "home", "servers"))).toEqual(["pgroundwork-local-11111111"]);
    });
  });
});
