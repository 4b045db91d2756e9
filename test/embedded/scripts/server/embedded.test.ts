import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { chmod, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { freePort } from "../../../support/free-port.ts";
import { ownServers, password } from "./own-servers.ts";

const ownServer = ownServers();
const copiedServer = ownServers(true);
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("an embedded server", () => {
  it("is PostgreSQL 17 with SCRAM, checksums, ICU and UTF-8, and listens on the loopback only", async () => {
    const own = ownServer();
    const server = await own.ensure();
    const rows = await own.query(
      server.port,
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('data_checksums') as checksums,
         current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
         pg_encoding_to_char(encoding) as encoding, datlocprovider as provider, datlocale as locale,
         (select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'postgres') as scram
       from pg_database where datname = 'postgres'`,
    );
    expect(rows).toEqual([
      {
        major: 17,
        checksums: "on",
        addresses: "127.0.0.1",
        sockets: "",
        encoding: "UTF8",
        provider: "i",
        locale: "und",
        scram: true,
      },
    ]);
    expect(server).toMatchObject({ host: "127.0.0.1", directory: own.directory, pid: expect.any(Number) });
    await expect(own.query(server.port, "select 1", "wrong")).rejects.toThrow("password authentication failed");
  });

  it("keeps process, port and data when requested again, and port and data over a restart", async () => {
    const own = copiedServer();
    const first = await own.ensure();
    await own.query(first.port, "create table kept (id int); insert into kept values (7)");
    expect(await own.ensure()).toEqual(first);
    expect(await own.stop()).toBe(true);
    expect(await findPostmaster(own.directory.data)).toBeUndefined();
    expect(await own.stop()).toBe(false);
    const second = await own.ensure();
    expect(second.port).toBe(first.port);
    expect(second.pid).not.toBe(first.pid);
    expect(await own.query(second.port, "select id from kept")).toEqual([{ id: 7 }]);
  });

  it("keeps committed rows after kill -9", async () => {
    const own = copiedServer({ settings: { shared_buffers: "16MB", max_connections: "20" } });
    const first = await own.ensure();
    await own.query(first.port, "create table kept (id int); insert into kept values (7)");
    process.kill(first.pid, "SIGKILL");
    // The server counts as stopped even if its parent has not collected its exit status yet. In a container, it may
    // stay a zombie.
    await expect.poll(() => findPostmaster(own.directory.data)).toBeUndefined();
    const second = await own.ensure();
    expect(await own.query(second.port, "select id from kept")).toEqual([{ id: 7 }]);
  });

  it("applies a changed setting by a reload if possible, and otherwise by a restart", async () => {
    const own = copiedServer();
    const first = await own.ensure();
    const settings = { ...own.spec.settings, work_mem: "9MB" };
    const reloaded = await own.ensure({ settings });
    expect(reloaded.pid).toBe(first.pid);
    expect(await own.query(first.port, "show work_mem")).toEqual([{ work_mem: "9MB" }]);
    const restarted = await own.ensure({ settings: { ...settings, max_connections: "25" } });
    expect(restarted.pid).not.toBe(first.pid);
    expect(restarted.port).toBe(first.port);
    expect(await own.query(first.port, "show max_connections")).toEqual([{ max_connections: "25" }]);
  });

  it("moves to another port when requested", async () => {
    const own = copiedServer();
    await own.ensure();
    const port = await freePort();
    const moved = await own.ensure({ port });
    expect(moved.port).toBe(port);
    expect(await own.query(port, "show port")).toEqual([{ port: String(port) }]);
    expect((await own.ensure()).port).toBe(port);
  });

  it("keeps its port if the new one is taken, and says so", async () => {
    const own = copiedServer();
    const first = await own.ensure();
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    try {
      await expect(own.ensure({ port })).rejects.toMatchObject({
        message: `Port ${port} of 127.0.0.1 is in use by another program.`,
        hint: "Choose another port with `pulumi config set port N`, or free this one. The server was not changed.",
      });
    } finally {
      other.close();
    }
    expect(await own.ensure()).toEqual(first);
  });

  it("does not start on a port that is taken, and starts there once it is free", async () => {
    const own = ownServer();
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    await expect(own.ensure({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use by another program.`);
    expect(await findPostmaster(own.directory.data)).toBeUndefined();
    await new Promise((resolve) => other.close(resolve));
    expect((await own.ensure({ port })).port).toBe(port);
  });
});

describe("the files and processes of an embedded server", () => {
  it("are closed to other users: data, log and configuration", async () => {
    const own = ownServer();
    await own.ensure();
    const { data, log } = own.directory;
    expect(await modeOf(data)).toBe("700");
    expect(await modeOf(log)).toBe("700");
    expect(await modeOf(join(data, "pgroundwork.conf"))).toBe("600");
    const account = await serverAccount(process.getuid?.());
    const { uid } = await stat(data);
    expect(uid).toBe(account?.uid ?? process.getuid?.());
    expect(await readdir(own.spec.folder)).toEqual(["data", "log"]);
  });

  it("work under umask 077, also with a separate data directory", async () => {
    const before = process.umask(0o077);
    try {
      const home = join(inject("scratch"), `umask-${randomUUID()}`);
      const own = ownServer({
        home,
        folder: join(home, "servers", "one"),
        dataDirectory: join(home, "elsewhere", "data"),
      });
      const server = await own.ensure();
      expect(await own.query(server.port, "select 1 as one")).toEqual([{ one: 1 }]);
      expect((await readdir(own.directory.log)).length).toBeGreaterThan(0);
      await own.stop();
      await rm(home, { recursive: true });
    } finally {
      process.umask(before);
    }
  });

  it("leave the folder that contains the data directory unchanged", async () => {
    const parent = join(inject("scratch"), `shared-${randomUUID()}`);
    await mkdir(parent);
    await chmod(parent, 0o1777);
    const before = await stat(parent);
    const own = ownServer({ dataDirectory: join(parent, "data") });
    await own.ensure();
    const after = await stat(parent);
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
    expect(await readdir(parent)).toEqual(["data"]);
  });

  it.skipIf(process.platform !== "linux")("have none of the caller's environment variables", async () => {
    process.env.PGW_TEST_PASSPHRASE = "marked-passphrase";
    const own = ownServer();
    try {
      const { pid } = await own.ensure();
      const environment = await readFile(`/proc/${pid}/environ`, "latin1");
      expect(environment).not.toContain("marked-passphrase");
      const names = environment.split("\0").flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
      const expected = [
        "LC_ALL",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_MESSAGES",
        "PATH",
        "PGDATA",
        "PG_GRANDPARENT_PID",
        "PGLOCALEDIR",
        "PGSYSCONFDIR",
        "PWD",
        "SHLVL",
        "OLDPWD",
        "TZ",
        "_",
      ];
      expect(names.filter((name) => !expected.includes(name))).toEqual([]);
    } finally {
      delete process.env.PGW_TEST_PASSPHRASE;
    }
  });

  it("never have the password in a program's arguments", async () => {
    const own = ownServer();
    const started: ChildProcess[] = [];
    const onStart = (message: unknown) => void started.push((message as { process: ChildProcess }).process);
    // Node.js publishes every child process on this channel, including programs that end within a millisecond.
    subscribe("child_process", onStart);
    const next = "the-next-password-of-all";
    try {
      await own.ensure();
      await own.ensure({ superuserPassword: next });
    } finally {
      unsubscribe("child_process", onStart);
    }
    const commands = started.map(({ spawnargs }) => spawnargs.join(" "));
    expect(commands.some((command) => command.includes("initdb") && command.includes(own.spec.folder))).toBe(true);
    expect(commands.filter((command) => command.includes(password) || command.includes(next))).toEqual([]);
  });
});

describe("a server's superuser password", () => {
  it("is rotated without a restart if the previous one is known", async () => {
    const own = copiedServer();
    const first = await own.ensure();
    const rotated = await own.ensure({ superuserPassword: "rotated-password", previousPassword: password });
    expect(rotated.pid).toBe(first.pid);
    expect(await own.query(first.port, "select 1 as one", "rotated-password")).toEqual([{ one: 1 }]);
    await expect(own.query(first.port, "select 1")).rejects.toThrow("password authentication failed");
  });

  it("is set again on a running and on a stopped cluster if no one knows it", async () => {
    const own = copiedServer();
    const first = await own.ensure();
    await own.query(first.port, "create table kept (id int); insert into kept values (7)");
    const running = await own.ensure({ superuserPassword: "after-lost-state" });
    expect(await own.query(running.port, "select id from kept", "after-lost-state")).toEqual([{ id: 7 }]);
    await own.stop();
    const stopped = await own.ensure({ superuserPassword: "after-another-loss" });
    expect(await own.query(stopped.port, "select id from kept", "after-another-loss")).toEqual([{ id: 7 }]);
    expect(stopped.port).toBe(first.port);
  });

  it("never reaches the server's log", async () => {
    const own = ownServer({ settings: { shared_buffers: "16MB", max_connections: "20", log_statement: "all" } });
    const first = await own.ensure();
    await own.ensure({ superuserPassword: "rotated-password", previousPassword: password });
    const logs = await Promise.all(
      (await readdir(own.directory.log)).map((name) => readFile(join(own.directory.log, name), "utf8")),
    );
    expect(first.port).toBeGreaterThan(0);
    expect(logs.join("\n")).toContain('ALTER ROLE "postgres" PASSWORD \'SCRAM-SHA-256$');
    expect(logs.join("\n")).not.toMatch(/rotated-password|a-password-nobody-may-see/);
  });
});
