import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Clone } from "../../../embedded/clone.ts";
import { bringUp, expectWhole } from "../../../embedded/infra/program/killed/converge.ts";
import { everything, kill, type Victim, victims } from "../../../embedded/infra/program/killed/victims.ts";
import { makeShop } from "../../../embedded/infra/program/shop.ts";
import { soakFirst, soakRandom, soakRuns } from "../../random.ts";

const candidates: readonly Victim[] = [...Object.values(victims), everything];

/** Duration of a first `up`, in ms. The kills are spread over it. */
const upTakesMs = 4_500;

describe("an up whose processes are killed at random moments", () => {
  it("converges on the next up or after the command that it prints, and leaves nothing behind", async () => {
    const random = soakRandom();
    const runs = soakRuns(60);
    const seen = { killed: 0, tooLateOrEarly: 0, recovered: 0 };
    for (let run = 0; run < runs; run += 1) {
      const victim = candidates[Math.floor(random() * candidates.length)] ?? everything;
      const wait = random() * upTakesMs;
      if (run < soakFirst()) continue;
      const clone = await makeShop();
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

/** Kills processes of an `up`. Returns false if they had already ended or not started yet. */
async function killDuringUp(clone: Clone, victim: Victim, waitMs: number): Promise<boolean> {
  const up = clone.start("up");
  const ended = once(up, "exit");
  await sleep(waitMs);
  const hits = await kill(clone, victim);
  await ended;
  return hits > 0;
}
