import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { ask } from "../../../../embedded/terminal.ts";
import { canMount, mountDisk, unmountDisk } from "../../../../mounted-disk.ts";
import type { BackedUpShop } from "../../../backed-up-shop.ts";

const docker = dockerClient();

/**
 * Defines the tests of what a restore in place refuses before the stack is changed. After them, the stack is protected,
 * and its server is stopped.
 */
export function testRefusals(shopOf: () => BackedUpShop, settings: Readonly<Record<string, unknown>>): void {
  const restore = ["backup", "restore", "--in-place"];
  /** Runs a restore in place, which must leave the cluster, and returns its exit code and messages. */
  const refusal = async (...options: string[]): Promise<[code: number, text: string]> => {
    const shop = shopOf();
    const { code, stderr } = await shop.pgw(...restore, ...options);
    expect(await folders()).toEqual(["data"]);
    return [code, stderr];
  };
  /** Returns the folders of clusters. */
  const folders = async () =>
    (await shopOf().inServer("ls", "/var/lib/postgresql/17")).stdout.match(/^data(\.\w+-\w+)?$/gm);

  it("without --yes on no terminal, and if another name than the stack's is typed", async () => {
    const shop = shopOf();
    expect(await refusal()).toEqual([
      3,
      `error: Changing the cluster of stack "${shop.stack}" needs a confirmation. Nothing was changed.\n  Add --yes.\n`,
    ]);
    const question = `Type ${shop.stack} to continue: `;
    const asking = await ask(shop.clone, [...restore, "--stack", shop.stack], question);
    expect(await folders()).toEqual(["data", expect.stringMatching(/^data\.restoring-/)]);
    const { code, output } = await asking.answer("nothing");
    expect(code, output).toBe(3);
    expect(output).toContain(`You typed "nothing", not "${shop.stack}". Nothing was changed.`);
    expect(await folders()).toEqual(["data"]);
  });

  it("while a backup is being made", async () => {
    const shop = shopOf();
    const find = "grep -ls '[t]ype=full' /proc/[0-9]*/cmdline | head -n 1 | cut -d / -f 3";
    // Stopped once it has its lock and has noted itself in it, so that it is still running when the restore looks.
    const hasLock = `grep -q "FLOCK .* $pid " /proc/locks && [ -n "$(find /tmp/pgbackrest -name '*backup*.lock' -size +0)" ]`;
    const hold = `backup-job full >/dev/null 2>&1 & until pid=$(${find}) && [ -n "$pid" ] && ${hasLock} && kill -STOP "$pid"; do sleep 0.1; done`;
    expect((await shop.inSidecar("sh", "-c", hold)).code).toBe(0);
    const isHeld = async () => (await shop.list()).found.underWay;
    try {
      await shop.until("the backup holds its lock", isHeld);
      expect(await refusal("--yes")).toEqual([
        3,
        expect.stringContaining("error: A backup is being made, and would fail.\n"),
      ]);
    } finally {
      await shop.inSidecar("sh", "-c", `kill -CONT $(${find})`);
      await shop.until("the backup has ended", async () => !(await isHeld()));
    }
  });

  it("if the server archives nothing", async () => {
    const shop = shopOf();
    await shop.sql("alter system set archive_command = ''", "select pg_reload_conf()");
    const refused = await refusal("--yes");
    await shop.sql("alter system reset archive_command", "select pg_reload_conf()");
    expect(refused).toEqual([
      1,
      expect.stringMatching(/^error: The present cannot be archived before the restore\. .*archive_command/m),
    ]);
  });

  it("for a protected stack without --allow-protected, which --yes does not replace", async () => {
    const shop = shopOf();
    await shop.configure({ ...settings, seeds: ["reference"], protected: true, airgap: true });
    await shop.succeed("up");
    for (const change of ["--in-place", "--undo", "--finish", "--resume"]) {
      const { code, stderr } = await shop.pgw("backup", "restore", change, "--yes");
      expect([code, stderr]).toEqual([
        3,
        `error: Stack "${shop.stack}" is protected.\n  Add --allow-protected to change its cluster. \`--to\` and \`--to-volume\` restore without changing it.\n`,
      ]);
    }
    const only = await shop.pgw("backup", "restore", "--only", "shop", "--yes");
    expect([only.code, only.stderr]).toEqual([
      3,
      expect.stringContaining("Add --allow-protected to replace its database."),
    ]);
    expect(await refusal("--allow-protected")).toEqual([3, expect.stringContaining("needs a confirmation.")]);
    // Nothing is kept, so nothing is changed.
    const undo = await shop.pgw("backup", "restore", "--undo", "--yes", "--allow-protected");
    expect([undo.code, undo.stderr]).toEqual([
      2,
      expect.stringContaining("No cluster from before an in-place restore"),
    ]);
  });

  it.skipIf(!canMount())("if a second cluster does not fit (needs root, to mount a small disk)", async () => {
    const shop = shopOf();
    const server = docker.getContainer(shop.server);
    const { Mountpoint: disk } = await docker.getVolume((await shop.location()).volumes.data).inspect();
    await server.stop();
    execFileSync("cp", ["-a", disk, `${disk}.small`]);
    mountDisk(disk, "size=400M,uid=999,gid=999,mode=700");
    try {
      execFileSync("cp", ["-a", `${disk}.small/.`, disk]);
      await server.start();
      await shop.until("the server answers", async () => (await shop.sql("select 1").catch(() => "")) === "1");
      expect(await refusal("--yes", "--allow-protected")).toEqual([
        1,
        expect.stringMatching(
          /^error: The volume \S+ has \d+ MB free, and a second cluster needs \d{3} MB\.\n {2}Nothing was changed\. Free space/m,
        ),
      ]);
      const only = await shop.pgw("backup", "restore", "--only", "shop", "--yes", "--allow-protected", "--no-encrypt");
      expect([only.code, only.stderr]).toEqual([
        1,
        expect.stringMatching(
          /^error: The volume \S+ has \d+ MB free, and the restored database "shop" needs \d{3} MB\.\n/m,
        ),
      ]);
    } finally {
      await server.stop();
      unmountDisk(disk);
      execFileSync("rm", ["-r", `${disk}.small`]);
    }
  });
}
