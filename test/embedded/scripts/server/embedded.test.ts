import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import getPort, { portNumbers } from "get-port";
import { describe, expect, inject, it } from "vitest";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { ownServers, password } from "./own-servers.ts";

const ownServer = ownServers();
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("an embedded server", () => {
  it("is PostgreSQL 17 with SCRAM, checksums, ICU and UTF-8 that listens on the loopback only", async () => {
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

  it("keeps process, port and data when it is asked for again, and port and data over a restart", async () => {
    const own = ownServer();
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

  it("comes back after kill -9 with what was committed", async () => {
    const own = ownServer({ settings: { shared_buffers: "16MB", max_connections: "20" } });
    const first = await own.ensure();
    await own.query(first.port, "create table kept (id int); insert into kept values (7)");
    process.kill(first.pid, "SIGKILL");
    // Dead at once, whether or not its parent has taken notice (in a container it may stay a zombie).
    await expect.poll(() => findPostmaster(own.directory.data)).toBeUndefined();
    const second = await own.ensure();
    expect(await own.query(second.port, "select id from kept")).toEqual([{ id: 7 }]);
  });

  it("applies a changed setting by a reload where that is enough, and by a restart where it is not", async () => {
    const own = ownServer();
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

  it("moves to another port when it is told to", async () => {
    const own = ownServer();
    await own.ensure();
    // Not one that another test's server may choose.
    const port = await getPort({ port: portNumbers(30_000, 31_999), host: "127.0.0.1" });
    const moved = await own.ensure({ port });
    expect(moved.port).toBe(port);
    expect(await own.query(port, "show port")).toEqual([{ port: String(port) }]);
    expect((await own.ensure()).port).toBe(port);
  });

  it("stays where it is when its new port is taken, and says whose fault that is", async () => {
    const own = ownServer();
    const first = await own.ensure();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    try {
      await expect(own.ensure({ port })).rejects.toMatchObject({
        message: `Port ${port} of 127.0.0.1 is taken by another program.`,
        remedy: "Choose another port with `pulumi config set port N`, or free this one. The server was left as it was.",
      });
    } finally {
      other.close();
    }
    expect(await own.ensure()).toEqual(first);
  });

  it("is not started on a port that is taken, and goes there once it is free", async () => {
    const own = ownServer();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    await expect(own.ensure({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken by another program.`);
    expect(await findPostmaster(own.directory.data)).toBeUndefined();
    await new Promise((resolve) => other.close(resolve));
    expect((await own.ensure({ port })).port).toBe(port);
  });
});

describe("what an embedded server leaves on the machine", () => {
  it("is closed to others: data, log and configuration", async () => {
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

  it("works under umask 077, with a data directory elsewhere too", async () => {
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

  it("leaves a folder as it is in which a data directory is asked for", async () => {
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

  it.skipIf(process.platform !== "linux")("has none of the caller's variables in its environment", async () => {
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

  it.skipIf(process.platform !== "linux")("never has its password in a process's arguments", async () => {
    const own = ownServer();
    const seen = new Set<string>();
    let watching = true;
    const watch = (async () => {
      while (watching) {
        for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
          seen.add(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
        }
        await sleep(2);
      }
    })();
    const next = "the-next-password-of-all";
    await own.ensure();
    await own.ensure({ superuserPassword: next });
    watching = false;
    await watch;
    const commands = [...seen].filter((command) => command.includes(own.spec.folder));
    expect(commands.some((command) => command.includes("initdb"))).toBe(true);
    expect([...seen].filter((command) => command.includes(password) || command.includes(next))).toEqual([]);
  });
});

describe("a server's superuser password", () => {
  it("is rotated without a restart while the one before is known", async () => {
    const own = ownServer();
    const first = await own.ensure();
    const rotated = await own.ensure({ superuserPassword: "rotated-password", previousPassword: password });
    expect(rotated.pid).toBe(first.pid);
    expect(await own.query(first.port, "select 1 as one", "rotated-password")).toEqual([{ one: 1 }]);
    await expect(own.query(first.port, "select 1")).rejects.toThrow("password authentication failed");
  });

  it("is set again on a running and on a stopped cluster whose password nobody knows any more", async () => {
    const own = ownServer();
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
