import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { type BackedUpShop, makeBackedUpShop } from "../../../../docker/backed-up-shop.ts";
import { soakFirst, soakRuns } from "../../../random.ts";

const preload = join(import.meta.dirname, "kill-after-step.ts");
const restoreGood = ["backup", "restore", "--in-place", "--restore-point", "good", "--yes"];

describe("an in-place restore that is killed after any step", () => {
  let shop: BackedUpShop;
  let former: string[];

  const left = async () =>
    (await shop.inServer("sh", "-c", "cd /var/lib/postgresql/17; ls -d data* in-place-restore 2>/dev/null")).stdout
      .trim()
      .split("\n");

  /** Runs a command, and kills it after the step with this number. Returns its steps, and whether it was killed. */
  const stepsOf = async (args: readonly string[], killAfter?: number) => {
    const { root, env } = shop.clone;
    const file = join(root, "steps");
    await rm(file, { force: true });
    const node = join(root, "node_modules", ".bin", "node");
    const child = spawn(node, ["--import", preload, "scripts/pgw.ts", ...args, "--stack", shop.stack], {
      cwd: root,
      env: { ...env, PGW_STEPS_FILE: file, ...(killAfter !== undefined && { PGW_KILL_AFTER: String(killAfter) }) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (data: string) => {
      text += data;
    });
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (signal !== "SIGKILL" && code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${text}`);
    await sleep(200);
    return { steps: (await readFile(file, "utf8")).trim().split("\n"), wasKilled: signal === "SIGKILL" };
  };

  /** Returns to the former cluster, whatever a killed command left, and compares everything. */
  const converge = async (what: string) => {
    const began = performance.now();
    const undo = await shop.pgw("backup", "restore", "--undo", "--yes");
    expect([0, 2], `${what}: ${undo.stderr}`).toContain(undo.code);
    if (undo.code === 2) expect(undo.stderr, what).toContain("No cluster from before an in-place restore is kept.");
    expect(await shop.tables(), what).toEqual(former);
    expect(await shop.sql("select count(*) from pg_file_settings where sourcefile like '%auto.conf'"), what).toBe("0");
    if ((await left()).length > 1) await shop.succeed("backup", "restore", "--finish", "--yes");
    expect(await left(), what).toEqual(["data"]);
    const check = await shop.inSidecar("pgbackrest", "check");
    expect([check.code, check.stderr], what).toEqual([0, ""]);
    const ended = undo.code === 0 ? "undone" : "nothing to undo";
    process.stderr.write(`${what}: ${ended}, converged in ${((performance.now() - began) / 1_000).toFixed(0)} s\n`);
  };

  beforeAll(async () => {
    const never = "0 0 29 2 *";
    shop = await makeBackedUpShop({ memory: 512, maxConnections: 30, backups: { full: never, incremental: never } });
    await shop.succeed("up");
    await shop.untilFirstBackup();
    await shop.sql("create table written (n int)", "insert into written values (1)");
    await shop.sql("select pg_create_restore_point('good')", "insert into written values (2)");
    former = await shop.tables();
    // The first restore archives the restore point unless it is archived. All runs have to take the same steps.
    expect((await shop.inSidecar("pgbackrest", "check")).code).toBe(0);
  });

  it("is completed or reverted by the next command, and no row of the former cluster is missing", async () => {
    const { steps } = await stepsOf(restoreGood);
    expect(await shop.tables()).not.toEqual(former);
    await converge("a restore that is not killed");
    for (let step = soakFirst() + 1; step <= Math.min(steps.length, soakFirst() + soakRuns(steps.length)); step += 1) {
      const { wasKilled } = await stepsOf(restoreGood, step);
      expect(wasKilled).toBe(true);
      await converge(`killed after step ${step} of ${steps.length} (${steps[step - 1]})`);
    }
  });

  it("keeps its former cluster if its undo is killed after any step", async () => {
    await stepsOf(restoreGood);
    const undo = ["backup", "restore", "--undo", "--yes"];
    const { steps } = await stepsOf(undo);
    await converge("an undo that is not killed");
    for (let step = soakFirst() + 1; step <= Math.min(steps.length, soakFirst() + soakRuns(steps.length)); step += 1) {
      await stepsOf(restoreGood);
      const { wasKilled } = await stepsOf(undo, step);
      expect(wasKilled).toBe(true);
      await converge(`undo killed after step ${step} of ${steps.length} (${steps[step - 1]})`);
    }
  });
});
