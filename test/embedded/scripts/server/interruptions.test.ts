import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { isTemporary, temporaryFor } from "../../../../scripts/core/temporary.ts";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { leftTemporary } from "../../../support/left-temporary.ts";
import { ownServers } from "./own-servers.ts";

const ownServer = ownServers();

describe("a start after a killed run", () => {
  it("removes an incomplete cluster and makes a complete one", async () => {
    const own = ownServer();
    const half = `${own.directory.data}.initdb-6b7a3c4e-0d3f-4d53-9f0e-0d6f0d0b7c11`;
    await mkdir(half, { recursive: true });
    await writeFile(join(half, "PG_VERSION"), "17\n");
    await writeFile(`${half}.password`, "left over", { mode: 0o600 });
    const server = await own.ensure();
    expect(await own.query(server.port, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
  });

  it("removes an unfinished record, data directory and settings, but not what is being written", async () => {
    const own = ownServer();
    await own.ensure();
    await own.stop();
    const { folder } = own.spec;
    const { data } = own.directory;
    const left = [
      join(folder, "server.json"),
      `${data}.initdb`,
      `${data}.initdb-password`,
      join(data, "pgroundwork.conf"),
    ];
    for (const path of left) await writeFile(leftTemporary(path), "half");
    const living = temporaryFor(join(folder, "server.json"));
    await writeFile(living, "half");
    await own.ensure();
    expect(await readdir(folder)).toEqual(["data", "log", basename(living)]);
    expect((await readdir(data)).filter(isTemporary)).toEqual([]);
  });

  it("continues between initdb and the first start", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.stop();
    // The state after initdb: the kit's settings are neither written nor included.
    await rm(join(own.directory.data, "pgroundwork.conf"));
    await strip(join(own.directory.data, "postgresql.conf"));
    await rm(own.directory.log, { recursive: true });
    const second = await own.ensure({ port: first.port });
    expect(await own.query(second.port, "show max_connections")).toEqual([{ max_connections: "20" }]);
  });

  it("continues between writing the settings and including them", async () => {
    const own = ownServer();
    await own.ensure();
    await own.stop();
    const main = join(own.directory.data, "postgresql.conf");
    // Recovery after a kill relies on the order of two steps. The include line comes first, so that settings never
    // exist without it.
    await rm(join(own.directory.data, "pgroundwork.conf"));
    expect(await readFile(main, "utf8")).toContain("\ninclude_if_exists 'pgroundwork.conf'\n");
    const server = await own.ensure();
    expect(await own.query(server.port, "show max_connections")).toEqual([{ max_connections: "20" }]);
    const lines = (await readFile(main, "utf8")).split("\n");
    expect(lines.filter((line) => line === "include_if_exists 'pgroundwork.conf'")).toHaveLength(1);
  });

  it("replaces a broken settings file", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.stop();
    await writeFile(join(own.directory.data, "pgroundwork.conf"), `port = '${first.port}'\nshared_buffers = 'much'\n`);
    const second = await own.ensure();
    expect(second.port).toBe(first.port);
    expect(await own.query(second.port, "show shared_buffers")).toEqual([{ shared_buffers: "16MB" }]);
  });

  it("applies settings that were written and not reloaded", async () => {
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

  it("ignores a pid file whose pid now belongs to another process", async () => {
    const own = ownServer();
    const first = await own.ensure();
    const pidFile = join(own.directory.data, "postmaster.pid");
    const left = await readFile(pidFile, "utf8");
    await own.stop();
    const account = await serverAccount(process.getuid?.());
    // A process of the server's account, which PostgreSQL itself takes for a server.
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

describe("concurrent runs", () => {
  it("do not wait for a killed run that left its lock", async () => {
    const own = ownServer();
    const lock = join(own.spec.folder, "lock");
    await mkdir(lock, { recursive: true });
    const long = Date.now() / 1000 - 3_600;
    await utimes(lock, long, long);
    const server = await own.ensure();
    expect(await own.query(server.port, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
  });

  it("make only one server", async () => {
    const own = ownServer();
    const [one, two, three] = await Promise.all([own.ensure(), own.ensure(), own.ensure()]);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
    expect(await own.query(one.port, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("let a stop wait for the server that is being made, and then stop it", async () => {
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

  it("leave the server either started or stopped when one starts it and one stops it", async () => {
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
  it("does nothing, and creates no folder", async () => {
    const own = ownServer();
    expect(await own.stop()).toBe(false);
    expect(existsSync(own.spec.folder)).toBe(false);
  });
});

describe("a data directory", () => {
  it("is refused and left unchanged if it has files but no cluster", async () => {
    const own = ownServer();
    await mkdir(own.directory.data, { recursive: true });
    await writeFile(join(own.directory.data, "thesis.txt"), "mine");
    await expect(own.ensure()).rejects.toMatchObject({
      message: `The data directory ${own.directory.data} contains files, but no PostgreSQL cluster (no PG_VERSION).`,
      hint: "Set pgroundwork:dataDirectory to an empty folder or to a PostgreSQL data directory.",
    });
    expect(await readdir(own.directory.data)).toEqual(["thesis.txt"]);
  });

  it("is refused and left unchanged if it has another major version", async () => {
    const own = ownServer();
    await mkdir(own.directory.data, { recursive: true });
    await writeFile(join(own.directory.data, "PG_VERSION"), "16\n");
    await expect(own.ensure()).rejects.toMatchObject({
      message: `The data directory ${own.directory.data} was created by PostgreSQL 16, but this is PostgreSQL 17.`,
      hint: "Move its contents with pg_dumpall and a server of version 16, or set pgroundwork:dataDirectory to another folder.",
    });
    expect(await readdir(own.directory.data)).toEqual(["PG_VERSION"]);
  });

  it("is reported as damaged and left unchanged if PG_VERSION is empty", async () => {
    const own = ownServer();
    await mkdir(own.directory.data, { recursive: true });
    await writeFile(join(own.directory.data, "PG_VERSION"), "");
    await expect(own.ensure()).rejects.toMatchObject({
      message: `The data directory ${own.directory.data} is damaged: its PG_VERSION is "".`,
      hint: "Restore it from a backup. If only this file is damaged, write 17 into it.",
    });
    expect(await readdir(own.directory.data)).toEqual(["PG_VERSION"]);
  });

  it("is not treated as absent if it cannot be read", async () => {
    const own = ownServer();
    await mkdir(dirname(own.directory.data), { recursive: true });
    await writeFile(own.directory.data, "a file in its place");
    await expect(own.ensure()).rejects.toThrow(
      `Cannot read the data directory ${own.directory.data}: ENOTDIR: not a directory`,
    );
    await rm(own.directory.data);
  });

  it("is found at its new location after a move, with the same port", async () => {
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
