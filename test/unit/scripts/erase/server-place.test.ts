import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eraseServer, findServer, type Ownership } from "../../../../scripts/erase/server-place.ts";
import { OperationError } from "../../../../scripts/errors/operation-error.ts";
import { recordServer } from "../../../../scripts/server/server-record.ts";

describe("the files of a stack's server", () => {
  let scratch: string;
  let ownership: Ownership;
  /** The default data directory, inside the server's folder. */
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
  /** Why these are not touched, by either way in; they are all there afterwards. */
  async function refusal(folder: string, dataDirectory: string): Promise<string> {
    const place = { folder, dataDirectory };
    const error = await findServer(ownership, place).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OperationError);
    await expect(eraseServer(ownership, place)).rejects.toThrow((error as OperationError).message);
    expect((error as OperationError).exitCode).toBe(3);
    return (error as OperationError).message;
  }

  it("go with their folder", async () => {
    const place = { folder: ownership.folder, dataDirectory: data };
    expect(await findServer(ownership, place)).toEqual({ ...place, running: undefined, hasData: true, bytes: 3 });
    await eraseServer(ownership, place);
    expect(await readdir(join(scratch, "home", "servers"))).toEqual([]);
    expect(await findServer(ownership, place)).toBeUndefined();
  });

  it("include a data directory elsewhere, where this server ran on it last", async () => {
    const elsewhere = join(scratch, "pg");
    await rm(data, { recursive: true });
    await makeCluster(elsewhere, join(ownership.folder, "log"));
    await eraseServer(ownership, { folder: ownership.folder, dataDirectory: elsewhere });
    expect((await readdir(scratch)).sort()).toEqual(["clone", "home"]);
  });

  it("do not include another data directory in the same folder", async () => {
    const elsewhere = join(scratch, "pg");
    await makeCluster(elsewhere, join(ownership.folder, "log"));
    await eraseServer(ownership, { folder: ownership.folder, dataDirectory: elsewhere });
    expect(await readdir(ownership.folder)).toEqual(["data"]);
    expect(await readdir(data)).toEqual(["PG_VERSION"]);
  });

  it("are not those of a server that another stack ran on the data last", async () => {
    const elsewhere = join(scratch, "pg");
    const other = join(scratch, "home", "servers", "pgroundwork-ci-11111111");
    await makeCluster(elsewhere, join(other, "log"));
    expect(await refusal(ownership.folder, elsewhere)).toBe(
      `The data in ${elsewhere} is not known to be this stack's. The server of ${other} ran on it last. Nothing was deleted.`,
    );
  });

  it("are not a cluster that no server of the kit ever ran on", async () => {
    const elsewhere = join(scratch, "pg");
    await makeCluster(elsewhere);
    expect(await refusal(ownership.folder, elsewhere)).toBe(
      `The data in ${elsewhere} is not known to be this stack's. No server of this kit has run on it. Nothing was deleted.`,
    );
  });

  it("are no files without a cluster", async () => {
    await rm(join(data, "PG_VERSION"));
    await writeFile(join(data, "thesis.txt"), "");
    expect(await refusal(ownership.folder, data)).toBe(
      `${data} holds files, but no PostgreSQL cluster (no PG_VERSION). Nothing was deleted.`,
    );
  });

  it("are no files without a cluster because the erasure of another directory was begun", async () => {
    const stuff = join(scratch, "stuff");
    await mkdir(join(stuff, "base"), { recursive: true });
    ownership = { ...ownership, begun: [data] };
    expect(await refusal(ownership.folder, stuff)).toBe(
      `${stuff} holds files, but no PostgreSQL cluster (no PG_VERSION). Nothing was deleted.`,
    );
  });

  it("are not those in which another clone's stack has its data by now", async () => {
    const other = join(scratch, "home", "servers", "pgroundwork-local-33333333");
    const owner = { clone: join(scratch, "other"), project: "pgroundwork", stack: "local" };
    for (const folder of [other, owner.clone]) await mkdir(folder);
    await recordServer(other, owner, data);
    await makeCluster(data, join(other, "log"));
    expect(await refusal(ownership.folder, data)).toBe(
      `The data in ${data} is that of stack "local" of the clone ${owner.clone}, whose server ran on it last. Nothing was deleted.`,
    );
    await rm(owner.clone, { recursive: true });
    expect(await findServer(ownership, { folder: ownership.folder, dataDirectory: data })).toMatchObject({
      hasData: true,
    });
  });

  it("are not reached by a link", async () => {
    const target = join(scratch, "disk");
    await rm(data, { recursive: true });
    await makeCluster(target, join(ownership.folder, "log"));
    await symlink(target, data);
    expect(await refusal(ownership.folder, data)).toBe(`${data} is a symbolic link to ${target}. Nothing was deleted.`);
    expect((await readdir(target)).sort()).toEqual(["PG_VERSION", "pgroundwork.conf"]);
  });

  it("are nowhere but in the data folder", async () => {
    const folder = join(scratch, "clone", "servers");
    expect(await refusal(folder, join(folder, "data"))).toBe(
      `The server's folder ${folder} is not below ${join(scratch, "home", "servers")}. Nothing was deleted.`,
    );
  });

  describe("in a folder that is named for a clone in another place", () => {
    let folder: string;
    const record = (clone: string) =>
      recordServer(folder, { clone, project: "pgroundwork", stack: "local" }, join(folder, "data"));

    beforeEach(async () => {
      folder = join(scratch, "home", "servers", "pgroundwork-local-22222222");
      await makeCluster(join(folder, "data"));
    });

    it("are that one's where it is still there: this clone may be a copy", async () => {
      const original = join(scratch, "original");
      await mkdir(original);
      await record(original);
      expect(await refusal(folder, join(folder, "data"))).toBe(
        `The server in ${folder} is that of the clone ${original}, and this may be a copy of it. Nothing was deleted.`,
      );
    });

    it("are nobody's to delete where no record says whose they are", async () => {
      expect(await refusal(folder, join(folder, "data"))).toBe(
        `The server in ${folder} is that of a clone in another place, and this may be a copy of it. Nothing was deleted.`,
      );
    });

    it("are this one's where the other is gone: it was moved", async () => {
      await record(join(scratch, "gone"));
      await eraseServer(ownership, { folder, dataDirectory: join(folder, "data") });
      expect(await readdir(join(scratch, "home", "servers"))).toEqual(["pgroundwork-local-11111111"]);
    });
  });
});
