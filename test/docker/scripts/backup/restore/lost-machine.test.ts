import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BackedUpShop } from "../../../backed-up-shop.ts";
import { removeNamed } from "../../../docker-objects.ts";
import { bucket, makeBucketShop, setSecret } from "../../../s3/bucket-shop.ts";
import { hasS3Server, S3Server } from "../../../s3/s3-server.ts";

/** The runbook "The machine is lost" of infra/README.md, step by step. */
describe.skipIf(!hasS3Server)("a stack whose machine is lost (needs the S3 server that .ci/s3-server builds)", () => {
  const s3 = new S3Server();
  let shop: BackedUpShop;
  let passphrase: string;
  let before: string[];

  beforeAll(async () => {
    await s3.start(bucket);
    shop = await makeBucketShop(s3);
    await shop.succeed("up");
    await shop.untilFirstBackup();
    const { stdout } = await shop.succeed("outputs", "--json", "--show-secrets");
    passphrase = JSON.parse(stdout).server.backups.passphrase;
    await addProduct("first");
    await addProduct("second");
    await shop.sql("create role of_hand login", "create table of_hand as select generate_series(1, 1000) as id");
    before = await shop.tables();
    await shop.inSidecar("pgbackrest", "check");
  });
  afterAll(() => s3.stop());

  const addProduct = (name: string) =>
    shop.sql(`insert into product (id, name, price) select max(id) + 1, '${name}', 1 from product`);
  const products = async () => Number(await shop.sql("select count(*) from product"));

  /** Removes everything but the project's files: the engine's objects, and the state with all passwords. */
  async function loseMachine(): Promise<void> {
    await removeNamed(shop.prefix);
    const { code, stderr } = await shop.clone.shell("rm -rf .pgroundwork");
    expect(code, stderr).toBe(0);
  }

  it("does not start empty over the backups of the lost one, and needs the passphrase", async () => {
    await loseMachine();
    const empty = await shop.pgw("up");
    expect(empty.code).not.toBe(0);
    expect(empty.stderr).toContain("The backup repository was encrypted with a passphrase that is not this stack's.");
    const without = await shop.pgw("up", "--restore-from-backup");
    expect(without.code).not.toBe(0);
    expect(without.stderr).toContain("--restore-from-backup needs the passphrase of the backups.");
    await setSecret(shop, "backups.passphrase", passphrase);
    const other = await shop.pgw("up");
    expect(other.code).not.toBe(0);
    expect(other.stderr).toContain("The repository has backups of another cluster, and this stack has no cluster yet.");
  });

  it("comes back with every row and role, and with passwords that fit its new state", async () => {
    const { stdout, stderr } = await shop.succeed("up", "--restore-from-backup");
    expect(stdout + stderr).toMatch(/restored from \d{8}-\d{6}F to /);
    expect(stderr).toMatch(/full backup of the restored cluster: \d{8}-\d{6}F/);
    expect(await shop.tables()).toEqual(before);
    expect(await shop.sql("select rolname from pg_roles where rolname = 'of_hand'")).toBe("of_hand");
    for (const role of ["app", "readonly", "migrator"])
      expect(await shop.query(role, "select session_user::text as who")).toEqual([{ who: `shop_${role}` }]);
  });

  it("needs no further change, and archives and backs up on its new timeline", async () => {
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    await addProduct("after the loss");
    await shop.succeed("backup", "create", "--type", "incr");
    expect(await shop.list()).toMatchObject({ code: 0, text: "" });
    const window = await shop.succeed("backup", "window", "--json");
    expect(JSON.parse(window.stdout)).toMatchObject({ current: 2, findings: [] });
    const drilled = await shop.succeed("backup", "drill", "--json");
    expect(JSON.parse(drilled.stdout)).toMatchObject({ outcome: "passed" });
  });

  it("owns its backups from then on: the former server neither archives nor backs up there, and says so", async () => {
    const owner = "/var/lib/postgresql/repository-owner";
    const forget = "rm -f /tmp/repository-owner*";
    expect((await shop.inServer("cat", owner)).stdout).toMatch(/^1-[0-9a-f]{16}\n$/);
    // The former server has no such file.
    await shop.inServer("sh", "-c", `mv ${owner} ${owner}.away; ${forget}`);
    const before = (await shop.list()).found;
    expect(before.findings.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^The repository belongs to a newer server of this stack, which made the backup \d{8}-/),
    );
    const backup = await shop.pgw("backup", "create", "--type", "full");
    expect([backup.code, backup.stderr]).toEqual([1, expect.stringContaining("belongs to a newer server")]);
    await addProduct("of the former server");
    await shop.sql("select pg_switch_wal()");
    await shop.until("the refusal", async () => (await shop.list()).text.includes("WAL archiving is failing"));
    await shop.inServer("mv", `${owner}.away`, owner);
  });

  it("is not overwritten by another restore", async () => {
    const rows = await products();
    const { code, stderr } = await shop.pgw("up", "--restore-from-backup");
    expect(code).not.toBe(0);
    expect(stderr).toContain("This stack's cluster was created before, so nothing is restored.");
    expect(await products()).toBe(rows);
  });

  it("comes back as it was at a time of the window with --time", async () => {
    const now = "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC'";
    const [rows, time] = [await shop.tables(), await shop.sql(now)];
    await addProduct("too late");
    await shop.inSidecar("pgbackrest", "check");
    await loseMachine();
    // It is not kept by the state, which is lost, too.
    await setSecret(shop, "backups.passphrase", passphrase);
    const { stdout, stderr } = await shop.succeed("up", "--restore-from-backup", "--time", time);
    expect(stdout + stderr).toMatch(/restored from \d{8}-\d{6}F\S* to /);
    expect(await shop.tables()).toEqual(rows);
    expect(await shop.query("app", "select count(*)::int as n from product where name = 'too late'")).toEqual([
      { n: 0 },
    ]);
  });
});
