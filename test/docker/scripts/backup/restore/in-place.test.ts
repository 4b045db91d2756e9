import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { Deploy } from "../../../../../scripts/backup/deploys.ts";
import { readDetails } from "../../../../../scripts/backup/info.ts";
import { requireSameCluster } from "../../../../../scripts/backup/restore/in-place/before-restore.ts";
import { withClusterVolume } from "../../../../../scripts/backup/restore/in-place/cluster-volume.ts";
import type { InPlaceRestored } from "../../../../../scripts/backup/restore/in-place/in-place-request.ts";
import type { Restored } from "../../../../../scripts/backup/restore/restore.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { scramVerifier } from "../../../../../scripts/connection/scram.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { startContainer } from "../../../../../scripts/docker/server/running.ts";
import { createRestorePoint, restoreBackup } from "../../../../../scripts/programs/backups.ts";
import { commit, holdMigrations, shopDrafts } from "../../../../embedded/infra/program/shop.ts";
import { type BackedUpShop, makeBackedUpShop, shopTables } from "../../../backed-up-shop.ts";
import { logs } from "../../../postgres-container.ts";
import { testGenerations } from "./test-generations.ts";
import { testRefusals } from "./test-refusals.ts";

const docker = dockerClient();
const settings = { memory: 512, maxConnections: 30, backups: { full: "0 0 29 2 *", incremental: "0 0 29 2 *" } };

describe("a restore in place", () => {
  let shop: BackedUpShop;

  beforeAll(async () => {
    shop = await makeBackedUpShop(settings);
    const jobs = { tidy: { schedule: "0 0 29 2 *", command: "delete from customer_order" } };
    const file = { extensions: ["citext"], seedSets: ["reference", "dev"], jobs };
    await shop.clone.write("migrations/shop/database.json", JSON.stringify(file));
    await shop.succeed("up");
    await shop.untilFirstBackup();
    await shop.sql("create table written (n int primary key); grant select, insert on written to shop_app");
  });

  const folders = async () => (await shop.inServer("sh", "-c", "ls /var/lib/postgresql/17")).stdout.trim().split("\n");
  const timeline = () =>
    shop.sql("select timeline_id from pg_split_walfile_name(pg_walfile_name(pg_current_wal_lsn()))");
  /** Writes rows one after the other until the server ends the session. Returns the last acknowledged one. */
  const write = async (from: number): Promise<number> => {
    let last = from;
    await withClient(await shop.login("app"), async (client) => {
      for (;;) {
        await client.query("insert into written values ($1)", [last + 1]);
        last += 1;
      }
    }).catch(() => {});
    return last;
  };
  const archives = async () => {
    const { code, stderr, stdout } = await shop.inSidecar("pgbackrest", "check");
    expect([code, stderr, stdout]).toEqual([0, "", expect.anything()]);
  };
  /**
   * Tries to log in with another password until `isDone`. Returns how each attempt ended, without repetitions.
   * No attempt waits for the one before, because to a container that is starting, one can take a second.
   */
  const tryPassword = async (password: string, isDone: () => boolean): Promise<Set<string>> => {
    const connection = { ...(await shop.login("app")), password };
    const ends = new Set<string>();
    const attempts: Promise<unknown>[] = [];
    while (!isDone()) {
      const attempt = withClient(connection, async () => ends.add("logged in"));
      attempts.push(attempt.catch((error: Error) => ends.add(error.message)));
      await sleep(50);
    }
    await Promise.all(attempts);
    return ends;
  };
  const inPostgres = async (...statements: string[]) => {
    const given = statements.flatMap((each) => ["-c", each]);
    const { code, stdout, stderr } = await shop.inServer(
      "psql",
      "-XqAt",
      "-v",
      "ON_ERROR_STOP=1",
      "postgres",
      ...given,
    );
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const ticks = async () => Number(await inPostgres("select count(*) from tick"));
  const enabled = async () => [
    await inPostgres("select string_agg(jobname, ', ' order by jobname) from cron.job where active"),
    await shop.sql("select string_agg(subname, ', ') from pg_subscription where subenabled"),
  ];
  const everyone = ["pgroundwork: delete old runs, pgroundwork: tidy, tick", "orders"];
  const leftSettings = () => shop.sql("select count(*) from pg_file_settings where sourcefile like '%auto.conf'");

  it("keeps the former cluster, which undo brings back with every acknowledged row", async () => {
    const { password = "" } = await shop.login("app");
    await inPostgres(
      "create table tick (n int)",
      "select cron.schedule('tick', '1 second', 'insert into tick values (1)')",
    );
    await shop.sql(
      "create subscription orders connection 'host=127.0.0.1 port=1' publication orders with (connect = false)",
      "alter subscription orders enable",
    );
    await shop.until("the job runs", async () => (await ticks()) > 0);
    expect(await enabled()).toEqual(everyone);
    await shop.sql("alter role shop_app password 'of that time'", "insert into written values (1)");
    // A role of the stack that the restored state lacks, and the present too.
    const lost = "drop owned by shop_readonly";
    await inPostgres(lost);
    await shop.sql(lost, "drop role shop_readonly");
    await createRestorePoint(await shop.location(), "good");
    const good = await shop.tables();
    await shop.sql(`alter role shop_app password '${await scramVerifier(password)}'`, "delete from customer_order");
    const acknowledged = write(1);
    let isRestored = false;
    const attempts = tryPassword("of that time", () => isRestored);
    const { stdout, stderr } = await shop
      .succeed(...["backup", "restore", "--in-place", "--restore-point", "good", "--yes", "--json"])
      .finally(() => {
        isRestored = true;
      });
    // No client gets in with the password of the restored state, from which the server starts. Docker may not forward a
    // connection before the stack's passwords are set, so an attempt alone would prove nothing.
    expect(await logs(docker.getContainer(shop.server))).toContain('parameter "ssl" changed to "on"');
    expect([...(await attempts)]).not.toContain("logged in");
    const last = await acknowledged;
    expect(last).toBeGreaterThan(10);
    const restored = JSON.parse(stdout) as InPlaceRestored;
    expect(restored).toMatchObject({
      newBackup: { type: "full" },
      differences: { missingRoles: [], missingDatabases: [], missingMigrations: {} },
    });
    expect(stderr).toMatch(/loses +every commit from .*; the former cluster keeps them\n +[\d,]+ commits until now\n/);
    expect(restored.lostCommits).toEqual({ known: true, count: expect.any(Number), isLeast: false });
    expect(stderr).toMatch(/ends +\d+ sessions: .*\(shop_app in shop\)/);
    expect(await shop.tables()).toEqual(good);
    expect([await timeline(), await leftSettings()]).toEqual(["2", "0"]);
    // Jobs and subscriptions of that time do nothing.
    expect(stderr).toMatch(/pauses +3 jobs and 1 subscription, until you confirm them/);
    expect(restored.paused.jobs.map(({ name }) => name).join(", ")).toBe(everyone[0]);
    expect(restored.paused.subscriptions).toEqual([{ database: "shop", name: "orders" }]);
    expect(await enabled()).toEqual(["", ""]);
    const ticksBefore = await ticks();
    await sleep(2_500);
    expect(await ticks()).toBe(ticksBefore);
    // The password is the stack's, and nothing that the stack declares is missing.
    expect(await shop.query("app", "select max(n) as n from written")).toEqual([{ n: 1 }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    expect(await shop.query("readonly", "show idle_in_transaction_session_timeout")).toHaveLength(1);
    expect(JSON.parse((await shop.succeed("refresh", "--json")).stdout).changes).toEqual([]);
    await archives();

    await shop.sql("insert into written values (1000000)");
    const again = await shop.pgw("backup", "restore", "--in-place", "--restore-point", "good", "--yes");
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining("is still kept in data.before-")]);
    const { stdout: status } = await shop.pgw("status", "--json");
    expect(JSON.parse(status).keptClusters).toEqual({
      known: true,
      paused: restored.paused,
      clusters: [
        {
          ...{ folder: restored.kept, canReturn: true, restoredAt: expect.any(String) },
          ...{ ageSeconds: expect.any(Number), bytes: expect.any(Number) },
        },
      ],
    });
    expect(JSON.parse(status).jobs.jobs).toMatchObject([
      { paused: true },
      { name: "tidy", active: false, paused: true },
    ]);
    await shop.succeed("backup", "restore", "--resume", "--yes");
    expect(await enabled()).toEqual(everyone);
    await shop.until("the job runs again", async () => (await ticks()) > ticksBefore);
    const nothing = await shop.pgw("backup", "restore", "--resume", "--yes");
    expect([nothing.code, nothing.stderr]).toEqual([
      2,
      expect.stringContaining("No job and no subscription is paused"),
    ]);

    await shop.succeed("backup", "restore", "--undo", "--yes");
    expect(await enabled()).toEqual(everyone);
    await inPostgres("select cron.unschedule('tick')");
    await shop.sql("alter subscription orders disable", "alter subscription orders set (slot_name = none)");
    await shop.sql("drop subscription orders");
    expect([await timeline(), await leftSettings()]).toEqual(["3", "0"]);
    // The last commit can be one that the writer got no answer to.
    const kept = await shop.sql("select count(*) = max(n) from written", "select max(n) from written");
    expect([`t\n${last}`, `t\n${last + 1}`]).toContain(kept);
    expect(await shop.sql("select count(*) from customer_order")).toBe("0");
    await archives();
    // A restore follows the timeline of the undo, not that of the restored cluster.
    const volume = `${shop.prefix}-after-undo`;
    const copy = JSON.parse(
      (await shop.succeed("backup", "restore", "--to-volume", volume, "--json")).stdout,
    ) as Restored;
    expect(copy.incompleteReason).toBeUndefined();
    expect(shopTables(copy.databases)).toEqual(await shop.tables());

    expect((await folders()).filter((name) => name.startsWith("data."))).toEqual([
      expect.stringMatching(/^data\.undone-/),
    ]);
    await shop.succeed("backup", "restore", "--finish", "--yes");
    expect((await folders()).filter((name) => name.startsWith("data"))).toEqual(["data"]);
  });

  it("is refused for a backup of another version or cluster", async () => {
    const backups = await shop.location();
    const label = (await shop.list()).found.backups[0]?.label ?? "";
    const { cluster } = await readDetails(docker, shop.sidecar, label);
    const systemIdentifier = await shop.sql("select system_identifier from pg_control_system()");
    expect(cluster).toEqual({ version: "17", systemIdentifier });
    await withClusterVolume(docker, backups, async (volume) => {
      const judge = (changed: Partial<typeof cluster>) =>
        requireSameCluster(volume, { backup: { label }, cluster: { ...cluster, ...changed } });
      await judge({});
      const refused = `The backup ${label} cannot take the place of the stack's cluster: it is of `;
      await expect(judge({ version: "16" })).rejects.toThrow(
        `${refused}PostgreSQL 16, and the server is PostgreSQL 17.`,
      );
      await expect(judge({ systemIdentifier: "1" })).rejects.toThrow(
        `${refused}the cluster 1, and the server's is ${systemIdentifier}.`,
      );
    });
  });

  it("to just before the last deploy that is killed after the exchange is completed by the next command, here an undo", async () => {
    await shop.configure({ ...settings, postgresql: { work_mem: "5MB" } });
    await shop.succeed("up");
    await shop.sql("insert into written values (-1)");
    const former = await shop.tables();
    const { deploys } = JSON.parse((await shop.succeed("backup", "deploys", "--json")).stdout) as { deploys: Deploy[] };
    expect(deploys).toMatchObject([{ number: 1, outcome: "done", commit: null }]);
    const volume = `${shop.prefix}-before-deploy`;
    const copy = await restoreBackup(await shop.location(), { to: { volume }, target: { beforeDeploy: "last" } });
    await docker.getVolume(volume).remove();
    const written = (tables: readonly string[]) => tables.find((line) => line.startsWith("public.written "));
    expect(written(former)).not.toBe(written(shopTables(copy.databases)));
    expect(copy.point?.firstNotIncluded).not.toBeNull();
    const unknown = restoreBackup(await shop.location(), { to: { volume }, target: { beforeDeploy: 9 } });
    await expect(unknown).rejects.toThrow(`There is no such deploy of stack "${shop.stack}": recorded are 1.`);
    await killAt("starting the server", "backup", "restore", "--in-place", "--before-deploy", "last", "--yes");
    // The server of the restored cluster can be started by hand, too. The killed command may have done it just before.
    await startContainer(docker, shop.server);
    await shop.until("the restored server answers", async () => (await shop.sql("select 1").catch(() => "")) === "1");
    expect(await shop.sql("select count(*) from written where n = -1")).toBe("0");
    await docker.getContainer(shop.server).stop();
    const undone = await shop.succeed("backup", "restore", "--undo", "--yes");
    expect(undone.stderr).toContain("starting the server, which a killed command stopped");
    expect(await shop.tables()).toEqual(former);
    await shop.succeed("backup", "restore", "--finish", "--yes");
  });

  it("that is killed before the exchange leaves the stack's own cluster, and the next command removes the rest", async () => {
    const former = await shop.tables();
    await killAt("reading every row", "backup", "restore", "--in-place", "--before-deploy", "1", "--yes");
    const none = await shop.pgw("backup", "restore", "--undo", "--yes");
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining("No cluster from before an in-place restore"),
    ]);
    expect(none.stderr).toMatch(/removed data\.restoring-\w+, which a killed command left/);
    expect([await shop.tables(), (await folders()).filter((name) => name.startsWith("data"))]).toEqual([
      former,
      ["data"],
    ]);
  });

  it("that is killed after the exchange is completed by recover, and has a backup of its own at the latest at finish", async () => {
    await createRestorePoint(await shop.location(), "before-the-last-backup");
    const good = await shop.tables();
    const { stdout: made } = await shop.succeed("backup", "create", "--type", "full", "--json");
    const { label } = (JSON.parse(made) as { backup: { label: string } }).backup;
    await shop.sql("insert into written values (-2)");
    // An up that failed: the passwords in its state are newer than those in the outputs.
    const backups = { ...settings.backups, drill: { schedule: "59 23 31 12 *" } };
    const rotated = { ...settings, backups, postgresql: { work_mem: "5MB" }, passwordVersion: "rotated" };
    await shop.configure(rotated);
    const drillInContainer = async () =>
      (await runInContainer(docker, `${shop.prefix}-drill`, { command: ["restore-drill"] })).stdout;
    const broken = (await commit(shop.clone, [...shopDrafts, { name: "broken", body: "select 1 / 0;" }])).at(-1) ?? "";
    const failed = await shop.pgw("up");
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining("division by zero")]);
    await rm(join(shop.clone.root, "migrations/shop/committed", broken));
    expect(JSON.parse((await shop.pgw("status", "--json")).stdout).server.state).toBe("running");
    const target = ["--restore-point", "before-the-last-backup"];
    await killAt("starting the server", "backup", "restore", "--in-place", ...target, "--yes");
    const { code, stdout: status } = await shop.pgw("status", "--json");
    expect([code, JSON.parse(status).keptClusters.begun]).toEqual([5, "killed"]);
    const recovered = await shop.succeed("recover");
    expect(recovered.stderr).toContain(`a restore in place of stack "${shop.stack}" was not completed`);
    expect(recovered.stderr).not.toContain("could not check");
    expect([await shop.tables(), await leftSettings()]).toEqual([good, "0"]);
    expect((await shop.succeed("recover", "--dry-run")).stderr).toBe("");
    await shop.succeed("up");
    expect(await shop.query("app", "select count(*)::int as n from written where n = -2")).toEqual([{ n: 0 }]);
    expect(JSON.parse((await shop.pgw("status", "--json")).stdout).keptClusters).not.toHaveProperty("begun");

    // The newest backup is of the timeline that was left.
    await archives();
    const volume = `${shop.prefix}-own-timeline`;
    const restoreAll = ["backup", "restore", "--to-volume", volume, "--json"];
    const copy = JSON.parse((await shop.succeed(...restoreAll)).stdout) as Restored;
    await docker.getVolume(volume).remove();
    expect(copy.incompleteReason).toBeUndefined();
    expect(copy.backup).not.toBe(label);
    expect(shopTables(copy.databases)).toEqual(good);
    expect(await drillInContainer()).toMatch(/: passed after/);
    for (const other of (await shop.list()).found.backups.filter((each) => each.label !== label))
      expect((await shop.inSidecar("pgbackrest", "expire", `--set=${other.label}`)).code).toBe(0);
    const listed = await shop.list();
    expect([listed.code, listed.text]).toEqual([
      5,
      expect.stringMatching(/^No backup leads to timeline \d+, on which/m),
    ]);
    const refused = await shop.pgw(...restoreAll);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("No backup leads to timeline")]);
    expect(await drillInContainer()).toMatch(/: failed after .* No backup leads to timeline/s);
    const finished = await shop.succeed("backup", "restore", "--finish", "--yes");
    expect(finished.stderr).toContain("making a full backup");
    expect((await shop.list()).text).not.toContain("No backup leads");
    await shop.succeed(...restoreAll);
    await docker.getVolume(volume).remove();
  });

  it("waits for an up with new passwords and a migration, and keeps the logins of the stack", async () => {
    await shop.configure({ ...settings, postgresql: { work_mem: "5MB" }, passwordVersion: "2" });
    const held = await holdMigrations(shop.clone);
    await commit(shop.clone, [...shopDrafts, { name: "late", body: "create table late (id int primary key);" }]);
    const up = shop.pgw("up");
    await held.begun();
    // A killed up would leave this.
    const recorded = async () => (await shop.onRepository("tail -n 1 /repository/pgroundwork/deploys.jsonl")).trim();
    expect(JSON.parse(await recorded())).toMatchObject({ number: 4, outcome: "unfinished", changes: null });
    const restore = startPgw("backup", "restore", "--in-place", "--yes");
    await shop.until("the restore waits", async () => restore.text().includes("Waiting for it to end."));
    await held.release();
    expect((await up).code).toBe(0);
    expect(JSON.parse(await recorded())).toMatchObject({ number: 4, outcome: "done", changes: expect.any(Number) });
    const [code] = await restore.closed;
    expect([code, restore.text()]).toEqual([0, expect.stringContaining("The restored state of shop lacks migrations")]);
    expect(await shop.query("app", "select count(*)::int as n from product")).toEqual([{ n: 2 }]);
    await shop.succeed("backup", "restore", "--finish", "--yes");
  });

  describe("and a new generation of its repository", () => {
    testGenerations(() => shop, { ...settings, passwordVersion: "2" });
  });

  describe("is refused", () => {
    const backups = { ...settings.backups, generation: 2 };
    testRefusals(() => shop, { ...settings, backups, passwordVersion: "2" });
  });

  /** Starts a command in a process group of its own. */
  const startPgw = (...args: string[]) => {
    const { root, env } = shop.clone;
    const node = join(root, "node_modules", ".bin", "node");
    const child = spawn(node, ["scripts/pgw.mjs", ...args, "--stack", shop.stack], {
      cwd: root,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (data: string) => {
      text += data;
    });
    return { child, closed: once(child, "close"), text: () => text };
  };

  /** Starts a command and kills it when it prints a step. */
  const killAt = async (step: string, ...args: string[]) => {
    const { child, closed, text } = startPgw(...args);
    child.stderr.on("data", () => {
      if (text().includes(step) && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    });
    const [code, signal] = await closed;
    if (signal === null && code !== null) throw new Error(`the command ended with ${code} before "${step}": ${text()}`);
    await sleep(200);
  };
});
