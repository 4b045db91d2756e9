import { beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { lastLogLines } from "../../../../scripts/docker/container-log.ts";
import { type BackedUpShop, makeBackedUpShop } from "../../backed-up-shop.ts";

const docker = dockerClient();

describe("a stack with backups", () => {
  let shop: BackedUpShop;

  beforeAll(async () => {
    shop = await makeBackedUpShop();
    await shop.succeed("up");
    await shop.until("the first backup", async () => (await shop.list()).found.backups.length === 1);
  });

  it("archives from the server's first segment on, and has made a first backup by itself", async () => {
    const { code, found } = await shop.list();
    expect(found.findings).toEqual([]);
    expect(code).toBe(0);
    expect(found.wal?.from).toBe("000000010000000000000001");
    expect(found.archiver).toMatchObject({ mode: "on", failing: false });
    expect(found.backups).toMatchObject([{ type: "full", damaged: false, databases: ["postgres", "shop"] }]);
    expect(await lastLogLines(docker, shop.sidecar, 50)).toMatch(/new backup label = \d{8}-\d{6}F/);
  });

  it("changes nothing at a second up, nor after a refresh", async () => {
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    await shop.succeed("refresh");
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });

  it("makes them in a container that reads the data, has no network, and may do nothing but that", async () => {
    const { HostConfig, Mounts, Config } = await docker.getContainer(shop.sidecar).inspect();
    expect(HostConfig.NetworkMode).toBe("none");
    expect(HostConfig.CapDrop).toEqual(["ALL"]);
    expect(HostConfig.SecurityOpt).toEqual(["no-new-privileges"]);
    expect(HostConfig.Memory).toBe(HostConfig.MemorySwap);
    const writable = Mounts.filter(({ RW }) => RW).map(({ Destination }) => Destination);
    expect(writable.sort()).toEqual(["/var/lib/pgbackrest", "/var/lib/pgroundwork/metrics"].sort());
    expect(Config.Cmd).toEqual(["backup-scheduler", "run", "0 0 29 2 *", "0 0 29 2 *"]);
  });

  it("lets the role that makes them call what pgBackRest calls, and nothing else that PUBLIC may not", async () => {
    const functions = await shop.query<{ name: string }>(
      "superuser",
      `select proname as name from pg_proc
        where has_function_privilege('backup', oid, 'execute') and not has_function_privilege('public', oid, 'execute')
          and pronamespace = 'pg_catalog'::regnamespace
        order by 1`,
    );
    // Asked in the shop's database, where nothing is granted; in postgres, four are.
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

  it("makes one when it is asked, which says what it is", async () => {
    const { stdout } = await shop.succeed("backup", "create", "--json");
    const { backup } = JSON.parse(stdout) as { backup: { type: string; label: string } };
    expect(backup).toMatchObject({ type: "incr" });
    expect((await shop.list()).found.backups[0]).toMatchObject({ label: backup.label });
  });

  it("does the scheduler's job one after the other, and notes how each ended", async () => {
    const jobs = await Promise.all(["full", "incr", "diff"].map((type) => shop.inSidecar("backup-job", type)));
    expect(jobs.map(({ code, stdout }) => (code === 0 ? 0 : stdout))).toEqual([0, 0, 0]);
    const { stdout } = await shop.inSidecar("cat", "/var/spool/pgbackrest/backup-diff.json");
    expect(JSON.parse(stdout)).toEqual({
      type: "diff",
      started: expect.any(Number),
      finished: expect.any(Number),
      exitCode: 0,
    });
  });

  it("has the passphrase in files of postgres's alone", async () => {
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

  it("makes good ones again after its container was killed in one, which list and up tell of", async () => {
    await shop.query("superuser", "create table filler as select g, md5(g::text) from generate_series(1, 100000) g");
    // It waits for a checkpoint that is spread over minutes.
    const exec = await docker.getContainer(shop.sidecar).exec({
      Cmd: ["backup-job", "full"],
      Env: ["PGBACKREST_START_FAST=n"],
    });
    await exec.start({ Detach: true });
    await shop.until("a backup is under way", async () => (await shop.list()).found.underWay);
    await docker.getContainer(shop.sidecar).kill();
    const { code, text } = await shop.list();
    expect(code).toBe(5);
    expect(text).toContain(`The container ${shop.sidecar}, which makes backups, does not run.`);

    expect((await shop.succeed("up")).stdout).toMatch(/Container backups-container \(mustRun\)/);
    await shop.succeed("backup", "create", "--type", "full");
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("keeps its backups readable when everything but data and repository is made anew", async () => {
    const before = (await shop.list()).found.backups.map(({ label }) => label);
    // The state is lost, with the passphrase in it.
    await shop.clone.shell("rm -rf .pgroundwork/.pulumi");
    await docker.getContainer(shop.sidecar).remove({ force: true });
    await docker.getContainer(shop.server).remove({ force: true });
    await shop.succeed("up");
    const { found, text } = await shop.list();
    expect(text).toBe("");
    expect(found.backups.map(({ label }) => label)).toEqual(before);
  });
});
