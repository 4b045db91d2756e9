import { expect, it } from "vitest";
import type { FormerGeneration } from "../../../../../scripts/backup/former-generations.ts";
import type { Restored } from "../../../../../scripts/backup/restore/restore.ts";
import { parseLsn } from "../../../../../scripts/backup/wal.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import type { BackedUpShop, Listed } from "../../../backed-up-shop.ts";
import { everything, killDuringUp } from "../../../infra/program/killed/converge.ts";
import { bringUp } from "../../../whole.ts";

/** Answer of `backup window --json`, as far as it is compared. */
interface Window {
  current: number;
  timelines: { timeline: number; ranges: { from: { lsn: string }; to: { lsn: string } }[] }[];
}

const docker = dockerClient();

/** Defines the tests of a new generation of the repository of a stack that is up. */
export function testGenerations(
  shopOf: () => BackedUpShop,
  settings: Readonly<Record<string, unknown>> & { backups: object },
): void {
  let before: string;
  const label = () => /^\d{8}-\d{6}F$/;
  const secondOf = (text: string) => text.split("\n").at(-1) ?? "";

  /** Restores to a volume that is removed again, and returns the number of rows in `rotated`. */
  const rowsAt = async (...target: string[]): Promise<number | undefined> => {
    const shop = shopOf();
    const volume = `${shop.prefix}-rotated`;
    const { stdout } = await shop.succeed("backup", "restore", "--to-volume", volume, "--json", ...target);
    await docker.getVolume(volume).remove();
    const { databases, incompleteReason } = JSON.parse(stdout) as Restored;
    expect(incompleteReason).toBeUndefined();
    const { tables = [] } = databases.find(({ database }) => database === "shop") ?? {};
    return tables.find(({ table }) => table === "public.rotated")?.rows;
  };
  /** Returns the position at which the window of the current timeline begins or ends. */
  const edge = ({ current, timelines }: Window, of: "from" | "to"): bigint => {
    const ranges = timelines.find(({ timeline }) => timeline === current)?.ranges ?? [];
    const found = of === "from" ? ranges[0] : ranges.at(-1);
    return parseLsn(found?.[of].lsn ?? "0/0");
  };
  const passphraseIn = async (file: string) =>
    (await shopOf().inServer("sed", "-n", "s/^repo1-cipher-pass=//p", `/etc/pgroundwork/${file}`)).stdout.trim();

  it("of a stack that rotates its passphrase: an up that is killed after it made the new one continues with it", async () => {
    const shop = shopOf();
    await shop.sql("create table rotated (n int)", "insert into rotated values (1)");
    before = secondOf(await shop.sql("select pg_sleep(0.01)", "select clock_timestamp() at time zone 'UTC' || ' UTC'"));
    await shop.sql("select pg_sleep(0.01)", "insert into rotated values (2)");
    await shop.configure({ ...settings, backups: { ...settings.backups, generation: 2 } });
    const made = "/var/lib/postgresql/backup-passphrase-2";
    const isMade = async () => (await shop.inServer("test", "-e", made)).code === 0;
    const hits = await killDuringUp(shop, everything, () => shop.until("the passphrase is made", isMade));
    expect(hits).toBeGreaterThan(0);
    const { stdout: passphrase } = await shop.inServer("cat", made);
    await bringUp(shop);
    expect(await passphraseIn("pgbackrest.conf")).toBe(passphrase.trim());
    expect(await passphraseIn("pgbackrest-generation-1.conf")).not.toBe(passphrase.trim());
    await shop.sql("insert into rotated values (3)");
    await shop.untilFirstBackup();
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("keeps the former generation: both list their backups, and no moment is between their windows", async () => {
    const shop = shopOf();
    await shop.sql(
      ...["insert into rotated values (4)", "select pg_create_restore_point('rotated')"],
      "insert into rotated values (5)",
    );
    const listed = await shop.list();
    expect([listed.code, listed.text]).toEqual([0, ""]);
    expect(listed.found).toMatchObject({
      generation: 2,
      backups: [{ type: "full", label: expect.stringMatching(label()) }],
      formerGenerations: [{ generation: 1 }],
    });
    const former = (listed.found as Listed & { formerGenerations: FormerGeneration[] }).formerGenerations[0];
    expect(former?.backups.length).toBeGreaterThan(0);
    const window = JSON.parse((await shop.pgw("backup", "window", "--json")).stdout) as Window & {
      formerGenerations: (Window & { generation: number })[];
    };
    const [older] = window.formerGenerations;
    if (older === undefined) throw new Error("the window has no former generation");
    expect(edge(older, "to")).toBeGreaterThanOrEqual(edge(window, "from"));
  });

  it("restores moments from before and after the rotation, each with the passphrase of its generation", async () => {
    const shop = shopOf();
    expect(await rowsAt("--restore-point", "rotated")).toBe(4);
    expect(await rowsAt("--time", before, "--generation", "1")).toBe(1);
    const refused = await shop.pgw("backup", "restore", "--to-volume", `${shop.prefix}-refused`, "--time", before);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("add --generation 1.")]);
    const latest = await shop.pgw("backup", "restore", "--to-volume", `${shop.prefix}-no`, "--generation", "1");
    expect([latest.code, latest.stderr]).toEqual([2, expect.stringContaining("does not have the newest state")]);
  });

  it("archives only into the new generation once that has a backup", async () => {
    const shop = shopOf();
    const name = secondOf(await shop.sql("insert into rotated values (6)", "select pg_walfile_name(pg_switch_wal())"));
    const archived = async (folder: string) =>
      (await shop.onRepository(`find /repository/${folder}archive -name '${name}-*'`)).trim() !== "";
    await shop.until("the segment is archived", () => archived("generation-2/"));
    // PostgreSQL asks for the next segment only after this one is in every place where it belongs.
    await shop.sql("insert into rotated values (7)", "select pg_switch_wal()");
    const isDone = async () =>
      (await shop.sql(`select last_archived_wal >= '${name}' from pg_stat_archiver`)).trim() === "t";
    await shop.until("the server counts it as archived", isDone);
    expect(await archived("")).toBe(false);
  });

  it("refuses a lower generation, and one that leaves out a number", async () => {
    const shop = shopOf();
    for (const [generation, next] of [
      [1, 2],
      [4, 3],
    ]) {
      await shop.configure({ ...settings, backups: { ...settings.backups, generation } });
      const { code, stderr, stdout } = await shop.pgw("preview");
      expect([code, stderr + stdout]).toEqual([
        1,
        expect.stringContaining(`ask for generation ${generation} of the backup repositories`),
      ]);
      expect(stderr + stdout).toContain(`Set pgroundwork:backups.generation to ${next}`);
    }
    await shop.configure({ ...settings, backups: { ...settings.backups, generation: 2 } });
  });

  it("removes the former generation on request, and by itself once the new one reaches back as far", async () => {
    const shop = shopOf();
    const now = Math.floor(Date.now() / 1_000);
    const day = 24 * 3_600;
    const expired = async (at: number) =>
      (await shop.inSidecar("repository-generation", "expired", String(at))).stdout.trim();
    expect([await expired(now + 29 * day), await expired(now + 31 * day)]).toEqual(["", "1"]);
    const current = await shop.pgw("backup", "remove", "--generation", "2", "--yes");
    expect([current.code, current.stderr]).toEqual([2, expect.stringContaining("is the current one")]);
    const asked = await shop.pgw("backup", "remove", "--generation", "1");
    expect([asked.code, asked.stderr]).toEqual([3, expect.stringContaining("Nothing was changed")]);
    await shop.succeed("backup", "remove", "--generation", "1", "--yes");
    expect((await shop.onRepository("find /repository/backup /repository/archive -type f")).trim()).toBe("");
    expect((await shop.list()).found).toMatchObject({
      backups: [{ type: "full" }],
      formerGenerations: [{ generation: 1, backups: [] }],
    });
    expect(await rowsAt("--restore-point", "rotated")).toBe(4);
    expect(await expired(now + 31 * day)).toBe("");
  });
}
