import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Clone } from "../../../embedded/clone.ts";
import { makeShop } from "../../../embedded/infra/program/shop.ts";
import { soakRandom, soakRuns } from "../../random.ts";

/** The processes of a run: `pgw` itself, the engine, or a provider plugin. Patterns of `pgrep -f` that do not match the shell that has them. */
const victims = ["scripts/pgw[.]ts up", "pulumi[ ]up", "infra/provider/main[.]ts", "infra/airgap/postgresql/main[.]ts"];

/** A first `up` takes about this long here, in ms; kills spread over it. */
const upTakesMs = 3_500;

describe("an up whose processes are killed by force at random moments", () => {
  it("converges with the next up, or after the one command that it names", async () => {
    const random = soakRandom();
    const runs = soakRuns(60);
    const seen = { killed: 0, ended: 0, locked: 0 };
    for (let run = 0; run < runs; run += 1) {
      const clone = await makeShop();
      try {
        const victim = victims[Math.floor(random() * victims.length)] ?? "";
        const wait = random() * upTakesMs;
        const killed = await killDuringUp(clone, victim, wait);
        seen[killed ? "killed" : "ended"] += 1;
        if (await converge(clone)) seen.locked += 1;
        const where = `run ${run}: ${victim} after ${Math.round(wait)} ms`;
        expect(await clone.query("readonly", "select name from product order by id"), where).toEqual([
          { name: "tea" },
          { name: "coffee" },
        ]);
        expect((await clone.succeed("up")).stdout, where).toContain("no changes");
      } finally {
        await clone.remove();
      }
    }
    process.stderr.write(`${runs} runs: ${JSON.stringify(seen)}\n`);
    expect(seen.killed, "no kill hit anything").toBeGreaterThan(0);
  });
});

/** Kills one kind of process of the clone's `up`; false where it had ended, or not begun, by then. */
async function killDuringUp(clone: Clone, victim: string, waitMs: number): Promise<boolean> {
  const up = clone.start("up");
  const ended = once(up, "exit");
  await sleep(waitMs);
  const { code } = await clone.shell(`
    hit=1
    for pid in $(pgrep -f ${JSON.stringify(victim)}); do
      case "$(readlink "/proc/$pid/cwd")" in "$PWD"*) kill -9 "$pid" && hit=0 ;; esac
    done
    exit $hit`);
  await ended;
  return code === 0;
}

/** Brings the clone up again; true where a lock had to be taken away first, by the command that the message names. */
async function converge(clone: Clone): Promise<boolean> {
  // The engine may live on for a moment after `pgw` was killed, and finish its work.
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const up = await clone.pgw("up");
    if (up.code === 0) return false;
    if (!up.stderr.includes("Another run works on stack")) {
      const [, remedy] = /^ {2}Take the lock away, then try again: `(.*)`$/m.exec(up.stderr) ?? [];
      if (remedy === undefined) throw new Error(`up did not converge:\n${up.stderr}`);
      expect((await clone.shell(remedy)).code).toBe(0);
      await clone.succeed("up");
      return true;
    }
    await sleep(500);
  }
  throw new Error("The stack stayed in use.");
}
