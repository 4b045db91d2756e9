import { existsSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type ArchiveOptions, createArchive } from "../../../../../scripts/backup/physical/create.ts";
import {
  finishArchiveRestore,
  type InPlaceOptions,
  restoreArchiveInPlace,
  resumeArchiveWork,
  undoArchiveRestore,
} from "../../../../../scripts/backup/physical/in-place.ts";
import type { ArchiveMetadata } from "../../../../../scripts/backup/physical/metadata.ts";
import { begunFile } from "../../../../../scripts/backup/physical/only-command.ts";
import { restoreArchive } from "../../../../../scripts/backup/physical/restore.ts";
import { findArchive } from "../../../../../scripts/backup/physical/store.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";
import { ownHolder } from "../../../../../scripts/docker/scratch-holder.ts";
import { exchangeFile } from "../../../../../scripts/server/cluster-exchange.ts";
import { stopServer } from "../../../../../scripts/server/embedded.ts";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import { readKeptClusters } from "../../../../../scripts/stack/kept-clusters.ts";
import { leftTemporary } from "../../../../support/left-temporary.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { importPackage } from "../../package/entry-points.ts";
import { damagedCopy } from "./damaged-copy.ts";
import { killedInPlace } from "./killed-in-place.ts";

let server: TestServer;
let home: string;
let made: ArchiveMetadata;

beforeAll(async () => {
  server = await startServer();
  home = await mkdtemp(join(inject("scratch"), "physical-"));
  // PostgreSQL's account enters it.
  await chmod(home, 0o755);
  await server.createDatabase("shop");
  // As a snapshot is.
  await query("create database shop_snapshot_s1", server.connection());
  await query("alter database shop_snapshot_s1 allow_connections false", server.connection());
  await query(`create table item (id int primary key, note text); grant select on item to shop_app;
    create unlogged table cart (id int); insert into cart values (1);
    create schema graphile_migrate; create table graphile_migrate.migrations (filename text);
    insert into graphile_migrate.migrations values ('000001-items.sql'), ('000002-notes.sql');
    create table still as select n, repeat('x', 100) as text from generate_series(1, 200) n`);
  // Its publisher does not exist.
  await query(
    "create subscription orders connection 'host=127.0.0.1 port=1' publication orders with (connect = false)",
  );
  await query("alter subscription orders enable");
  // From then on, nothing writes to its pages: the WAL of a backup has no images of them.
  await query("vacuum (freeze) still");
  await query("checkpoint");
});
afterAll(async () => {
  await server?.stop();
  await rm(home, { recursive: true, force: true });
});

const query = <Row extends object>(sql: string, connection: Connection = server.connection("shop")) =>
  withClient(connection, async (client) => (await client.query<Row>(sql)).rows);
const count = async () => Number((await query<{ count: string }>("select count(*) from item"))[0]?.count);
const folder = () => join(home, "archives");
const signal = new AbortController().signal;
const create = (given: Partial<ArchiveOptions> = {}, connection = server.connection()) =>
  createArchive(
    { connection, name: "test" },
    {
      ...{ folder: folder(), compressed: true, recipients: [], signal, onStep: () => undefined },
      restoreCommand: (id) => `restore ${id}`,
      ...given,
    },
  );
const restore = async (to: string, archives = folder(), name = "latest") =>
  restoreArchive(await findArchive(archives, name), {
    ...{ to, identityFile: undefined, holder: await ownHolder(), signal, onStep: () => undefined },
  });
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: Error) => error.message,
  );

describe("a physical archive", () => {
  it("restores every row committed before its end, made under load, with checkpoints and vanishing tables", async () => {
    const left = leftTemporary(join(folder(), "test-physical-1"));
    await mkdir(left, { recursive: true });
    let acknowledged = 0;
    let isOver = false;
    const write = withClient(server.connection("shop"), async (client) => {
      while (!isOver) {
        const id = acknowledged + 1;
        await client.query(`insert into item values (${id}, repeat('x', 3000))`);
        acknowledged = id;
        if (id % 50 === 0) await client.query(`create table t${id} as select 1; drop table if exists t${id - 50}`);
        if (id % 200 === 0) await client.query("select pg_switch_wal(); checkpoint");
      }
    });
    await expect.poll(() => acknowledged).toBeGreaterThan(100);
    const before = acknowledged;
    made = await create();
    isOver = true;
    await write;
    expect(made.databases).toContainEqual({ name: "shop", migrations: ["000001-items.sql", "000002-notes.sql"] });
    expect(existsSync(left)).toBe(false);
    expect(await readdir(folder())).toEqual([made.id]);
    const path = join(folder(), made.id);
    for (const name of await readdir(path)) expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
    expect(await query("select from pg_replication_slots")).toEqual([]);

    const to = join(home, "restored");
    const restored = await restore(to);
    const shop = restored.databases.find(({ database }) => database === "shop");
    const items = shop?.tables.find(({ table }) => table === "public.item")?.rows ?? 0;
    expect(items).toBeGreaterThanOrEqual(before);
    expect(items).toBeLessThanOrEqual(acknowledged);
    expect(restored.unlogged).toEqual([{ database: "shop", tables: ["public.cart"], sequences: [] }]);
    expect([restored.systemIdentifier, restored.timeline]).toEqual([made.systemIdentifier, made.timeline + 1]);
    const names = await readdir(to);
    expect(names).toContain("PG_VERSION");
    expect(names.filter((name) => /signal|RESTORE|postmaster|^pgsql_tmp/.test(name))).toEqual([]);
    expect(await readFile(join(to, "postgresql.auto.conf"), "utf8")).not.toMatch(
      /restore_command|recovery|archive_mode/,
    );
    await rm(to, { recursive: true });
    // One with less WAL for the other tests.
    await rm(join(folder(), made.id), { recursive: true });
    made = await create();
  });

  it("is refused with the reason if it is damaged, and nothing is left", async () => {
    const to = join(home, "damaged");
    const damaged = async (change: Parameters<typeof damagedCopy>[3], name = "latest") => {
      const archives = await mkdtemp(join(home, "copies-"));
      await damagedCopy(folder(), made, archives, change);
      return refusal(restore(to, archives, name));
    };
    const unusable = `The physical archive ${made.id} cannot be restored: `;
    expect(await damaged({ truncated: true })).toMatch(/^There is no such backup/);
    expect(await damaged({ truncated: true }, made.id)).toBe(
      `${unusable}cluster.tar.gz has ${made.file.bytes - 1} bytes instead of ${made.file.bytes}.`,
    );
    expect(await damaged({ flipped: true })).toBe(
      `${unusable}cluster.tar.gz was changed: its checksum does not match.`,
    );
    const [segment = ""] = made.segments;
    expect(await damaged({ without: `pg_wal/${segment}` })).toBe(`${unusable}the WAL segment ${segment} is missing.`);
    // Described as if it had never had the segment: only PostgreSQL can tell.
    expect(await damaged({ without: `pg_wal/${segment}`, described: { segments: [] } })).toMatch(
      new RegExp(`^${unusable}No server runs on the restored copy: FATAL: .*could not locate required checkpoint`),
    );
    const [{ path: table = "" } = {}] = await query<{ path: string }>("select pg_relation_filepath('still') as path");
    expect(await damaged({ overwritten: table })).toMatch(
      new RegExp(`^${unusable}the database "shop" cannot be read: invalid page in block 0 of relation [\\w/]+\\.$`),
    );
    const databases = [
      { name: "shop", migrations: ["000003-prices.sql"] },
      { name: "gone", migrations: null },
    ];
    expect(await damaged({ described: { systemIdentifier: "1", databases } })).toBe(
      `${unusable}the system identifier is ${made.systemIdentifier} instead of 1; ` +
        'the database "shop" lacks migrations: 000003-prices.sql; the database "gone" is missing.',
    );
    expect((await readdir(home)).filter((name) => name.startsWith("damaged"))).toEqual([]);
  });

  it("is refused for what a copy would lack, and nothing is left", async () => {
    await withClient(server.connection(), async (client) => {
      await client.query("set allow_in_place_tablespaces = on");
      await client.query("create tablespace elsewhere location ''");
    });
    expect(await refusal(create())).toBe(
      "No physical archive can be made: the server has tablespaces (elsewhere), whose folders are elsewhere.",
    );
    await query("drop tablespace elsewhere", server.connection());
    const link = join(server.dataDirectory, "base", "linked");
    await symlink("/nonexistent", link);
    expect(await refusal(create())).toMatch(`The data directory has a link: ${link}.`);
    await rm(link);
    expect(await refusal(create({}, server.as("migrator", "shop")))).toBe(
      "No physical archive can be made: this role is no superuser.",
    );
    const full = { folder: "/dev/null/archives" };
    expect(await refusal(create(full))).toMatch(
      /^The physical archive could not be written to \/dev\/null\/archives: /,
    );
    expect(await readdir(folder())).toEqual([made.id]);
  });
});

describe("a restore of a physical archive in place", () => {
  const place = () => ({
    home: join(inject("scratch"), "data-home"),
    directory: { data: server.dataDirectory, log: server.logDirectory },
    owner: undefined,
  });
  const notes: string[] = [];
  const options = async (): Promise<InPlaceOptions> => ({
    ...{ identityFile: undefined, holder: await ownHolder(), signal, onStep: () => undefined },
    declaredAccess: async () => ({
      roles: [{ name: "monitor_of_later", attributes: ["LOGIN"], memberOf: ["pg_monitor"], settings: {} }],
      grants: [
        { database: "shop", role: "monitor_of_later", on: { kind: "database" }, privileges: ["CONNECT"] },
        { database: "gone", role: "monitor_of_later", on: { kind: "database" }, privileges: ["CONNECT"] },
      ],
      passwords: {},
    }),
    onNote: (text) => void notes.push(text),
    exclusively: (work) =>
      work({
        server: embeddedServer(),
        databases: {
          shop: {
            logins: { app: { user: "shop_app", password: "new" } },
            ...{ migrations: ["000003-prices.sql"], seeds: [] },
          },
        },
      }),
  });
  const embeddedServer = () => {
    const { port, host, password = "" } = server.connection();
    const login = (user: string) => ({ user, password });
    const logins = { superuser: login("postgres"), monitor: login("monitor_of_later") };
    const at = { kind: "embedded", host, port, sslmode: "disable", version: "17", logins } as const;
    return { ...at, dataDirectory: server.dataDirectory, logDirectory: server.logDirectory };
  };
  const siblings = async () =>
    (await readdir(dirname(server.dataDirectory))).filter((name) => name.startsWith("data.")).sort();
  const measured = { ageSeconds: expect.any(Number), bytes: expect.any(Number) };
  const keptClusters = async () => {
    const found = await readKeptClusters(embeddedServer(), new Date());
    if (!found.known) throw new Error(found.reason);
    return found.clusters;
  };
  const isSubscribed = async () =>
    (await query<{ is: boolean }>("select subenabled as is from pg_subscription"))[0]?.is;
  const appRows = () =>
    query<{ count: number }>("select count(*)::int from item", {
      ...server.as("app", "shop"),
      password: "new",
    });

  it("replaces the cluster, sets the stack's passwords, and returns by an undo with every row", async () => {
    const rows = await count();
    await query("insert into item values (-1, 'after the archive')");
    const rules = join(server.dataDirectory, "pg_hba.conf");
    await appendFile(rules, "# changed after the archive\n");
    const archive = await findArchive(folder(), "latest");
    const restored = await restoreArchiveInPlace(place(), archive, await options(), async ({ databases }) => {
      expect(databases.map(({ database }) => database)).toContain("shop");
      // It still serves.
      expect(await count()).toBe(rows + 1);
    });
    const subscription = { database: "shop", name: "orders" };
    expect(restored.paused).toEqual({ jobsDatabase: null, jobs: [], subscriptions: [subscription] });
    expect(await isSubscribed()).toBe(false);
    const paused = join(server.dataDirectory, "pgroundwork-paused");
    expect((await stat(paused)).mode & 0o777).toBe(0o600);
    const { database: _, ...superuser } = server.connection();
    const resume = () => resumeArchiveWork(place(), superuser, async () => undefined);
    expect((await resume()).subscriptions).toEqual([subscription]);
    expect([await isSubscribed(), existsSync(paused)]).toEqual([true, false]);
    expect(await refusal(resume())).toBe("No job and no subscription is paused by a restore in place.");
    expect(restored.differences).toEqual({
      missingRoles: [],
      missingDatabases: [],
      missingMigrations: { shop: ["000003-prices.sql"] },
    });
    const later = { ...server.connection("shop"), user: "monitor_of_later" };
    expect(await query("select pg_has_role('pg_monitor', 'member') as is", later)).toEqual([{ is: true }]);
    expect(await query("select from item where id = -1")).toEqual([]);
    expect(await readFile(rules, "utf8")).toContain("# changed after the archive");
    expect(await appRows()).toEqual([{ count: await count() }]);
    expect(await siblings()).toEqual([restored.kept.split("/").at(-1)]);
    expect(await refusal(restoreArchiveInPlace(place(), archive, await options(), async () => undefined))).toMatch(
      /is still kept in /,
    );
    const kept = await keptClusters();
    expect(kept).toEqual([{ folder: restored.kept, canReturn: true, restoredAt: expect.any(String), ...measured }]);
    // A cluster without any row has about 20 MB.
    expect(kept[0]?.bytes).toBeGreaterThan(20e6);
    expect(kept[0]?.ageSeconds).toBeLessThan(60);

    await undoArchiveRestore(place(), await options(), async () => undefined);
    expect(await count()).toBe(rows + 1);
    expect(await appRows()).toEqual([{ count: rows + 1 }]);
    expect(await siblings()).toEqual([expect.stringMatching(/^data\.undone-/)]);
    expect(await keptClusters()).toMatchObject([{ canReturn: false, restoredAt: kept[0]?.restoredAt }]);
    expect(notes).toEqual([]);
  });

  it("that was killed is completed or reverted by the next command, which starts the server", async () => {
    const { directory, home: programs } = place();
    const rows = await count();
    const [undone = ""] = await siblings();
    const beginning = server.dataDirectory;
    // Killed between the two renames of an exchange.
    await stopServer(programs, directory);
    const incoming = join(dirname(beginning), undone);
    const outgoing = `${beginning}.before-20260101T000000Z`;
    await writeFile(exchangeFile(beginning), JSON.stringify({ incoming, outgoing }));
    await rename(beginning, outgoing);
    await writeFile(join(dirname(directory.log), begunFile), "");
    await mkdir(`${beginning}.restoring-20260101T000000Z.unfinished`);
    await undoArchiveRestore(place(), await options(), async () => {
      expect(await findPostmaster(beginning)).toBeDefined();
      expect(await query("select from item where id = -1")).toEqual([]);
    });
    expect(notes).toEqual([
      "completed the exchange of clusters in which a command was killed",
      expect.stringMatching(/^removed .*unfinished, which a killed command left$/),
      "starting the server, which a killed command stopped",
    ]);
    expect(await count()).toBe(rows);
    const removed = await finishArchiveRestore(place(), await options(), async () => undefined);
    expect(removed).toHaveLength(1);
    expect(await siblings()).toEqual([]);
    expect(await count()).toBe(rows);
  });

  it("that is killed leaves a server that the next command starts, with every row", async () => {
    const killed = killedInPlace(server, { place: place(), archives: folder(), folder: home });
    const steps = await killed.run("restore");
    await killed.converge("not killed");
    const stopped = steps.indexOf("pg_ctl stop ended") + 1;
    const between = steps.findIndex((step) => /^renamed data to data\.before/.test(step)) + 1;
    expect([stopped > 0, between > stopped]).toEqual([true, true]);
    for (const step of [stopped, between]) {
      await killed.run("restore", step);
      expect(await findPostmaster(server.dataDirectory)).toBeUndefined();
      await killed.converge(steps[step - 1] ?? "");
    }
  });

  it("is refused if the server has tablespaces, before anything changes", async () => {
    const location = join(dirname(server.dataDirectory), "disk");
    await mkdir(location);
    const { uid, gid } = await stat(server.dataDirectory);
    await chown(location, uid, gid);
    await query(`create tablespace disk location '${location}'`, server.connection());
    const steps: string[] = [];
    const given = { ...(await options()), onStep: (step: string) => void steps.push(step) };
    const archive = await findArchive(folder(), "latest");
    expect(await refusal(restoreArchiveInPlace(place(), archive, given, async () => undefined))).toBe(
      `The server has tablespaces (${location}), which no archive has.`,
    );
    expect([steps, await siblings()]).toEqual([[], []]);
    await query("drop tablespace disk", server.connection());
    await rm(location, { recursive: true });
  });

  it("that is not confirmed changes nothing", async () => {
    const refused = restoreArchiveInPlace(place(), await findArchive(folder(), "latest"), await options(), async () => {
      throw new Error("not wanted");
    });
    expect(await refusal(refused)).toBe("not wanted");
    expect(await siblings()).toEqual([]);
    expect(await refusal(undoArchiveRestore(place(), await options(), async () => undefined))).toBe(
      "No cluster from before an in-place restore is kept.",
    );
  });
});

it("programs make, list and restore physical archives", async () => {
  const kit = await importPackage("");
  const folder = join(home, "of programs");
  const archived = await kit.createPhysicalArchive({ connection: server.connection("postgres"), folder });
  const listed = await kit.listPhysicalArchives({ folder });
  expect(listed).toMatchObject([{ id: archived.id, state: "complete", archive: { id: archived.id } }]);
  const to = join(home, "copy of a program");
  const restored = await kit.restorePhysicalArchive("latest", { folder, to });
  expect(restored.databases.map(({ database }) => database).sort()).toEqual(["postgres", "shop", "shop_snapshot_s1"]);
  expect(existsSync(join(to, "PG_VERSION"))).toBe(true);
  await expect(kit.restorePhysicalArchive("latest", { folder, to })).rejects.toThrow("is not an empty folder");
});
