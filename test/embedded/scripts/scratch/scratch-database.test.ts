import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { readCatalog } from "../../../../scripts/catalog/catalog.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { withScratchCluster } from "../../../../scripts/scratch/cluster.ts";
import { removeAbandoned, scratchPrefix } from "../../../../scripts/scratch/left-behind.ts";
import { NotTried } from "../../../../scripts/scratch/request.ts";
import {
  type ScratchDatabase,
  type ScratchOptions,
  withScratchDatabase,
} from "../../../../scripts/scratch/scratch-database.ts";
import { startServer, type TestServer } from "../../server.ts";
import { scratchFolders } from "./own-scratch.ts";

const sql = (connection: Connection, text: string) =>
  withClient(connection, async (client) => (await client.query(text)).rows);
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

let server: TestServer;
let live: Connection;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("store");
  live = server.as("migrator", "store");
  folder = await mkdtemp(join(tmpdir(), "pgroundwork-scratch-test-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const scratch = <T>(use: (scratch: ScratchDatabase) => Promise<T>, options: Partial<ScratchOptions> = {}) =>
  withScratchDatabase({ connection: live, folder, applied: [], ...options }, use);

describe("a scratch database", () => {
  it("starts like the live one: owner, roles, privileges, default privileges, and no table", async () => {
    const declared = await withClient(live, readCatalog);
    await sql(live, "create table rows_of_value (id integer)");
    await scratch(async ({ connection, isManaged }) => {
      expect(await withClient(connection, readCatalog)).toEqual(declared);
      expect([isManaged, connection.database, connection.user]).toEqual([true, "store", "store_migrator"]);
      expect(await sql(connection, "select current_user::text as role")).toEqual([{ role: "store_owner" }]);
    });
  });

  it("has the extensions of database.json, except optional ones that the live server cannot have", async () => {
    const extensions = ["citext", { name: "pg_trgm", schema: "ext" }, { name: "nothing_like_it", optional: true }];
    await writeFile(join(folder, "database.json"), JSON.stringify({ extensions }));
    await scratch(async ({ connection }) => {
      expect(
        await sql(
          connection,
          "select extname as name, extnamespace::regnamespace::text as schema from pg_extension where extname <> 'plpgsql' order by 1",
        ),
      ).toEqual([
        { name: "citext", schema: "public" },
        { name: "pg_trgm", schema: "ext" },
      ]);
    });
    await rm(join(folder, "database.json"));
  });

  it("has the settings stored for the database, except those that files store themselves", async () => {
    const admin = server.connection();
    await sql(
      admin,
      "alter database store set datestyle = 'German'; alter role store_owner in database store set geqo = off",
    );
    await sql(admin, "alter database store set search_path = app, public");
    const shown = async (options: Partial<ScratchOptions>) =>
      scratch(
        ({ connection }) =>
          // The kit's session sets its own date style; for a file, the value to reset to counts.
          sql(
            connection,
            "select reset_val as style, current_setting('search_path') as path from pg_settings where name = 'DateStyle'",
          ),
        options,
      );
    expect(await shown({})).toEqual([{ style: "German, DMY", path: "app, public" }]);
    const applied = ["create schema app; alter database store set search_path = app, public;"];
    expect(await shown({ applied })).toEqual([{ style: "German, DMY", path: '"$user", public' }]);
    await sql(admin, "alter database store reset all");
  });

  it("is removed afterwards, even if the work in it failed with open sessions", async () => {
    const failing = scratch(({ connection }) =>
      withClient(connection, () => {
        throw new Error("this is what went wrong");
      }),
    );
    await expect(failing).rejects.toThrow("this is what went wrong");
    expect(await scratchFolders()).toEqual([]);
  });

  it("gives a superuser of the live server no access to this machine's files and programs", async () => {
    const escaped = join(folder, "escaped");
    await scratch(
      async ({ connection, asRoot, limitation }) => {
        for (const login of [connection, await asRoot()])
          for (const statement of [
            `copy (select 1) to program 'touch ${escaped}'`,
            `copy (select 1) to '${escaped}'`,
            `select lo_export(lo_from_bytea(0, 'x'), '${escaped}')`,
            "create extension plperlu",
            "create extension dblink",
            "create subscription away connection 'host=127.0.0.1' publication p",
            "set session authorization pgroundwork_scratch",
            "create role other superuser",
            "alter role postgres superuser",
            "grant pg_execute_server_program to postgres",
          ]) {
            const failure = await sql(login, statement).catch((error: unknown) => error);
            expect([statement, failure]).toEqual([statement, expect.any(Error)]);
            expect([statement, limitation(failure)]).toEqual([statement, expect.any(String)]);
          }
        expect(await exists(escaped)).toBe(false);
      },
      { connection: { ...server.connection(), database: "store" } },
    );
  });

  it("allows a superuser of the live server what stays within the cluster", async () => {
    await scratch(
      async ({ connection }) => {
        for (const statement of [
          "create extension pg_stat_statements",
          "create role made; create table t (id int); grant select on t to made; grant made to store_app",
          "set session_replication_role = replica",
          "alter system set work_mem = '5MB'",
          "select pg_reload_conf(), pg_switch_wal()",
          "alter default privileges for role store_owner grant select on tables to made",
          "create database beside",
          "drop database beside",
        ])
          await sql(connection, statement);
      },
      { connection: { ...server.connection(), database: "store" } },
    );
  });

  it("refuses other roles what the live server refuses them", async () => {
    await scratch(async ({ connection, limitation }) => {
      const failure = await sql(connection, "create extension pg_stat_statements").catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: "42501",
        message: 'permission denied to create extension "pg_stat_statements"',
      });
      expect(limitation(failure)).toBeUndefined();
      await sql(connection, "create extension pg_trgm");
      await expect(sql(connection, "create role other")).rejects.toThrow("permission denied to create role");
    });
  });
});

describe("a scratch cluster", () => {
  it.each(["SIGKILL", "SIGINT"] as const)("ends with its process on %s, and leaves no file", async (signal) => {
    const script = join(import.meta.dirname, "scratch-process.ts");
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const place = line.toString().trim();
    const [pid] = (await readFile(join(place, "data", "postmaster.pid"), "utf8")).split("\n");
    child.kill(signal);
    await once(child, "close");
    for (let look = 0; look < 100 && (await exists(place)); look++) await sleep(100);
    expect([await exists(place), await exists(`/proc/${pid}`)]).toEqual([false, false]);
  });

  it("is removed before the next one starts if its process is gone", async () => {
    const parent = await mkdtemp(join(folder, "tmp-"));
    const [gone, living] = [join(parent, `${scratchPrefix}gone`), join(parent, `${scratchPrefix}living`)];
    for (const [place, pid] of [
      [gone, 4_000_000],
      [living, process.pid],
    ] as const) {
      await mkdir(join(place, "data"), { recursive: true });
      await writeFile(join(place, "holder"), `${hostname()}/${pid}/`);
    }
    await removeAbandoned(parent);
    expect([await exists(gone), await exists(living)]).toEqual([false, true]);
  });

  it("is a copy of a cluster that is made once, with a password that the server's account cannot read", async () => {
    const home = await mkdtemp(join(inject("scratch"), "home-"));
    await chmod(home, 0o755);
    vi.stubEnv("XDG_DATA_HOME", home);
    const identify = () => {
      const request = { major: 17, extensions: [], settings: {}, memoryMb: 32 };
      const query = "select system_identifier::text as id from pg_control_system()";
      return withScratchCluster(request, async ({ superuser }) => (await sql(superuser, query))[0]?.id as string);
    };
    // Both make it, and one of them is kept.
    const identifiers = [...(await Promise.all([identify(), identify()])), await identify()];
    expect(new Set(identifiers).size).toBe(1);
    const folder = join(home, "pgroundwork", "postgresql");
    const [version = "", ...others] = (await readdir(folder)).sort();
    expect(others).toEqual([`${version}-cluster`, `${version}-scratch`]);
    const { mode, uid } = await stat(join(folder, `${version}-cluster`, "password"));
    expect([mode & 0o777, uid]).toEqual([0o600, process.getuid?.()]);
    vi.unstubAllEnvs();
    await rm(home, { recursive: true });
  });

  it("names an extension that it cannot have, and suggests a Docker engine", async () => {
    const request = { major: 17, extensions: ["vector"], settings: {}, memoryMb: 32 };
    const attempt = withScratchCluster(request, async () => undefined);
    await expect(attempt).rejects.toBeInstanceOf(NotTried);
    await expect(attempt).rejects.toMatchObject({
      reason: "the embedded PostgreSQL does not support the extension vector",
      hint: expect.stringContaining("Start a Docker engine") as string,
    });
    const docker = { host: "unix:///nowhere/docker.sock", owner: { project: "test", stack: "test", owner: "test" } };
    await expect(withScratchCluster({ ...request, docker }, async () => undefined)).rejects.toMatchObject({
      reason: expect.stringContaining("vector, and no container could be started: ") as string,
    });
  });
});
