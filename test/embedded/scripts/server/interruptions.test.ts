import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { ownServers } from "./own-servers.ts";

const ownServer = ownServers();

describe("what a killed run left", () => {
  it("of a cluster half made is removed, and a whole one is made", async () => {
    const own = ownServer();
    const half = `${own.directory.data}.initdb-6b7a3c4e-0d3f-4d53-9f0e-0d6f0d0b7c11`;
    await mkdir(half, { recursive: true });
    await writeFile(join(half, "PG_VERSION"), "17\n");
    await writeFile(`${half}.password`, "left over", { mode: 0o600 });
    const server = await own.ensure();
    expect(await own.query(server.port, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
  });

  it("between initdb and the first start is taken up", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.stop();
    // As initdb leaves it: no settings of ours, not included either.
    await rm(join(own.directory.data, "pgroundwork.conf"));
    await strip(join(own.directory.data, "postgresql.conf"));
    await rm(own.directory.log, { recursive: true });
    const second = await own.ensure({ port: first.port });
    expect(await own.query(second.port, "show max_connections")).toEqual([{ max_connections: "20" }]);
  });

  it("between writing the settings and having them included is taken up", async () => {
    const own = ownServer();
    await own.ensure();
    await own.stop();
    const main = join(own.directory.data, "postgresql.conf");
    // The order of the two steps is what a killed run relies on: the include comes first, so it is never missing for settings that are there.
    await rm(join(own.directory.data, "pgroundwork.conf"));
    expect(await readFile(main, "utf8")).toContain("\ninclude_if_exists 'pgroundwork.conf'\n");
    const server = await own.ensure();
    expect(await own.query(server.port, "show max_connections")).toEqual([{ max_connections: "20" }]);
    const lines = (await readFile(main, "utf8")).split("\n");
    expect(lines.filter((line) => line === "include_if_exists 'pgroundwork.conf'")).toHaveLength(1);
  });

  it("as a broken settings file does not keep the right one out", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.stop();
    await writeFile(join(own.directory.data, "pgroundwork.conf"), `port = '${first.port}'\nshared_buffers = 'much'\n`);
    const second = await own.ensure();
    expect(second.port).toBe(first.port);
    expect(await own.query(second.port, "show shared_buffers")).toEqual([{ shared_buffers: "16MB" }]);
  });

  it("between writing new settings and reloading them is put to work", async () => {
    const own = ownServer();
    const first = await own.ensure();
    const file = join(own.directory.data, "pgroundwork.conf");
    const written = (await readFile(file, "utf8")).replace("max_connections = '20'", "max_connections = '25'");
    await writeFile(file, written);
    const settings = { ...own.spec.settings, max_connections: "25" };
    const second = await own.ensure({ settings });
    expect(await own.query(second.port, "show max_connections")).toEqual([{ max_connections: "25" }]);
    expect(second.pid).not.toBe(first.pid);
  });

  it("as a pid file whose pid belongs to another process by now is no running server", async () => {
    const own = ownServer();
    const first = await own.ensure();
    const pidFile = join(own.directory.data, "postmaster.pid");
    const left = await readFile(pidFile, "utf8");
    await own.stop();
    const account = await serverAccount(process.getuid?.());
    // Of the server's own account: PostgreSQL itself takes that one for a server.
    const sleeper = spawn("sleep", ["600"], { stdio: "ignore", ...account });
    try {
      await writeFile(pidFile, left.replace(/^\d+/, String(sleeper.pid)), { mode: 0o600 });
      if (account !== undefined) await chown(pidFile, account.uid, account.gid);
      expect(await findPostmaster(own.directory.data)).toBeUndefined();
      expect(await own.stop()).toBe(false);
      const second = await own.ensure();
      expect(second.port).toBe(first.port);
      expect(await own.query(second.port, "select 1 as one")).toEqual([{ one: 1 }]);
      expect(sleeper.exitCode).toBeNull();
    } finally {
      sleeper.kill();
    }
  });
});

describe("two runs at once", () => {
  it("do not wait for one that was killed and left its lock", async () => {
    const own = ownServer();
    const lock = join(own.spec.folder, "lock");
    await mkdir(lock, { recursive: true });
    const long = Date.now() / 1000 - 3_600;
    await utimes(lock, long, long);
    const server = await own.ensure();
    expect(await own.query(server.port, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
  });

  it("make one server between them", async () => {
    const own = ownServer();
    const [one, two, three] = await Promise.all([own.ensure(), own.ensure(), own.ensure()]);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
    expect(await own.query(one.port, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("one that stops waits for one that is just making the server, and then stops it", async () => {
    const own = ownServer();
    const starting = own.ensure();
    await expect.poll(() => existsSync(join(own.spec.folder, "lock")), { interval: 5 }).toBe(true);
    const running = await findPostmaster(own.directory.data);
    const stopping = own.stop();
    expect(running).toBeUndefined();
    expect((await starting).pid).toBeGreaterThan(0);
    expect(await stopping).toBe(true);
    expect(await findPostmaster(own.directory.data)).toBeUndefined();
  });

  it("one that starts and one that stops, leave it started or stopped and nothing in between", async () => {
    const own = ownServer();
    const first = await own.ensure();
    const settings = { ...own.spec.settings, max_connections: "25" };
    const [second] = await Promise.all([own.ensure({ settings }), own.stop()]);
    expect(second.port).toBe(first.port);
    const third = await own.ensure({ settings });
    expect(await own.query(third.port, "show max_connections")).toEqual([{ max_connections: "25" }]);
  });
});

describe("stopping a server that was never made", () => {
  it("does nothing, and makes no folder for it", async () => {
    const own = ownServer();
    expect(await own.stop()).toBe(false);
    expect(existsSync(own.spec.folder)).toBe(false);
  });
});

describe("a data directory", () => {
  it("with files and no cluster is refused, untouched", async () => {
    const own = ownServer();
    await mkdir(own.directory.data, { recursive: true });
    await writeFile(join(own.directory.data, "thesis.txt"), "mine");
    await expect(own.ensure()).rejects.toMatchObject({
      message: `The data directory ${own.directory.data} holds files, but no PostgreSQL cluster (no PG_VERSION).`,
      remedy: "Set pgroundwork:dataDirectory to an empty folder or to a PostgreSQL data directory.",
    });
    expect(await readdir(own.directory.data)).toEqual(["thesis.txt"]);
  });

  it("of another major version is refused, untouched", async () => {
    const own = ownServer();
    await mkdir(own.directory.data, { recursive: true });
    await writeFile(join(own.directory.data, "PG_VERSION"), "16\n");
    await expect(own.ensure()).rejects.toMatchObject({
      message: `The data directory ${own.directory.data} was made by PostgreSQL 16; this is PostgreSQL 17.`,
      remedy:
        "Move its contents with pg_dumpall and a server of version 16, or set pgroundwork:dataDirectory to another folder.",
    });
    expect(await readdir(own.directory.data)).toEqual(["PG_VERSION"]);
  });

  it("whose PG_VERSION is empty is called damaged, untouched", async () => {
    const own = ownServer();
    await mkdir(own.directory.data, { recursive: true });
    await writeFile(join(own.directory.data, "PG_VERSION"), "");
    await expect(own.ensure()).rejects.toMatchObject({
      message: `The data directory ${own.directory.data} is damaged: its PG_VERSION reads "".`,
      remedy: "Restore it from a backup. If only this file was lost, write 17 into it.",
    });
    expect(await readdir(own.directory.data)).toEqual(["PG_VERSION"]);
  });

  it("that cannot be read is no absent one", async () => {
    const own = ownServer();
    await mkdir(dirname(own.directory.data), { recursive: true });
    await writeFile(own.directory.data, "a file in its place");
    await expect(own.ensure()).rejects.toThrow(
      `Could not tell what is in the data directory ${own.directory.data}: ENOTDIR: not a directory`,
    );
    await rm(own.directory.data);
  });

  it("that was moved is taken up at its new place, with its port", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.query(first.port, "create table kept (id int); insert into kept values (7)");
    await own.stop();
    const dataDirectory = join(own.spec.folder, "moved");
    await rename(own.directory.data, dataDirectory);
    const moved = ownServer({ folder: own.spec.folder, dataDirectory });
    const second = await moved.ensure();
    expect(second).toMatchObject({ port: first.port, directory: { data: dataDirectory } });
    expect(await moved.query(second.port, "select id from kept")).toEqual([{ id: 7 }]);
  });
});

async function strip(file: string): Promise<void> {
  const lines = (await readFile(file, "utf8")).split("\n");
  await writeFile(file, lines.filter((line) => !line.includes("pgroundwork.conf")).join("\n"));
}
