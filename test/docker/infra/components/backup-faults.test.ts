import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { type BackedUpShop, makeBackedUpShop } from "../../backed-up-shop.ts";

const docker = dockerClient();
const run = promisify(execFile);

/** Writes rows and switches to a new WAL segment, which is archived. */
async function work(shop: BackedUpShop): Promise<void> {
  await shop.query(
    "superuser",
    "insert into product (id, name, price) select max(id) + 1, 'p' || max(id), 1 from product; select pg_switch_wal()",
  );
}

async function expectReported(shop: BackedUpShop, words: RegExp): Promise<void> {
  await shop.until("the list tells of it", async () => words.test((await shop.list()).text));
  expect((await shop.list()).code).toBe(5);
  const preview = await shop.succeed("preview");
  expect(preview.stdout).toContain("~ BackupStanza backups-stanza (archiving)");
  const up = await shop.pgw("up");
  expect(up.code).toBe(1);
  expect(up.stderr).toMatch(words);
  // The server keeps running.
  await work(shop);
}

/** Expects no findings after an `up`, and that a restore of a new backup has every row. */
async function expectMended(shop: BackedUpShop): Promise<void> {
  await shop.succeed("up");
  await shop.succeed("backup", "create", "--type", "full");
  expect(await shop.list()).toMatchObject({ code: 0, text: "" });
  const [{ count } = { count: 0 }] = await shop.query<{ count: number }>(
    "superuser",
    "select count(*)::int from product",
  );
  const volume = `${shop.prefix}-restored-${Date.now()}`;
  const { stdout } = await shop.succeed("backup", "restore", "--to-volume", volume, "--json");
  await docker.getVolume(volume).remove();
  const { databases } = JSON.parse(stdout) as {
    databases: { database: string; tables: { table: string; rows: number }[] }[];
  };
  const tables = databases.find(({ database }) => database === "shop")?.tables ?? [];
  expect(tables.find(({ table }) => table === "public.product")?.rows).toBe(count);
}

/** Replaces the repository's volume with a tmpfs of limited size that has the same content. */
class Room {
  #mountpoint: string | undefined;

  async take({ repository, clone }: BackedUpShop, size: string): Promise<void> {
    const { Mountpoint } = await docker.getVolume(repository).inspect();
    const script = `set -e; cp -a ${Mountpoint} ${Mountpoint}.kept; mount -t tmpfs -o size=${size},mode=0700 tmpfs ${Mountpoint}
      chown 999:999 ${Mountpoint}; cp -a ${Mountpoint}.kept/. ${Mountpoint}; rm -rf ${Mountpoint}.kept`;
    const { code, stderr } = await clone.shell(script);
    expect(code, stderr).toBe(0);
    this.#mountpoint = Mountpoint;
  }

  /** Unmounts lazily: containers keep the tmpfs until they stop using it, and only then the volume can be removed. */
  async give(): Promise<void> {
    if (this.#mountpoint !== undefined) await run("umount", ["--lazy", this.#mountpoint]);
  }
}

describe("a backup repository", () => {
  let shop: BackedUpShop;
  const room = new Room();

  beforeAll(async () => {
    shop = await makeBackedUpShop();
    await shop.succeed("up");
    await shop.untilFirstBackup();
  });
  afterAll(() => room.give());

  // Only root can limit a volume's size, and only on this machine.
  it.runIf(process.getuid?.() === 0)("is reported when it is full, and works again once there is room", async () => {
    await shop.succeed("down");
    await room.take(shop, "96m");
    await shop.succeed("up");
    await shop.onRepositoryAsRoot(
      "dd if=/dev/zero of=/repository/filler bs=4k 2>/dev/null; test -s /repository/filler",
    );
    await work(shop);
    await expectReported(shop, /The backup repository is full: .*No space left on device/);
    await shop.onRepositoryAsRoot("rm /repository/filler");
    await expectMended(shop);
  });

  it("is reported when it is not writable, and works again once it is", async () => {
    await shop.onRepositoryAsRoot("chown -R root:root /repository/archive && chmod -R go-rwx /repository/archive");
    await work(shop);
    await expectReported(shop, /The backup repository cannot be written: .*Permission denied/);
    await shop.onRepositoryAsRoot("chown -R 999:999 /repository/archive");
    await expectMended(shop);
  });

  it("is reported with a hint when its folder backup is missing, and works again once it is back", async () => {
    await shop.onRepositoryAsRoot("mv /repository/backup /repository/away");
    await expectReported(shop, /The folder backup is missing from the backup repository/);
    const { stderr } = await shop.pgw("up");
    expect(stderr).toContain("Restore the folder from a copy of the repository's volume.");
    expect(stderr).toContain("No restore point was made before the changes: The folder backup is missing");
    await shop.onRepositoryAsRoot("mv /repository/away /repository/backup");
    await expectMended(shop);
  });

  it("is reported without any secret when it has another passphrase", async () => {
    const exec =
      "sed -i 's/^repo1-cipher-pass=.*/repo1-cipher-pass=another/' /configuration/pgbackrest.conf; chown 999:999 /configuration/pgbackrest.conf";
    await onConfiguration(shop, exec);
    await work(shop);
    await expectReported(shop, /encrypted with a passphrase that is not this stack's/);
    // The file was edited by hand in the volume. The stack has the right content.
    await shop.succeed("refresh");
    await expectMended(shop);
  });
});

async function onConfiguration(shop: BackedUpShop, script: string): Promise<void> {
  const { Image } = await shop.inspected();
  const container = await docker.createContainer({
    name: `${shop.prefix}-by-hand`,
    Image,
    User: "0",
    Entrypoint: ["sh", "-c", script],
    HostConfig: {
      Init: true,
      Mounts: [{ Type: "volume", Source: `${shop.prefix}-config`, Target: "/configuration" }],
    },
  });
  await container.start();
  const { StatusCode } = (await container.wait()) as { StatusCode: number };
  await container.remove();
  expect(StatusCode).toBe(0);
}
