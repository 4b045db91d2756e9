import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import type { Restored } from "../../../../../scripts/backup/restore/restore.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { unlessMissing } from "../../../../../scripts/docker/docker-error.ts";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { withScratchContainer } from "../../../../../scripts/docker/scratch-container.ts";
import { hostileSettings } from "../../../../hostile-settings.ts";
import { type BackedUpShop, damageMiddle, makeBackedUpShop, shopTables } from "../../../backed-up-shop.ts";
import { describeDrill } from "./describe-drill.ts";
import { describePlannedDrills } from "./describe-planned-drills.ts";

const docker = dockerClient();

/** A prepared transaction that locks a table against readers. */
const lockingTransaction = "begin; lock table t in access exclusive mode; prepare transaction 'lock'";

const stackSettings = { ...hostileSettings, track_commit_timestamp: "on", max_prepared_transactions: "1" };

describe("backup restore", () => {
  let shop: BackedUpShop;
  let first: string;
  let atFirst: string[];

  beforeAll(async () => {
    shop = await makeBackedUpShop({ postgresql: stackSettings });
    await shop.succeed("up");
    await shop.untilFirstBackup();
    const { stdout } = await shop.succeed("backup", "create", "--type", "full", "--json");
    first = (JSON.parse(stdout) as { backup: { label: string } }).backup.label;
    atFirst = await shop.tables();
    await shop.query("migrator", "insert into product select g, 'p' || g, g from generate_series(10, 5000) g");
    await shop.query("migrator", "delete from customer_order");
  });

  const restore = async (...args: string[]) => {
    const { stdout } = await shop.succeed("backup", "restore", "--json", ...args);
    return JSON.parse(stdout) as Restored;
  };
  const lastCommit = async () => {
    const text = `to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
    const query = `select ${text} as at from pg_last_committed_xact()`;
    const [{ at } = { at: "" }] = await shop.query<{ at: string }>("superuser", query);
    return at;
  };
  const leftOvers = async () => {
    const filters = { label: [`pgroundwork.stack=${shop.stack}`, "pgroundwork.role=scratch"] };
    const containers = await docker.listContainers({ all: true, filters });
    const { Volumes } = await docker.listVolumes({ filters });
    return [...containers.map(({ Id }) => Id), ...(Volumes ?? []).map(({ Name }) => Name)];
  };

  it("restores every row written since the backup into a folder that the caller owns", async () => {
    const folder = join(inject("scratch"), `restored-${shop.stack}`);
    const now = await shop.tables();
    expect(now).not.toEqual(atFirst);
    const committed = await lastCommit();
    const restored = await restore("--to", folder);
    expect(restored).not.toHaveProperty("incompleteReason");
    expect(restored.madeWith).toMatchObject({ image: (await shop.inspected()).Image, isSame: true });
    expect(restored.reached.lsn).toBe(restored.expected.lsn);
    // The server commits by itself, too, for statistics.
    const { lastCommitAt } = restored.reached;
    const order = [committed, lastCommitAt ?? "none", await lastCommit()];
    expect(order.toSorted()).toEqual(order);
    // A server writes a record of its running transactions at any time.
    expect(restored.notArchived).toEqual({ bytes: expect.any(Number) });
    expect((restored.notArchived as { bytes: number }).bytes).toBeLessThan(1_024);
    expect(shopTables(restored.databases)).toEqual(now);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["PG_VERSION", "base", "global", "pg_wal"]));
    const { uid, mode } = await stat(folder);
    expect([uid, mode & 0o777]).toEqual([process.getuid?.(), 0o700]);
    expect(await readdir(folder)).not.toContain("postmaster.pid");
    // The restored settings contain nothing of the restore.
    const settings = await readFile(join(folder, "postgresql.auto.conf"), "utf8");
    expect(settings.split("\n").filter((line) => /^[a-z]/.test(line))).toEqual([]);
    await rm(folder, { recursive: true });
    expect(await leftOvers()).toEqual([]);
  });

  it("restores only the contents at the end of the backup that --backup names, and reports that another image made it", async () => {
    const volume = `${shop.prefix}-restored`;
    const image = `sha256:${"0123456789ab".repeat(6).slice(0, 64)}`;
    await shop.inSidecar("pgbackrest", "annotate", `--set=${first}`, `--annotation=pgroundwork-image=${image}`);
    const { stdout, stderr } = await shop.succeed(
      ...["backup", "restore", "--json", "--to-volume", volume, "--backup", first],
    );
    const restored = JSON.parse(stdout) as Restored;
    expect(shopTables(restored.databases)).toEqual(atFirst);
    expect(restored.madeWith).toEqual({ image, postgres: expect.stringMatching(/^17\./), isSame: false });
    expect(stderr).toMatch(/The backup was made with another image \(PostgreSQL 17\S+, sha256:0123456789ab\) than/);
    const { Labels } = await docker.getVolume(volume).inspect();
    expect(Labels["pgroundwork.role"]).toBe("restored");
    expect(await leftOvers()).toEqual([]);
    const again = await shop.pgw("backup", "restore", "--to-volume", volume);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`The volume ${volume} already exists.`)]);
  });

  it("lists unlogged tables and sequences, whose contents are in no backup", async () => {
    const inPostgres = (sql: string) => shop.inServer("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", sql);
    await shop.query("superuser", "create unlogged table cache (id int generated always as identity, v text)");
    await shop.query("superuser", "insert into cache (v) select 'x' from generate_series(1, 50)");
    await shop.query("superuser", 'create unlogged table "Odd one" (id int)');
    await shop.query("superuser", "create unlogged sequence ticket; select nextval('ticket')");
    expect((await inPostgres("create unlogged table scratchpad as select 1 as a")).code).toBe(0);
    const volume = `${shop.prefix}-unlogged`;
    const { stdout, stderr } = await shop.succeed("backup", "restore", "--to-volume", volume, "--json");
    const restored = JSON.parse(stdout) as Restored;
    expect(restored).not.toHaveProperty("incompleteReason");
    expect(restored.unlogged).toEqual([
      { database: "postgres", tables: ["public.scratchpad"], sequences: [] },
      { database: "shop", tables: ['public."Odd one"', "public.cache"], sequences: ["public.ticket"] },
    ]);
    expect(stderr).toContain(
      'warning: database "shop": unlogged tables are empty after every restore or crash: public."Odd one", public.cache\n',
    );
    expect(stderr).toContain(
      'warning: database "shop": unlogged sequences are reset after every restore or crash: public.ticket\n',
    );
    await docker.getVolume(volume).remove();
    await shop.query("superuser", 'drop table cache, "Odd one"; drop sequence ticket');
    await inPostgres("drop table scratchpad");
  });

  describeDrill(
    () => shop,
    () => first,
    leftOvers,
  );

  describePlannedDrills(() => shop);

  describe("that is killed", () => {
    /** Starts a restore and kills it once a condition holds. */
    const killOnce = async (holds: () => Promise<boolean>, ...args: string[]) => {
      const child = shop.clone.start("backup", "restore", "--stack", shop.stack, ...args);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      await expect.poll(holds, { timeout: 120_000, interval: 20 }).toBe(true);
      process.kill(-(child.pid ?? 0), "SIGKILL");
      await ended;
    };

    it("leaves a folder that is marked as unfinished and cannot start; recover removes it", async () => {
      const folder = join(inject("scratch"), `killed-${shop.stack}`);
      const unfinished = `${folder}.unfinished`;
      // Files are restored in the order of their names, so all files before pg_wal exist.
      await killOnce(async () => existsSync(join(unfinished, "pg_wal")), "--to", folder);
      expect(await readdir(join(unfinished, "global"))).not.toEqual([]);
      expect(existsSync(folder)).toBe(false);
      expect(await readFile(join(unfinished, "RESTORE-NOT-FINISHED"), "utf8")).toContain(
        "This is an incomplete cluster",
      );
      expect(existsSync(join(unfinished, "global/pg_control"))).toBe(false);
      const again = await shop.pgw("backup", "restore", "--to", folder);
      expect([again.code, again.stderr]).toEqual([
        3,
        `error: A restore to ${folder} was killed and left an incomplete cluster.\n  Remove what it left, then try again: \`npm run pgw -- recover --stack ${shop.stack}\`\n`,
      ]);
      const { stderr } = await shop.succeed("recover");
      expect(stderr).toContain(`found a restore to ${folder} was killed before it was complete\n`);
      expect(existsSync(unfinished)).toBe(false);
      expect(await leftOvers()).toEqual([]);
      expect((await shop.succeed("recover")).stdout).toContain("left anything");

      // A folder that may not belong to a restore is kept. The message has the command that removes it.
      await mkdir(unfinished);
      const unknown = await shop.pgw("backup", "restore", "--to", folder);
      expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining(`    rm -r '${unfinished}'\n`)]);
      await rm(unfinished, { recursive: true });
    });

    it("leaves a volume that is marked as unfinished; recover removes only that volume", async () => {
      const volume = `${shop.prefix}-killed-restore`;
      const named = async () =>
        ((await docker.listVolumes({ filters: { name: [volume] } })).Volumes ?? []).map(({ Name }) => Name);
      const isMade = async () => (await named()).length > 0;
      await killOnce(isMade, "--to-volume", volume);
      const again = await shop.pgw("backup", "restore", "--to-volume", volume);
      expect([again.code, again.stderr]).toEqual([
        3,
        expect.stringContaining(`A restore to the volume ${volume} was killed and left an incomplete cluster.`),
      ]);
      await shop.succeed("recover");
      expect(await named()).toEqual([]);
      expect(await leftOvers()).toEqual([]);

      await killOnce(isMade, "--to-volume", volume);
      // A container that uses the volume may still be under creation.
      await shop.until("the volume is removed", async () => {
        const containers = await docker.listContainers({ all: true, filters: { volume: [volume] } });
        for (const { Id } of containers) await unlessMissing(docker.getContainer(Id).remove({ force: true }));
        await docker
          .getVolume(volume)
          .remove({ force: true })
          .catch(() => {});
        return (await named()).length === 0;
      });
      await docker.createVolume({ Name: volume });
      await shop.succeed("recover");
      expect(await named()).toEqual([volume]);
      await docker.getVolume(volume).remove();
    });
  });

  it("is for a whole cluster; a dump of one database, by the stack's own pg_dump, is loaded by the command that it names", async () => {
    const now = await shop.tables();
    const made = JSON.parse((await shop.succeed("backup", "dump", "--json")).stdout) as {
      dumps: [{ id: string; restore: string; content: { tables: { table: string; rows: number }[] } }];
    };
    const [{ id, restore: command }] = made.dumps;
    expect(command).toBe(`npm run db:restore -- ${id} --stack ${shop.stack} --database shop`);
    const validated = await shop.succeed("dumps", "validate", "latest", "--json");
    expect(JSON.parse(validated.stdout)).toMatchObject({ id, state: "passed", reasons: [] });
    await shop.query("migrator", "truncate product cascade");
    const refused = await shop.clone.shell(command);
    expect([refused.code, await shop.query("readonly", "select count(*)::int as rows from product")]).toEqual([
      3,
      [{ rows: 0 }],
    ]);
    const loaded = await shop.clone.shell(`${command} --yes`);
    expect([loaded.code, loaded.stderr]).toEqual([0, expect.stringContaining("replace shop of stack")]);
    expect(await shop.tables()).toEqual(now);
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
    const listed = JSON.parse((await shop.succeed("dumps", "list", "--json")).stdout) as {
      dumps: { reason: string }[];
    };
    expect(listed.dumps.map(({ reason }) => reason)).toEqual(["before-load", "requested"]);
  });

  it("refuses a folder that is not empty and a backup that does not exist", async () => {
    const full = await shop.pgw("backup", "restore", "--to", inject("scratch"));
    expect([full.code, full.stderr]).toEqual([
      2,
      expect.stringContaining("already exists and is not an empty folder."),
    ]);
    const nowhere = await shop.pgw("backup", "restore");
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringContaining("--to DIR, --to-volume NAME, --in-place and --only"),
    ]);
    const unknown = await shop.pgw(
      "backup",
      "restore",
      "--to-volume",
      `${shop.prefix}-x`,
      "--backup",
      "20200101-000000F",
    );
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining(`The repository has no backup with the label "20200101-000000F".`),
    ]);
    expect(unknown.stderr).toContain(first);
    expect(await leftOvers()).toEqual([]);
    await expect(docker.getVolume(`${shop.prefix}-x`).inspect()).rejects.toThrow(/no such volume/);
  });

  describe("from a damaged archive", () => {
    const archive = "/repository/archive/main/17-1";
    let rows: number;

    /** Archive file with the second of three batches. */
    let middle: string;

    const newest = async () => (await shop.onRepository(`ls ${archive}/*/*-* | sort | tail -1`)).trim();
    const restoreDamaged = async () => {
      const volume = `${shop.prefix}-damaged`;
      const { code, stdout, stderr } = await shop.pgw("backup", "restore", "--json", "--to-volume", volume);
      await docker.getVolume(volume).remove();
      return { code, restored: JSON.parse(stdout) as Restored, stderr };
    };
    const productsIn = ({ databases }: Restored) =>
      databases.flatMap(({ tables }) => tables).find(({ table }) => table === "public.product")?.rows ?? 0;

    beforeAll(async () => {
      await shop.succeed("backup", "create");
      for (const batch of [1, 2, 3]) {
        const from = batch * 10_000;
        const insert = `insert into product select g, 'b' || g, g from generate_series(${from}, ${from + 999}) g`;
        await shop.query("superuser", insert);
        if (batch === 2) {
          const lsn = "select pg_walfile_name(pg_current_wal_lsn()) as name";
          const [{ name } = { name: "" }] = await shop.query<{ name: string }>("superuser", lsn);
          middle = name;
        }
        await shop.query("superuser", "select pg_switch_wal()");
      }
      const [{ count } = { count: 0 }] = await shop.query<{ count: number }>(
        "superuser",
        "select count(*)::int from product",
      );
      rows = count;
      await shop.inSidecar("pgbackrest", "check");
      middle = (await shop.onRepository(`ls ${archive}/*/${middle}-*`)).trim();
    });

    it.each<[string, () => string, RegExp]>([
      ["is missing", () => `mv ${middle} /repository/away`, /the segment [0-9A-F]{24} is missing/],
      ["is damaged", () => damageMiddle(middle), /could not read [0-9A-F]{24} \(exit code \d+\)/],
    ])("reports an incomplete restore if a segment in the middle %s", async (_what, damage, reason) => {
      await shop.onRepository(`cp -a ${middle} /repository/whole && ${damage()}`);
      try {
        const { code, restored, stderr } = await restoreDamaged();
        expect(code).toBe(5);
        expect(restored.incompleteReason).toMatch(reason);
        expect(stderr).toContain(`warning: rows may be missing: ${restored.incompleteReason}`);
        // The restored data is kept and reported.
        expect(productsIn(restored)).toBe(rows - 2_000);
        expect(restored.reached.lsn).not.toBe(restored.expected.lsn);
        // It does not replace the cluster that has the rows, unless someone agrees.
        const inPlace = await shop.pgw("backup", "restore", "--in-place", "--yes");
        expect([inPlace.code, inPlace.stderr]).toEqual([
          5,
          expect.stringMatching(/error: Rows may be missing in the restored cluster: .*--allow-incomplete/s),
        ]);
        expect(await shop.query("superuser", "select count(*)::int from product")).toEqual([{ count: rows }]);
      } finally {
        await shop.onRepository(`mv /repository/whole ${middle}; rm -f /repository/away`);
      }
    });

    it("reports an incomplete restore if the newest segments, which only the server knows, are missing", async () => {
      // Without it, the newest segment could hold nothing but the record of the shutdown.
      await shop.query("superuser", "select pg_logical_emit_message(true, 'test', 'in the newest segment')");
      await shop.succeed("down");
      const file = await newest();
      await shop.onRepository(`mv ${file} /repository/away`);
      const { code, restored } = await restoreDamaged();
      await shop.onRepository(`mv /repository/away ${file}`);
      await shop.succeed("up");
      expect([code, restored.incompleteReason]).toEqual([
        5,
        expect.stringMatching(/is missing from the archive|no longer has it/),
      ]);
    });

    it("follows a timeline switch, and reports an incomplete restore without the history file", async () => {
      await shop.inServer("touch", "/var/lib/postgresql/17/data/standby.signal");
      await docker.getContainer(shop.server).restart();
      // The kit's sessions work on a standby, although it rejects this server's default isolation level.
      await shop.until("it is a standby that answers", async () => {
        const asked = shop.query<{ standby: boolean }>("superuser", "select pg_is_in_recovery() as standby");
        return (await asked.catch(() => []))[0]?.standby === true;
      });
      await shop.until("it was promoted", async () => {
        const isolation = "set default_transaction_isolation to 'read committed'";
        const { stdout } = await shop.inServer("psql", "-XqAt", "-c", isolation, "-c", "select pg_promote()");
        return stdout.trim() === "t";
      });
      await shop.query("superuser", "insert into product values (50000, 'later', 1); select pg_switch_wal()");
      const whole = await restoreDamaged();
      expect([whole.code, whole.restored.incompleteReason, productsIn(whole.restored)]).toEqual([
        0,
        undefined,
        rows + 1,
      ]);
      expect(whole.restored.reached.timeline).toBe(2);

      const history = `${archive}/00000002.history`;
      await shop.onRepository(`mv ${history}* /repository/`);
      const { code, restored } = await restoreDamaged();
      await shop.onRepository(`mv /repository/*.history* ${archive}/`);
      expect([code, restored.incompleteReason]).toEqual([5, expect.stringContaining("not 00000002.history")]);
      expect(productsIn(restored)).toBe(rows);
    });
  });

  it("is refused in place if a prepared transaction holds a login, whose password could not be set", async () => {
    const prepare = "begin; alter role shop_app connection limit 50; prepare transaction 'held login'";
    expect((await shop.inServer("psql", "-X", "-d", "shop", "-c", prepare)).code).toBe(0);
    const refused = await shop.pgw("backup", "restore", "--in-place", "--yes");
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringContaining("a prepared transaction holds one of them (prepared are held login in shop)"),
    ]);
    const snapshot = await shop.pgw("snapshot", "save", "with_prepared");
    expect([snapshot.code, snapshot.stderr]).toEqual([
      3,
      expect.stringContaining('The database "shop" has prepared transactions (held login)'),
    ]);
    expect((await shop.inServer("psql", "-X", "-d", "shop", "-c", "rollback prepared 'held login'")).code).toBe(0);
  });

  it("restores tablespaces, including those created after the backup", async () => {
    const location = (name: string) => `/var/lib/postgresql/${name}`;
    const create = async (name: string) => {
      await shop.inServer("mkdir", location(name));
      await shop.query("superuser", `create tablespace "${name}" location '${location(name)}'`);
      await shop.query(
        "superuser",
        `create table "in_${name}" tablespace "${name}" as select generate_series(1, 500) g`,
      );
    };
    await create("own disk");
    const { stdout: created } = await shop.succeed("backup", "create", "--json");
    const withTablespace = (JSON.parse(created) as { backup: { label: string } }).backup.label;
    await create("later");
    const now = await shop.tables();
    const refusedInPlace = async (...target: string[]) => {
      const before = await shop.tables();
      const { code, stderr } = await shop.pgw("backup", "restore", "--in-place", "--yes", ...target);
      expect([code, await shop.tables()]).toEqual([3, before]);
      // Nothing is left of it.
      const folders = (await shop.inServer("ls", "/var/lib/postgresql/17")).stdout.trim().split("\n");
      expect(folders.filter((name) => /^(data|tablespaces)/.test(name))).toEqual(["data"]);
      return stderr;
    };
    expect(await refusedInPlace()).toContain(`has tablespaces (${location("later")}, ${location("own disk")})`);
    const folder = join(inject("scratch"), `tablespaces-${shop.stack}`);
    expect(shopTables((await restore("--to", folder)).databases)).toEqual(now);
    const links = await readdir(join(folder, "pg_tblspc"));
    expect(links).toHaveLength(2);
    // The folder can be moved: its links lead to the rows inside it.
    await rename(folder, `${folder}-moved`);
    for (const link of links) {
      const target = await realpath(join(`${folder}-moved`, "pg_tblspc", link));
      expect(target).toBe(join(`${folder}-moved`, "tablespaces", link));
      expect(await readdir(target)).toEqual([expect.stringMatching(/^PG_17_/)]);
    }
    await rm(`${folder}-moved`, { recursive: true });

    const volume = `${shop.prefix}-tablespaces`;
    expect(shopTables((await restore("--to-volume", volume)).databases)).toEqual(now);
    const read = {
      image: (await shop.inspected()).Image,
      command: ["sleep", "60"],
      readOnlyVolumes: { "/copy": volume },
    };
    const owner = { project: "pgroundwork", stack: shop.stack, owner: "tests" };
    const found = await withScratchContainer(docker, { ...read, owner }, async (container) => {
      await container.start();
      const script = "cd /copy/17/data/pg_tblspc && for link in *; do ls $link/; done; ls -A /copy";
      return (await runInContainer(docker, container.id, { command: ["sh", "-c", script] })).stdout;
    });
    expect(found.match(/^PG_17_/gm)).toHaveLength(2);
    expect(found).not.toContain("later");

    await shop.query("superuser", "create database dropped");
    await shop.query("superuser", "drop database dropped");
    const beforeDrop = `${shop.prefix}-before-drop`;
    const target = ["--time", await lastCommit(), "--exclusive"];
    const { databases } = await restore("--to-volume", beforeDrop, ...target);
    expect(databases.map(({ database }) => database)).toContain("dropped");
    expect(shopTables(databases)).toEqual(now);
    await docker.getVolume(beforeDrop).remove();

    for (const name of ["own disk", "later"]) {
      await shop.query("superuser", `drop table "in_${name}"`);
      await shop.query("superuser", `drop tablespace "${name}"`);
    }
    expect(await refusedInPlace("--backup", withTablespace)).toContain(`The backup ${withTablespace} has tablespaces`);
  });

  it("reports databases that cannot be verified, keeps them, and verifies the others", async () => {
    for (const name of ["host=nowhere dbname=x", "postgres://nowhere/x", "closed", "dropped halfway", "locked"]) {
      await shop.query("superuser", `create database "${name}"`);
    }
    const inDatabase = (name: string, sql: string) =>
      runInContainer(docker, shop.server, {
        command: ["psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", sql],
        environment: { PGDATABASE: name },
      });
    for (const name of ["host=nowhere dbname=x", "postgres://nowhere/x", "closed", "locked"])
      expect((await inDatabase(name, "create table t as select generate_series(1, 7) g")).code).toBe(0);
    expect((await inDatabase("locked", lockingTransaction)).code).toBe(0);
    await shop.query("superuser", "create materialized view unfilled as select 1 with no data");
    await shop.query("superuser", "update pg_database set datconnlimit = -2 where datname = 'dropped halfway'");
    await shop.query("superuser", "alter database closed allow_connections false");

    const volume = `${shop.prefix}-proven`;
    const { code, stdout, stderr } = await shop.pgw("backup", "restore", "--json", "--to-volume", volume);
    const restored = JSON.parse(stdout) as Restored;
    expect(code).toBe(5);
    expect(restored).not.toHaveProperty("incompleteReason");
    expect(restored.unproven).toEqual([
      {
        database: "dropped halfway",
        reason:
          "A DROP DATABASE of it had begun, which removes its files before it commits. If it should be there, restore to the last commit before that: --lsn with the position that is named as included. Otherwise, drop it again.",
      },
      {
        database: "locked",
        reason: expect.stringMatching(/^A prepared transaction locks public\.t, .*pg_prepared_xacts/),
      },
    ]);
    expect(stderr).toContain(
      'warning: database "dropped halfway" is restored, but could not be verified: A DROP DATABASE of it had begun',
    );
    const rows = restored.databases.map(({ database, tables }) => [database, tables[0]?.rows]);
    expect(rows).toEqual(
      expect.arrayContaining([
        ["closed", 7],
        ["host=nowhere dbname=x", 7],
        ["postgres://nowhere/x", 7],
        ["shop", expect.any(Number)],
      ]),
    );
    // The volume is kept.
    expect((await docker.getVolume(volume).inspect()).Name).toBe(volume);
    expect((await inDatabase("locked", "rollback prepared 'lock'")).code).toBe(0);
    for (const name of ["host=nowhere dbname=x", "postgres://nowhere/x", "closed", "dropped halfway", "locked"])
      await shop.query("superuser", `drop database "${name}"`);
  });

  it("restores a backup from before the limits on connections, workers, locks and transactions were lowered", async () => {
    const inServer = async (sql: string) => {
      const { code, stdout, stderr } = await shop.inServer("psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", sql);
      expect(code, stderr).toBe(0);
      return stdout.trim();
    };
    await inServer("create table held (id int); begin; insert into held values (1); prepare transaction 'held'");
    const { stdout } = await shop.succeed("backup", "create", "--type", "full", "--json");
    const { backup } = JSON.parse(stdout) as { backup: { label: string } };
    await inServer("rollback prepared 'held'");
    const lowered = {
      max_prepared_transactions: "0",
      max_worker_processes: "1",
      max_wal_senders: "1",
      max_locks_per_transaction: "10",
    };
    const limits = [...Object.keys(lowered), "max_connections"].map((name) => `current_setting('${name}')::int`);
    const sum = `select ${limits.join(" + ")}`;
    const before = Number(await inServer(sum));
    await shop.configure({ ...shop.settings, maxConnections: 20, postgresql: { ...stackSettings, ...lowered } });
    await shop.succeed("up");
    expect(Number(await inServer(sum))).toBeLessThan(before - 60);
    const now = await shop.tables();
    for (const args of [["--backup", backup.label], ["--latest"]]) {
      const volume = `${shop.prefix}-lowered${args[0]}`;
      const restored = await restore("--to-volume", volume, ...args);
      expect(restored).not.toHaveProperty("incompleteReason");
      expect(shopTables(restored.databases)).toEqual(now);
      await docker.getVolume(volume).remove();
    }
  });

  it("is complete if the server shut down cleanly and so archived everything it wrote", async () => {
    const now = await shop.tables();
    await shop.succeed("down");
    const volume = `${shop.prefix}-down`;
    const restored = await restore("--to-volume", volume);
    expect(restored).not.toHaveProperty("incompleteReason");
    expect(restored.notArchived).toEqual({ bytes: 0 });
    expect(shopTables(restored.databases)).toEqual(now);
    const { code, text } = await shop.list();
    expect(code).toBe(5);
    expect(text).toContain(`WAL archiving could not be checked: the container ${shop.server} is not running.`);
  });

  it("reports that it cannot tell what a killed server has not archived", async () => {
    await docker.getContainer(shop.server).start();
    await shop.until("it answers", async () => (await shop.inServer("psql", "-c", "select 1")).code === 0);
    await docker.getContainer(shop.server).kill();
    const restored = await restore("--to-volume", `${shop.prefix}-killed`);
    expect(restored.notArchived).toEqual({ unknown: expect.stringContaining("was not shut down cleanly") });
  });
});
