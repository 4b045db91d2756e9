import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseLag } from "../../../../scripts/backup/archive-lag.ts";
import { parseInfo } from "../../../../scripts/backup/info.ts";
import type { BackupList } from "../../../../scripts/backup/list.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type { StackStatus } from "../../../../scripts/stack/status.ts";
import type { BackedUpShop, Listed } from "../../backed-up-shop.ts";
import { addVolume, bucket, caFile, folder, makeBucketShop, setSecret, shortenTimeouts } from "../../s3/bucket-shop.ts";
import { hasS3Server, S3Server } from "../../s3/s3-server.ts";

const docker = dockerClient();

describe.skipIf(!hasS3Server)("backups in a bucket (needs the S3 server that .ci/s3-server builds)", () => {
  const s3 = new S3Server();
  let shop: BackedUpShop;

  beforeAll(async () => {
    await s3.start(bucket);
    shop = await makeBucketShop(s3);
    await shop.clone.write(caFile, await readFile(s3.otherCaFile, "utf8"));
  });
  afterAll(() => s3.stop());

  const addProduct = (name: string) =>
    shop.sql(`insert into product (id, name, price) select max(id) + 1, '${name}', 1 from product`);

  it("are refused with the reason if the CA file is not the endpoint's, or the keys are wrong", async () => {
    const untrusted = await shop.pgw("up");
    expect(untrusted.code).toBe(1);
    expect(untrusted.stderr).toContain("The certificate of the repository's endpoint is not trusted");
    expect(untrusted.stderr).toContain("Set caFile of the repository");

    await shop.clone.write(caFile, await readFile(s3.caFile, "utf8"));
    await setSecret(shop, "backups.repositories[0].keySecret", "wrong");
    const refused = await shop.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("The repository's service refuses the key");
    await setSecret(shop, "backups.repositories[0].keySecret", s3.keySecret);
  });

  it("begin with the first up, which a second one does not change", async () => {
    await shop.succeed("up");
    await shop.untilFirstBackup();
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    const { code, found } = await shop.list();
    expect(found.findings).toEqual([]);
    expect(code).toBe(0);
    expect(found.backups).toMatchObject([{ type: "full", databases: ["postgres", "shop"] }]);
    const objects = await s3.objects(bucket);
    expect(objects.filter((name) => name.includes("/archive/main/17-1/")).length).toBeGreaterThan(1);
    expect(objects.every((name) => `/${name}`.startsWith(`${folder}/`))).toBe(true);
  });

  it("are encrypted, and the keys are in no container's configuration, log or state", async () => {
    const [info = ""] = (await s3.objects(bucket)).filter((name) => name.endsWith("backup.info"));
    expect((await s3.read(bucket, info)).subarray(0, 8).toString()).toBe("Salted__");
    const { stdout: state } = await shop.clone.shell(
      `cat Pulumi.${shop.stack}.yaml .pgroundwork/.pulumi/stacks/*/${shop.stack}.json; docker logs ${shop.sidecar} 2>&1; docker logs ${shop.server} 2>&1`,
    );
    const inspected = JSON.stringify([await shop.inspected(), await shop.inspected("backup")]);
    expect(state).toContain("backup-scheduler");
    for (const secret of [s3.key, s3.keySecret]) expect(state + inspected).not.toContain(secret);
  });

  it("can be restored to a point in time, through the network of the backups only", async () => {
    await addProduct("before");
    const at = await shop.sql("select clock_timestamp()::text");
    await addProduct("after");
    await shop.succeed("backup", "create", "--type", "incr");
    const volume = `${shop.prefix}-restored`;
    const { stdout } = await shop.succeed("backup", "restore", "--to-volume", volume, "--time", at, "--json");
    await docker.getVolume(volume).remove();
    const { databases, point } = JSON.parse(stdout);
    const { tables } = databases.find(({ database }: { database: string }) => database === "shop");
    const count = Number(await shop.sql("select count(*) from product"));
    expect(tables.find(({ table }: { table: string }) => table === "public.product").rows).toBe(count - 1);
    expect(point.firstNotIncluded).not.toBeNull();
    const { NetworkSettings } = await shop.inspected("backup");
    expect(Object.keys(NetworkSettings.Networks)).toEqual([`${shop.prefix}-backup-network`]);
  });

  it("show a segment that is missing from the archive", async () => {
    await shop.succeed("backup", "create", "--type", "full");
    await addProduct("one");
    await shop.sql("select pg_switch_wal()");
    await addProduct("two");
    await shop.inSidecar("pgbackrest", "check");
    await shop.sql("select pg_switch_wal()");
    await shop.inSidecar("pgbackrest", "check");
    const segments = (await s3.objects(bucket)).filter((name) => /\/[0-9A-F]{24}-[0-9a-f]{40}/.test(name)).sort();
    const [lost = ""] = segments.slice(-2);
    await s3.remove(bucket, lost);
    const { code, text } = await shop.list();
    expect(code).toBe(5);
    expect(text).toContain(`The WAL segment ${/[0-9A-F]{24}/.exec(lost)?.[0]} is missing from the archive`);
    await shop.succeed("backup", "create", "--type", "full");
  });

  describe("with a second repository in a volume", () => {
    const polling = { timeout: 240_000, interval: 1_000 };
    const wal = "/var/lib/postgresql/17/data/pg_wal";
    const inBucketSidecar = (...command: string[]) => runInContainer(docker, `${shop.sidecar}-2`, { command });
    /** Makes the server try again now, and not after a minute. */
    const wakeArchiver = () => shop.sql("select pg_reload_conf()");
    /** Complete segments that wait for a repository, as its sidecar measures it. */
    const waiting = async (sidecar: typeof inBucketSidecar) => {
      await wakeArchiver();
      return JSON.parse((await sidecar("archive-lag")).stdout).waiting.segments;
    };
    /** Returns the limit of WAL for a repository as a share of the free space. */
    const limitShare = async (spool: string) => {
      const { stdout: option } = await shop.inServer("wal-limit", "50", spool);
      const { stdout: free } = await shop.inServer("sh", "-c", `df --block-size=1 --output=avail ${wal} | tail -1`);
      return Number(/^--archive-push-queue-max=(\d+)\n$/.exec(option)?.[1]) / Number(free);
    };
    const listed = async () => (await shop.list()).found as Listed & { otherLag: BackupList["lag"] };
    const switchWal = () => shop.sql("create table moved ()", "drop table moved", "select pg_switch_wal()");

    it("show for each repository that its archive is current", async () => {
      await addVolume(shop);
      await shop.succeed("up");
      const current = { known: true, lagSeconds: 0, waitingSegments: 0, lostSegments: 0, unanswered: null };
      const both = { backups: [{ type: "full" }], findings: [], lag: current, otherLag: current };
      await expect.poll(listed, polling).toMatchObject(both);
      await shortenTimeouts(shop);
      // No segment comes between.
      await shop.sql("alter system set archive_timeout = 0", "select pg_reload_conf()");
    });

    it("archive into the volume while the bucket is away, and show how far the bucket is behind", async () => {
      await s3.leave();
      for (const _ of [1, 2, 3]) await switchWal();
      const { stdout: newest } = await shop.inServer("sh", "-c", `ls ${wal}/archive_status/*.ready | tail -1`);
      await expect.poll(() => waiting(shop.inSidecar), polling).toBe(0);
      expect(await limitShare("/var/spool/pgbackrest")).toBeCloseTo(0.75, 1);
      await expect.poll(() => limitShare("/var/spool/pgbackrest/2"), polling).toBeCloseTo(0.5, 1);
      // As if they had waited for 10 minutes.
      await shop.inServer("sh", "-c", `touch -c -d '-10 minutes' ${wal}/archive_status/*.ready`);
      const [list] = await Promise.all([listed(), inBucketSidecar("archive-lag", "write")]);
      expect(list.lag).toMatchObject({ waitingSegments: 0, lagSeconds: 0, unanswered: null });
      expect(list.lag).toMatchObject({ newestSegment: /[0-9A-F]{24}/.exec(newest)?.[0] });
      expect(list.otherLag).toMatchObject({ known: true, unanswered: expect.stringContaining("repo-ls ended with") });
      expect(list.otherLag).toMatchObject({ waitingBytes: 16_777_216 * (await waitingInServer()), lostSegments: 0 });
      const behind = expect.stringMatching(
        /^The WAL archive in repository 2 is 1\d min behind the server: at most \d+ seg/,
      );
      const wrong = expect.objectContaining({ level: "wrong", text: behind });
      expect(list.findings).toContainEqual(wrong);
      const { backups } = JSON.parse((await shop.pgw("status", "--json")).stdout) as StackStatus;
      expect(backups).toMatchObject({ findings: expect.arrayContaining([wrong]) });
      const { stdout: metrics } = await inBucketSidecar("cat", "/var/lib/pgroundwork/metrics/archive-lag-2.prom");
      expect(metrics).toMatch(/^pgroundwork_backup_archive_lag_seconds\{stanza="main",repository="2"\} 6\d\d$/m);
    });

    const waitingInServer = async () => {
      const { stdout } = await shop.inServer(
        "sh",
        "-c",
        `ls ${wal}/archive_status | grep -c '^[0-9A-F]\\{24\\}.ready'`,
      );
      return Number(stdout);
    };

    it("archive into the bucket what it lacks once it answers again", async () => {
      await s3.return();
      await expect.poll(() => waiting(inBucketSidecar), polling).toBe(0);
      const current = { lagSeconds: 0, unanswered: null };
      await expect.poll(listed, polling).toMatchObject({ findings: [], lag: current, otherLag: current });
      const bucketList = await shop.pgw("backup", "list", "--repository", "2");
      expect([bucketList.code, bucketList.stdout]).toEqual([
        5,
        expect.stringContaining("lag       repository 2: none"),
      ]);
    });

    it("lose WAL only in the bucket if it waits beyond the limit, and then make a full backup there", async () => {
      const newestLabel = async () =>
        parseInfo((await inBucketSidecar("pgbackrest", "info", "--output=json")).stdout).backups.at(-1)?.label;
      const before = await newestLabel();
      const command = await shop.sql("show archive_command");
      const ofBucket = /\$\(command -v wal-limit \S+ && wal-limit 50 \/var\/spool\/pgbackrest\/2\)/;
      // pgBackRest drops every segment of the bucket.
      const lowered = command.replace(ofBucket, "--archive-push-queue-max=1");
      expect(lowered).toContain("=1 archive-push");
      await shop.sql(`alter system set archive_command = $$${lowered}$$`, "select pg_reload_conf()");
      await s3.leave();
      for (const _ of [1, 2, 3]) await switchWal();
      await shop.inServer("sh", "-c", `touch -c -d '-10 minutes' ${wal}/archive_status/*`);
      const left = async () => {
        await wakeArchiver();
        return waitingInServer();
      };
      await expect.poll(left, polling).toBe(0);
      const lagIn = async (sidecar: typeof inBucketSidecar) => parseLag((await sidecar("archive-lag")).stdout);
      expect(await lagIn(shop.inSidecar)).toMatchObject({ lagSeconds: 0, lostSegments: 0 });
      expect(await lagIn(inBucketSidecar)).toMatchObject({ lagSeconds: expect.toSatisfy((lag) => lag >= 600) });

      await s3.return();
      const lost = await lagIn(inBucketSidecar);
      expect(lost).toMatchObject({ waitingSegments: 0, lostSegments: expect.toSatisfy((count) => count >= 1) });
      await shop.sql("alter system reset archive_command", "select pg_reload_conf()");
      // The sidecar's own scan may have begun before.
      await inBucketSidecar("repository-scan", "repair");
      await expect.poll(newestLabel, polling).not.toBe(before);
      expect(await newestLabel()).toMatch(/F$/);
      expect(await lagIn(inBucketSidecar)).toMatchObject({ lagSeconds: 0, lostSegments: 0 });
      expect((await shop.list()).text).toBe("");
    });
  });
});
