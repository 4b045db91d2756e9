import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { commit, makeShop, shopDrafts } from "../../../infra/program/shop.ts";

const told = 'Interrupted: stack "local" is partly changed; `up` continues from there.\n';
const script = "/usr/bin/script";

/**
 * Defines the tests of an `up` that gets a signal.
 *
 * @param every also tests a signal at a moment of a kind that another test covers
 */
export function describeInterruption(every: boolean): void {
  describe("an interrupted up", () => {
    let clone: Clone;
    let up: ChildProcess | undefined;
    let output: string;

    beforeEach(async () => {
      clone = await makeShop({ ownPlugins: true });
    });
    afterEach(async () => {
      if (up?.pid !== undefined && up.exitCode === null && up.signalCode === null) process.kill(-up.pid, "SIGKILL");
      await clone?.remove();
    });

    /** Starts a command in its own process group and collects its output. */
    const start = (command: string, ...args: string[]): ChildProcess => {
      const child = spawn(command, args, { cwd: clone.root, env: clone.env, detached: true });
      up = child;
      output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      }
      return child;
    };
    const startUp = () => start(join(clone.root, "node_modules", ".bin", "node"), "scripts/pgw.mjs", "up");
    const exitCodeOf = async (child: ChildProcess) => {
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      return child.exitCode;
    };
    const until = (what: () => Promise<boolean>) => expect.poll(what, { timeout: 60_000, interval: 20 }).toBe(true);
    const expectConverges = async () => {
      await clone.useHosts();
      const next = await clone.succeed("up");
      expect(await clone.query("readonly", "select name from product order by id")).toEqual([
        { name: "tea" },
        { name: "coffee" },
      ]);
      expect((await clone.succeed("up")).stdout).toMatch(/^no changes /);
      return next;
    };

    if (every)
      it("exits with 130 on Ctrl-C while its server is being made, and the next up continues", async () => {
        const child = startUp();
        await until(async () => isServerBegun(clone));
        process.kill(-(child.pid ?? 0), "SIGINT");
        expect(await exitCodeOf(child), output).toBe(130);
        expect(output.endsWith(told), output).toBe(true);
        expect(output).not.toContain("error:");
        await expectConverges();
      });

    it("exits with 143 on SIGTERM after the current step, and the next up knows the progress", async () => {
      await withSlowMigration(clone);
      const child = startUp();
      await until(() => isMigrating(clone));
      child.kill("SIGTERM");
      expect(await exitCodeOf(child), output).toBe(143);
      expect(output.endsWith(told), output).toBe(true);
      expect(output).not.toContain("error:");
      expect((await expectConverges()).stderr).not.toContain("interrupted");
    });

    it.runIf(process.platform === "linux" && existsSync(script))(
      "ends after the current step on Ctrl-C in a terminal, which npm and the engine also get",
      async () => {
        await withSlowMigration(clone);
        const child = start(script, "-qec", "npm run -s up", "/dev/null");
        await until(() => isMigrating(clone));
        child.stdin?.write("\u0003");
        expect(await exitCodeOf(child), output).toBe(130);
        expect(output).toContain(told.trimEnd());
        expect(output).not.toContain("error:");
        expect((await expectConverges()).stderr).not.toContain("interrupted");
      },
    );
  });
}

async function withSlowMigration(clone: Clone): Promise<void> {
  await commit(clone, [...shopDrafts, { name: "slow", body: "create table slow (id integer);\nselect pg_sleep(3);" }]);
}

async function isServerBegun(clone: Clone): Promise<boolean> {
  const servers = join(clone.dataHome, "servers");
  if (!existsSync(servers)) return false;
  const [server] = await readdir(servers);
  return server !== undefined && (await readdir(join(servers, server))).some((name) => name.startsWith("data"));
}

/** Returns true if the slow migration runs, from the titles of the server's processes. */
async function isMigrating(clone: Clone): Promise<boolean> {
  const servers = join(clone.dataHome, "servers");
  if (!existsSync(servers)) return false;
  const { stdout } = await clone.shell("ps -eo pid,ppid,args");
  const postmaster = stdout.split("\n").find((line) => line.includes(` -D ${servers}/`));
  const pid = postmaster?.trim().split(/\s+/)[0];
  return pid !== undefined && new RegExp(`^ *\\d+ +${pid} postgres: shop_migrator shop .* SELECT *$`, "m").test(stdout);
}
