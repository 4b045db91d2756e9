import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createKey } from "../../../../scripts/backup/dump/encryption.ts";
import type { Backup } from "../../../../scripts/backup/info.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { lastLogLines } from "../../../../scripts/docker/container-log.ts";
import type { HealthStatus } from "../../../../scripts/health/judge.ts";
import type { StackStatus } from "../../../../scripts/stack/status.ts";
import { hostileSettings } from "../../../hostile-settings.ts";
import { type BackedUpShop, damageMiddle, makeBackedUpShop, never } from "../../backed-up-shop.ts";
import { moveBackups } from "../../backup-times.ts";

const docker = dockerClient();

describe("a stack with backups", () => {
  let shop: BackedUpShop;

  beforeAll(async () => {
    // All tests here run with these settings, which apply to the sessions of the kit and of pgBackRest.
    const backups = {
      full: never,
      incremental: never,
      dumps: { schedule: "59 23 31 12 *", schemaOnly: { retentionDays: 7 } },
    };
    shop = await makeBackedUpShop({ postgresql: hostileSettings, backups });
    await shop.succeed("up");
    await shop.untilFirstBackup();
  });

  it("archives WAL from the first segment on and makes a first backup by itself", async () => {
    const { code, found } = await shop.list();
    expect(found.findings).toEqual([]);
    expect(code).toBe(0);
    expect(found.wal?.from).toBe("000000010000000000000001");
    expect(found.archiver).toMatchObject({ mode: "on", failing: false });
    expect(found.backups).toMatchObject([{ type: "full", damaged: false, databases: ["postgres", "shop"] }]);
    expect(await lastLogLines(docker, shop.sidecar, 50)).toMatch(/new backup label = \d{8}-\d{6}F/);
  });

  it("names the last backup and the other containers in status", async () => {
    // The first scan of the repository follows the first backup, and the first dump within a minute.
    const made = [
      "sh",
      "-c",
      "ls /var/lib/pgroundwork/metrics/backup-scan.prom /var/lib/pgroundwork/dumps/status.json",
    ];
    await shop.until("the first scan and dump", async () => (await shop.inSidecar(...made)).code === 0);
    await shop.until("both are well", async () => (await shop.pgw("status")).code === 0);
    const status = JSON.parse((await shop.succeed("status", "--json")).stdout) as StackStatus;
    const [newest] = (await shop.list()).found.backups;
    expect(status).toMatchObject({
      server: { state: "running", kind: "docker" },
      containers: { known: true, containers: [{ name: shop.sidecar, running: true }] },
      databases: [{ name: "shop", migrations: { known: true, pending: [] }, seeds: { known: true, pending: [] } }],
      backups: { known: true, last: { label: newest?.label, type: "full" }, underWay: false, findings: [] },
    });
  });

  it("are well in health check as monitor, and critical after a run failed that no later backup made up for", async () => {
    const backups = async () => {
      const { stdout } = await shop.pgw("health", "check", "--json");
      const { subjects } = JSON.parse(stdout) as HealthStatus;
      const of = (wanted: string) => subjects.find(({ name }) => name === wanted);
      return { backups: of("backups"), queries: of("queries"), migrations: of("migrations"), archive: of("archive") };
    };
    const [newest] = (await shop.list()).found.backups;
    // On a busy machine, a query can take longer than its limit of 100 ms.
    await expect.poll(backups, { timeout: 60_000, interval: 1_000 }).toMatchObject({
      backups: { level: "ok", detail: expect.stringContaining(`last full ${newest?.finishedAt}`) },
      queries: { level: "ok" },
      migrations: { level: "ok", detail: expect.stringContaining("none pending") },
      archive: { level: "ok", detail: expect.stringContaining("working") },
    });
    const note = "/var/lib/pgbackrest/pgroundwork/backup-diff.json";
    const run = JSON.stringify({ type: "diff", started: Math.floor(Date.now() / 1_000), finished: null, exitCode: 55 });
    await shop.inSidecar("sh", "-c", `echo '${run}' > ${note}`);
    expect((await backups()).backups).toMatchObject({
      level: "critical",
      detail: expect.stringContaining("The last backup of type diff"),
    });
    await shop.inSidecar("rm", note);
    await docker.getContainer(shop.sidecar).stop();
    expect((await backups()).backups).toMatchObject({
      level: "unknown",
      detail: expect.stringContaining("does not run"),
    });
    await docker.getContainer(shop.sidecar).start();
  });

  it("reports an archive command that was set by hand, with which nothing fails and nothing is archived", async () => {
    await shop.query("superuser", "alter system set archive_command = ''");
    await shop.query("superuser", "select pg_reload_conf()");
    await shop.until("the reload", async () => (await shop.list()).text.includes("archive_command is empty"));
    expect((await shop.list()).code).toBe(5);
    expect((await shop.pgw("status")).stdout).toContain("archive_command is empty");
    await shop.query("superuser", "alter system reset archive_command");
    await shop.query("superuser", "select pg_reload_conf()");
    await shop.until("the archive", async () => (await shop.list()).code === 0);
  });

  it("changes nothing on a second up or after a refresh", async () => {
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    await shop.succeed("refresh");
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });

  it("runs backups in a hardened container that reads the data and has no network", async () => {
    const { HostConfig, Mounts, Config } = await docker.getContainer(shop.sidecar).inspect();
    expect(HostConfig.NetworkMode).toBe("none");
    expect(HostConfig.CapDrop).toEqual(["ALL"]);
    expect(HostConfig.SecurityOpt).toEqual(["no-new-privileges"]);
    expect(HostConfig.Memory).toBe(HostConfig.MemorySwap);
    expect(HostConfig.ReadonlyRootfs).toBe(true);
    expect(Config.User).toBe("999:999");
    expect((await shop.inSidecar("touch", "/x")).stderr).toContain("Read-only file system");
    const writable = Mounts.filter(({ RW }) => RW).map(({ Destination }) => Destination);
    expect(writable.sort()).toEqual([
      "/var/lib/pgbackrest",
      "/var/lib/pgroundwork/dumps",
      "/var/lib/pgroundwork/metrics",
    ]);
    expect(Config.Cmd).toEqual(["backup-scheduler", "run", never, never, "59 23 31 12 *", "59 23 31 12 *"]);
  });

  it("cannot start more processes than its limit", async () => {
    const fork = "i=0; while [ $i -lt 200 ]; do sleep 3 & i=$((i + 1)); done";
    const { stderr, stdout } = await shop.inSidecar("sh", "-c", fork);
    expect(stderr + stdout).toMatch(/[Cc]annot fork/);
    const canStart = async () => (await shop.inSidecar("true").catch(() => ({ code: 1 }))).code === 0;
    await shop.until("the end of these processes", canStart);
  });

  it("lets the backup role call only what pgBackRest calls, in addition to what PUBLIC may call", async () => {
    const functions = await shop.query<{ name: string }>(
      "superuser",
      `select proname as name from pg_proc
        where has_function_privilege('backup', oid, 'execute') and not has_function_privilege('public', oid, 'execute')
          and pronamespace = 'pg_catalog'::regnamespace
        order by 1`,
    );
    // Reads the shop's database, without grants. In the database postgres, four functions have grants.
    expect(functions).toEqual([]);
    const { stdout } = await shop.inServer(
      "psql",
      "-XAtc",
      `select proname from pg_proc
        where has_function_privilege('backup', oid, 'execute') and not has_function_privilege('public', oid, 'execute')
        order by 1`,
    );
    expect(stdout.trim().split("\n")).toEqual([
      "pg_backup_start",
      "pg_backup_stop",
      "pg_create_restore_point",
      "pg_switch_wal",
    ]);
    const [role] = await shop.query(
      "superuser",
      "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = 'backup'",
    );
    expect(role).toEqual({ rolsuper: false, rolcreaterole: false, rolcreatedb: false });
  });

  it("makes a backup on request and prints which one, who made it with what, and the command that restores it", async () => {
    const git = "git -c user.name=x -c user.email=x@example.org";
    await shop.clone.shell(`git init --quiet && ${git} commit --quiet --allow-empty --message empty`);
    const commit = (await shop.clone.shell("git rev-parse HEAD")).stdout.trim();
    const { stdout } = await shop.succeed("backup", "create", "--json");
    const { backup, restore } = JSON.parse(stdout) as { backup: Backup; restore: string };
    expect(backup).toMatchObject({ type: "incr" });
    const { Image: image } = await shop.inspected();
    expect(backup.origin).toEqual({
      ...{ image, commit, isModified: true },
      postgres: expect.stringMatching(/^17\.\d+$/),
      user: expect.stringMatching(/^\S+@\S+$/),
    });
    expect(restore).toBe(`npm run pgw -- backup restore --in-place --backup ${backup.label} --stack ${shop.stack}`);
    const [newest, ...others] = (await shop.list()).found.backups;
    expect(newest).toMatchObject({ label: backup.label, origin: backup.origin, restore });
    // The backup that the container made by itself has the image, too.
    expect(others.at(-1)?.origin).toEqual({ ...backup.origin, commit: null, isModified: false, user: null });
    await shop.clone.shell("rm -r .git");
    const { stdout: text } = await shop.succeed("backup", "create");
    const made = /^(\S+) \(incr\): /.exec(text)?.[1];
    expect(text).toMatch(
      /^time +\S+Z to \S+Z\nWAL +[0-9A-F]+\/[0-9A-F]+ to .*\nimage +PostgreSQL 17.*, sha256:\w{12}$/m,
    );
    expect(text).toMatch(/^made by +\S+@\S+$/m);
    expect(text).toContain(`to restore it:\n  ${restore.replace(backup.label, made ?? "")}\n`);
  });

  it("names the last backup in destroy --erase before anything is erased", async () => {
    const { label, finishedAt } = (await shop.list()).found.backups[0] ?? {};
    for (const name of ["shop", shop.stack]) {
      const { code, stderr } = await shop.pgw("destroy", "--erase", name);
      expect([code, stderr]).toEqual([3, expect.stringContaining(`last backup: ${finishedAt} (${label})`)]);
    }
  });

  it("runs backup jobs one after another and records how each ended", async () => {
    const jobs = await Promise.all(["full", "incr", "diff"].map((type) => shop.inSidecar("backup-job", type)));
    expect(jobs.map(({ code, stdout }) => (code === 0 ? 0 : stdout))).toEqual([0, 0, 0]);
    const { stdout } = await shop.inSidecar("cat", "/var/lib/pgbackrest/pgroundwork/backup-diff.json");
    expect(JSON.parse(stdout)).toEqual({
      type: "diff",
      started: expect.any(Number),
      finished: expect.any(Number),
      exitCode: 0,
    });
  });

  it("pushes WAL to the archive asynchronously, and fetches it one segment at a time", async () => {
    const environment = ["PGBACKREST_CONFIG=/etc/pgroundwork/pgbackrest.conf", "PGBACKREST_STANZA=main"];
    const optionsOf = async (...command: string[]) => {
      const run = ["env", ...environment, "pgbackrest", "--log-level-console=info", ...command];
      return (await shop.inServer(...run)).stdout.split("\n").find((line) => line.includes("command begin")) ?? "";
    };
    const wal = "/var/lib/postgresql/17/data/pg_wal";
    expect(await optionsOf("archive-push", `${wal}/000000010000000000000001`)).toContain(" --archive-async ");
    const get = await optionsOf("archive-get", "0000000100000000000000FF", "/tmp/segment");
    expect(get).toContain("archive-get command begin");
    expect(get).not.toContain("--archive-async");
  });

  it("keeps the passphrase only in files that only postgres can read", async () => {
    const { stdout } = await shop.succeed("outputs", "--json", "--show-secrets");
    const { server } = JSON.parse(stdout) as { server: { backups: { passphrase: string } } };
    const { passphrase } = server.backups;
    expect(passphrase).toMatch(/^[\w-]{64}$/);
    const { stdout: mode } = await shop.inSidecar(
      "stat",
      "--format=%a %U",
      "/etc/pgroundwork/pgbackrest.conf",
      "/var/lib/postgresql/backup-passphrase",
    );
    expect(mode).toBe("600 postgres\n600 postgres\n");

    const places: Record<string, string> = {
      state: (await shop.clone.shell("cat -- .pgroundwork/.pulumi/stacks/pgroundwork/*.json* Pulumi.*.yaml")).stdout,
      processes: (await shop.clone.shell("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '"))
        .stdout,
      outputs: (await shop.succeed("outputs", "--json")).stdout,
    };
    for (const container of [shop.server, shop.sidecar]) {
      places[`inspection of ${container}`] = JSON.stringify(await docker.getContainer(container).inspect());
      places[`log of ${container}`] = await lastLogLines(docker, container, 100_000);
    }
    for (const [place, content] of Object.entries(places)) {
      expect(content.length, place).toBeGreaterThan(100);
      expect(content.includes(passphrase), place).toBe(false);
    }
  });

  it("scans its repository every hour and after each backup, and exports the result to Prometheus", async () => {
    expect(await lastLogLines(docker, shop.sidecar, 500)).toMatch(/scan: every 60 min and after each backup, next /);
    const { stdout } = await shop.succeed("backup", "create", "--type", "full", "--json");
    const { backup } = JSON.parse(stdout) as { backup: { label: string; finishedAt: string } };
    await shop.until("the scan after it", async () => (await metrics()).includes(seconds(backup.finishedAt)));
    expect(await metrics()).toContain('pgroundwork_backup_scan_findings{stanza="main",level="wrong"} 0');
    const values = (name: string) =>
      Number(new RegExp(`^pgroundwork_backup_${name}\\{stanza="main"\\} (\\d+)$`, "m").exec(text)?.[1]);
    const text = await metrics();
    const [first] = (await shop.list()).found.backups.slice(-1);
    expect(values("restorable_from_timestamp_seconds")).toBe(Date.parse(first?.finishedAt ?? "") / 1_000);
    const to = values("restorable_to_timestamp_seconds");
    expect(to).toBeGreaterThanOrEqual(Date.parse(backup.finishedAt) / 1_000);
    expect(to).toBeLessThanOrEqual(Date.now() / 1_000);
    const used = "/repository/backup/main /repository/archive/main";
    const sizes = (await shop.onRepository(`find ${used} -type f -printf '%s\\n'`)).trim().split("\n").map(Number);
    const bytes = values("repository_bytes");
    expect(Math.abs(sizes.reduce((sum, size) => sum + size, 0) - bytes)).toBeLessThan(100_000);
    const { stdout: files } = await shop.inSidecar("ls", "/var/lib/pgroundwork/metrics");
    expect(files).toMatch(/^archive-lag\.prom\nbackup-scan\.prom\n(dumps\.prom\n)?$/);
    const { stdout: lag } = await shop.inSidecar("cat", "/var/lib/pgroundwork/metrics/archive-lag.prom");
    expect(lag).toMatch(/^pgroundwork_backup_archive_lag_seconds\{stanza="main"\} \d+$/m);
  });

  const metrics = async () =>
    (await shop.inSidecar("cat", "/var/lib/pgroundwork/metrics/backup-scan.prom")).stdout.replaceAll(/^#.*\n/gm, "");
  const seconds = (time: string, type = "full") => `type="${type}"} ${Date.parse(time) / 1_000}\n`;
  const scan = () => shop.inSidecar("repository-scan", "write");
  const archived = async () =>
    (await shop.onRepository("ls /repository/archive/main/17-1/*/*-*"))
      .trim()
      .split("\n")
      // The server may be archiving another segment.
      .filter((file) => !file.endsWith(".tmp"));
  const newestFull = async () =>
    (await shop.list()).found.backups.find(({ type }) => type === "full") ?? { label: "", finishedAt: "" };

  it("reports a damaged full backup under a new incremental one in list, up and the metric", async () => {
    const full = await newestFull();
    const created = await shop.succeed("backup", "create", "--type", "incr", "--json");
    const { backup } = JSON.parse(created.stdout) as { backup: { finishedAt: string } };
    await shop.until("the scan after it", async () => (await metrics()).includes(seconds(backup.finishedAt, "incr")));
    const file = `/repository/backup/main/${full.label}/bundle/1`;
    await shop.onRepository(`cp -a ${file} /repository/whole && ${damageMiddle(file)}`);
    try {
      const { code, text } = await shop.list();
      expect(code).toBe(5);
      expect(text).toMatch(new RegExp(`The backup ${full.label} cannot be restored: .*bundle/1`));
      expect(text).toContain(`the backup ${full.label}, which it builds on, cannot be restored`);
      await scan();
      expect(await metrics()).not.toContain(seconds(full.finishedAt));
      const { stdout, stderr } = await shop.succeed("up");
      expect(stdout).toMatch(/^no changes/m);
      expect(stdout + stderr).toMatch(new RegExp(`The backup ${full.label} cannot be restored: .*scanned \\d+ s ago`));
    } finally {
      await shop.onRepository(`mv /repository/whole ${file}`);
    }
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
  });

  it("reports a missing or damaged segment in the archive in list, which scans again, and in up", async () => {
    for (const _ of [1, 2, 3])
      await shop.query("superuser", "create table gap (); drop table gap; select pg_switch_wal()");
    await shop.inSidecar("pgbackrest", "check");
    const file = (await archived()).at(-2) ?? "";
    const name = /([0-9A-F]{24})-/.exec(file)?.[1];
    await shop.onRepository(`mv ${file} /repository/away`);
    const gap = await shop.list();
    expect([gap.code, gap.text]).toEqual([5, expect.stringContaining(`The WAL segment ${name} is missing`)]);
    await scan();
    const { stdout, stderr } = await shop.succeed("up");
    expect(stdout + stderr).toContain(`The WAL segment ${name} is missing`);
    await shop.onRepository(
      `cp -a /repository/away ${file}; printf broken | dd of=${file} bs=1 seek=64 conv=notrunc 2>/dev/null`,
    );
    const damaged = await shop.list();
    expect([damaged.code, damaged.text]).toEqual([
      5,
      expect.stringContaining(`The WAL segment ${name} in the archive is damaged`),
    ]);
    await shop.onRepository(`mv /repository/away ${file}`);
    // Without the newest segment, only the server's own statistics show that something is missing.
    const withoutNewest = async () => {
      const last = (await archived()).at(-1) ?? "";
      await shop.onRepository(`mv ${last} /repository/away`);
      const { code, text } = await shop.list();
      await shop.onRepository(`mv /repository/away ${last}`);
      return { code, text };
    };
    // If the server archives a further segment by itself meanwhile, there is a gap instead.
    await expect
      .poll(withoutNewest, { timeout: 240_000, interval: 1_000 })
      .toEqual({ code: 5, text: expect.stringMatching(/The server archived the WAL up to [0-9A-F]{24}/) });
    await scan();
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
  });

  it("restores one database of a backup beside the existing one, and in its place with a dump of the replaced one", async () => {
    const products = async (database = "shop") =>
      (await shop.inServer("psql", "-XqAt", database, "-c", "select count(*) from product")).stdout.trim();
    const before = await products();
    await shop.sql("select pg_create_restore_point('whole')", "delete from customer_order", "delete from product");
    const only = ["backup", "restore", "--only", "shop", "--restore-point", "whole", "--yes", "--json"];
    const copied = await shop.succeed(...only, "--into", "shop_copy");
    expect(JSON.parse(copied.stdout)).toMatchObject({ database: "shop", into: "shop_copy", previous: null });
    expect(copied.stderr).toMatch(/the copy of \S+ needs about [\d.]+ MB where the Docker engine keeps its volumes/);
    expect(copied.stderr).toMatch(/^It needs about [\d.]+ MB in the volume \S+, which has [\d.]+ .?B free\.$/m);
    expect([await products("shop_copy"), await products()]).toEqual([before, "0"]);
    const access = (database: string) => shop.sql(`select has_database_privilege('public', '${database}', 'connect')`);
    expect([await access("shop"), await access("shop_copy")]).toEqual(["f", "f"]);
    const again = await shop.pgw(...only, "--into", "shop_copy");
    expect([again.code, again.stderr]).toEqual([
      3,
      expect.stringContaining('The database "shop_copy" exists already.'),
    ]);
    const { previous } = JSON.parse((await shop.succeed(...only)).stdout) as { previous: string };
    expect(await products()).toBe(before);
    expect((await shop.query("app", "select count(*)::text as count from product"))[0]).toEqual({ count: before });
    const { dumps } = JSON.parse((await shop.succeed("dumps", "list", "--json")).stdout);
    expect(dumps).toContainEqual(expect.objectContaining({ id: previous, state: "intact", reason: "before-load" }));
    await shop.sql("set transaction_timeout = 0", "set statement_timeout = 0", "drop database shop_copy");
  });

  it("makes one full backup by itself if WAL was lost, and says what a restore can no longer reach", async () => {
    for (const _ of [1, 2, 3])
      await shop.query("superuser", "create table gap (); drop table gap; select pg_switch_wal()");
    await shop.inSidecar("pgbackrest", "check");
    const file = (await archived()).at(-2) ?? "";
    await shop.onRepository(`mv ${file} /repository/away`);
    const { label } = await newestFull();
    const repaired = await shop.inSidecar("repository-scan", "repair");
    expect([repaired.code, repaired.stdout]).toEqual([0, expect.stringContaining("a full backup is made now")]);
    const { found } = await shop.list();
    expect(found.backups[0]).toMatchObject({ type: "full" });
    expect(found.backups[0]?.label).not.toBe(label);
    expect(found.findings).toEqual([
      {
        level: "wrong",
        text: expect.stringContaining(`${/([0-9A-F]{24})-/.exec(file)?.[1]} is missing from the archive`),
        hint: expect.stringContaining("A restore of the newest backup is not affected."),
      },
    ]);
    const [made] = found.backups;
    await scan();
    expect(await metrics()).toMatch(
      new RegExp(
        `^pgroundwork_backup_restorable_from_timestamp_seconds\\S* ${Date.parse(made?.finishedAt ?? "") / 1_000}$`,
        "m",
      ),
    );
    // The container's own first scan can repair at the same time, so the number of backups does not show this.
    expect((await shop.inSidecar("repository-scan", "repair")).stdout).not.toContain("a full backup is made now");
    await shop.onRepository(`mv /repository/away ${file}`);
    await scan();
  });

  it("keeps what is older than its retention while the oldest full backup that would stay is damaged, also with a wrong clock", async () => {
    await shop.succeed("backup", "create", "--type", "full");
    const damaged = await newestFull();
    const labels = async () => (await shop.list()).found.backups.map(({ label }) => label);
    const before = await labels();
    expect(before.length).toBeGreaterThan(1);
    const expire = async () => {
      const { code, stdout, stderr } = await shop.inSidecar("repository-scan", "expire");
      expect([code, stderr]).toEqual([0, ""]);
      return stdout;
    };
    const file = `/repository/backup/main/${damaged.label}/bundle/1`;
    await shop.onRepository(`cp -a ${file} /repository/whole && ${damageMiddle(file)}`);
    // As if the clock were 40 days ahead. The retention is 30 days.
    await moveBackups(shop, -40);
    expect((await shop.inSidecar("backup-job", "full")).code).toBe(0);
    const refused = `wrong: No backup expires: ${damaged.label} would be the oldest full backup that stays`;
    expect(await expire()).toContain(refused);
    const after = await labels();
    expect(after.slice(1)).toEqual(before);
    expect((await shop.list()).text).toContain(`No backup expires: ${damaged.label}`);
    // As if it were 40 days behind, and the scan found nothing wrong.
    await shop.onRepository(`mv /repository/whole ${file}`);
    await moveBackups(shop, 80);
    expect(await expire()).not.toContain("remove expired backup");
    expect(await labels()).toEqual(after);
    await moveBackups(shop, -80);
    expect(await expire()).toContain(`remove expired backup ${before.at(-1)}`);
    expect(await labels()).toEqual(after.slice(0, 2));
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
  });

  describe("scheduled dumps", () => {
    const folder = "/var/lib/pgroundwork/dumps";
    interface Listed {
      dumps: {
        id: string;
        state: string;
        reasons: string[];
        reason: string;
        scope: string;
        rows: number;
        recipients: string[];
      }[];
    }
    /** Lists the dumps of one scope, which those of the other one do not change. */
    const list = async (scope = "full") => {
      const { code, stdout } = await shop.pgw("dumps", "list", "--scheduled", "--json");
      return { code, dumps: (JSON.parse(stdout) as Listed).dumps.filter((dump) => dump.scope === scope) };
    };
    /** Makes the dumps with a changed plan. */
    const run = (change: string) =>
      shop.inSidecar("sh", "-c", `PGW_DUMPS=$(printf %s "$PGW_DUMPS" | sed '${change}') exec scheduled-dump run`);
    const health = async () => {
      const { stdout } = await shop.pgw("health", "check", "--json");
      return (JSON.parse(stdout) as HealthStatus).subjects.find(({ name }) => name === "backups");
    };
    const dumpMetrics = async () => (await shop.inSidecar("cat", "/var/lib/pgroundwork/metrics/dumps.prom")).stdout;

    it("are made when one is due, and not before the next moment of the schedule", async () => {
      const due = () => shop.inSidecar("scheduled-dump", "due", "59 23 31 12 *", "59 23 31 12 *");
      const first = await due();
      expect([first.code, first.stderr]).toEqual([0, ""]);
      expect(await due()).toEqual({ code: 0, stdout: "", stderr: "" });
      const { code, dumps } = await list();
      expect([code, dumps]).toMatchObject([0, [{ state: "intact", reason: "scheduled", recipients: [] }]]);
      expect((await health())?.detail).not.toContain("dump");
      expect(await dumpMetrics()).toMatch(/^pgroundwork_dump_failed\{database="shop"\} 0$/m);
      const [schema, ...others] = (await list("schema")).dumps;
      expect([schema, others]).toMatchObject([{ state: "intact", reason: "scheduled", rows: 0 }, []]);
      expect(schema?.id).toMatch(/Z-schema$/);
      const listed = await shop.list();
      const newest = listed.found.dumps.newest.filter(({ location }) => location === "volume");
      const each = { database: "shop", reason: "scheduled", encrypted: false };
      expect([listed.code, listed.text, newest]).toMatchObject([
        0,
        "",
        [
          { ...each, id: dumps[0]?.id, scope: "full" },
          { ...each, id: schema?.id, scope: "schema" },
        ],
      ]);
      expect(await shop.pgw("backup", "dump", "--due")).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`The container ${shop.sidecar} makes the dumps of stack`),
      });
      // The dump decides, and no note of a run.
      await shop.inSidecar("rm", "-r", `${folder}/${schema?.id}`);
      expect((await due()).stdout).toMatch(/dumped \S+-schema\n.*1 dumps after/s);
      expect(await due()).toEqual({ code: 0, stdout: "", stderr: "" });
    });

    it("without rows are loaded, too, and expire by their own time, but not the newest one that was loaded", async () => {
      const [first] = (await list("schema")).dumps;
      const validated = await shop.succeed("dumps", "validate", first?.id ?? "", "--scheduled", "--json");
      expect(JSON.parse(validated.stdout)).toMatchObject({ id: first?.id, state: "passed", reasons: [] });
      expect((await shop.pgw("dumps", "validate", first?.id ?? "")).stderr).toContain("There is no such dump");
      const again = `PGW_DUMPS=$(printf %s "$PGW_DUMPS" | sed 's/"retentionDays":7/"retentionDays":-1/') exec scheduled-dump run schema`;
      expect((await shop.inSidecar("sh", "-c", again)).code).toBe(0);
      const [second, ...others] = (await list("schema")).dumps;
      expect(others).toMatchObject([{ id: first?.id, state: "intact", validation: { state: "passed" } }]);
      expect((await list()).dumps).toHaveLength(1);
      // As a validation that failed leaves it.
      const failed = JSON.stringify({ state: "failed", at: "2026-11-30T12:00:00.000Z", reasons: ["no such type"] });
      const store = `printf %s '${failed}' | scheduled-dump validated ${first?.id}`;
      expect((await shop.inSidecar("sh", "-c", store)).code).toBe(0);
      const bad = (await list("schema")).dumps.find(({ id }) => id === first?.id);
      expect(bad).toMatchObject({ state: "damaged", reasons: ["it cannot be loaded: no such type"] });
      expect((await shop.inSidecar("sh", "-c", again)).code).toBe(0);
      expect((await list("schema")).dumps.map(({ id }) => id)).not.toContain(second?.id);
      expect((await list("schema")).dumps).toHaveLength(1);
    });

    it("are encrypted for their recipients, and can be fetched and loaded with every row", async () => {
      const recipient = await createKey(join(shop.clone.root, "dump.key"));
      const made = await run(`s/"recipients":\\[\\]/"recipients":["${recipient}"]/`);
      expect([made.code, made.stderr]).toEqual([0, ""]);
      const { dumps } = await list();
      const [newest] = dumps;
      expect(newest).toMatchObject({ state: "intact", recipients: [recipient] });
      const { stdout } = await shop.inSidecar("head", "-c", "21", `${folder}/${newest?.id}/dump.pgdump.age`);
      expect(stdout).toBe("age-encryption.org/v1");
      const fetched = JSON.parse((await shop.succeed("dumps", "fetch", "latest", "--json")).stdout) as { id: string };
      expect(fetched.id).toBe(newest?.id);
      const validated = await shop.succeed("dumps", "validate", fetched.id, "--identity", "dump.key", "--json");
      expect(JSON.parse(validated.stdout)).toMatchObject({ state: "passed", reasons: [] });
      const inVolume = ["dumps", "validate", "latest", "--scheduled"];
      expect((await shop.pgw(...inVolume)).stderr).toContain("The dump is encrypted, and no key was given.");
      const { stdout: answer } = await shop.succeed(...inVolume, "--identity", "dump.key", "--json");
      expect(JSON.parse(answer)).toMatchObject({ id: newest?.id, state: "passed", rows: newest?.rows });
    });

    it("that fail are reported and leave nothing", async () => {
      const before = (await list()).dumps.length;
      const failed = await run('s/"recipients":\\[\\]/"recipients":["age1wrong"]/');
      expect([failed.code, failed.stdout]).toEqual([1, expect.stringMatching(/shop could not be dumped: .*age1wrong/)]);
      expect((await list()).dumps).toHaveLength(before);
      expect((await shop.inSidecar("ls", folder)).stdout).not.toContain("unfinished");
      expect(await health()).toMatchObject({
        level: "critical",
        detail: expect.stringMatching(/The last scheduled dump of shop, started at \S+, failed: /),
      });
      expect(await dumpMetrics()).toContain('pgroundwork_dump_failed{database="shop"} 1');
    });

    it("that are damaged are reported, not fetched, and never the reason why the last intact one expires", async () => {
      await run("");
      const [damaged] = (await list()).dumps;
      await shop.inSidecar("sh", "-c", `printf x >> ${folder}/${damaged?.id}/dump.pgdump`);
      const { code, dumps } = await list();
      expect([code, dumps[0]]).toMatchObject([5, { id: damaged?.id, state: "damaged" }]);
      const fetched = await shop.pgw("dumps", "fetch", damaged?.id ?? "");
      expect([fetched.code, fetched.stderr]).toEqual([1, expect.stringContaining("is damaged: dump.pgdump has")]);
      const intact = dumps[1];
      // Every dump is older than that, and the next one fails.
      await run('s/"recipients":\\[\\]/"recipients":["age1wrong"]/; s/"retentionDays":30/"retentionDays":-1/');
      expect((await list()).dumps).toMatchObject([{ id: intact?.id, state: "intact" }]);
      expect((await run("")).code).toBe(0);
      expect((await health())?.detail).not.toContain("dump");
    });
  });

  it("reports a failed full backup even if a later incremental backup succeeded", async () => {
    const failed = await shop.inSidecar("env", "PGBACKREST_PROCESS_MAX=0", "backup-job", "full");
    expect(failed.code).not.toBe(0);
    expect((await shop.inSidecar("backup-job", "incr")).code).toBe(0);
    const { code, text } = await shop.list();
    expect([code, text]).toEqual([
      5,
      expect.stringMatching(/The last backup of type full, started at .*, ended with \d+/),
    ]);
    expect((await shop.inSidecar("backup-job", "full")).code).toBe(0);
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
  });

  it("reports in list and up that a killed container broke a backup, and makes good ones again", async () => {
    await shop.query("superuser", "create table filler as select g, md5(g::text) from generate_series(1, 100000) g");
    // This backup waits for a checkpoint that is spread over minutes.
    const exec = await docker.getContainer(shop.sidecar).exec({
      Cmd: ["backup-job", "full"],
      Env: ["PGBACKREST_START_FAST=n"],
    });
    await exec.start({ Detach: true });
    await shop.until("a backup is under way", async () => (await shop.list()).found.underWay);
    await docker.getContainer(shop.sidecar).kill();
    const { code, text } = await shop.list();
    expect(code).toBe(5);
    expect(text).toContain(`The backup container ${shop.sidecar} is not running.`);

    // The record of its runs is kept when the container is replaced.
    await docker.getContainer(shop.sidecar).remove({ force: true });
    await shop.succeed("up");
    const replaced = await shop.list();
    expect([replaced.code, replaced.text]).toEqual([
      5,
      expect.stringMatching(/The last backup of type full, started at .*, was killed before it was complete/),
    ]);
    await shop.succeed("backup", "create", "--type", "full");
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("keeps its backups readable after everything except data and repository was made again", async () => {
    const before = (await shop.list()).found.backups.map(({ label }) => label);
    // The state is lost, including the passphrase.
    await shop.clone.shell("rm -rf .pgroundwork/.pulumi");
    await docker.getContainer(shop.sidecar).remove({ force: true });
    await docker.getContainer(shop.server).remove({ force: true });
    await shop.succeed("up");
    const { found, text } = await shop.list();
    expect(text).toBe("");
    expect(found.backups.map(({ label }) => label)).toEqual(before);
  });
});
