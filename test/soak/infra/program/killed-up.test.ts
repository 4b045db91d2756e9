import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Clone } from "../../../embedded/clone.ts";
import { bringUp, expectWhole } from "../../../embedded/infra/program/killed/converge.ts";
import { kill, type Victim, victims } from "../../../embedded/infra/program/killed/victims.ts";
import { makeShop } from "../../../embedded/infra/program/shop.ts";
import { soakRandom, soakRuns } from "../../random.ts";

const everything: Victim = {
  name: "everything",
  isOne: (entry) => Object.values(victims).some(({ isOne }) => isOne(entry)),
};
const candidates: readonly Victim[] = [...Object.values(victims), everything];

/** A first `up` takes about this long, in ms; kills spread over it. */
const upTakesMs = 4_500;

describe("an up whose processes are killed by force at random moments", () => {
  it("converges with the next up, or after the one command that it names, and leaves nothing behind", async () => {
    const random = soakRandom();
    const runs = soakRuns(60);
    const seen = { killed: 0, tooLateOrEarly: 0, recovered: 0 };
    for (let run = 0; run < runs; run += 1) {
      const clone = await makeShop();
      const victim = candidates[Math.floor(random() * candidates.length)] ?? everything;
      const wait = random() * upTakesMs;
      try {
        seen[(await killDuringUp(clone, victim, wait)) ? "killed" : "tooLateOrEarly"] += 1;
        if ((await bringUp(clone)).recovered) seen.recovered += 1;
        await expectWhole(clone);
      } catch (error) {
        process.stderr.write(`run ${run}: ${victim.name} killed after ${Math.round(wait)} ms\n`);
        throw error;
      } finally {
        await clone.remove();
      }
    }
    process.stderr.write(`${runs} runs: ${JSON.stringify(seen)}\n`);
    expect(seen.killed, "no kill hit anything").toBeGreaterThan(0);
  });
});

/** False where what was to be killed had ended, or not begun, by then. */
async function killDuringUp(clone: Clone, victim: Victim, waitMs: number): Promise<boolean> {
  const up = clone.start("up");
  const ended = once(up, "exit");
  await sleep(waitMs);
  const hits = await kill(clone, victim);
  await ended;
  return hits > 0;
}
