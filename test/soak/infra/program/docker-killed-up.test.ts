import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  dockerVictims,
  everything,
  expectConverges,
  killDuringUp,
} from "../../../docker/infra/program/killed/converge.ts";
import { dockerMoments } from "../../../docker/infra/program/killed/moments.ts";
import { type DockerStack, makeDockerStack } from "../../../docker/stack.ts";
import { bringUp, expectWhole } from "../../../docker/whole.ts";
import { soakRandom, soakRuns } from "../../random.ts";

/** Duration of a Docker stack's first `up` with an existing image, in ms. The kills are spread over it. */
const firstUpMs = 9_000;
/** Duration of an `up` that replaces the container, in ms. */
const laterUpMs = 7_000;

describe("an up of a Docker stack", () => {
  it.each(Object.values(dockerMoments))("converges when killed while $name", (moment) => expectConverges(moment));
});

describe("an up of a Docker stack with processes killed at random moments", () => {
  it("converges if it is the first one", async () => {
    await repeated(30, async (random) => {
      const shop = await makeDockerStack();
      const outcome = await killed(shop, random, firstUpMs);
      await expectWhole(shop);
      await shop.succeed("destroy", "--erase", shop.stack, "--yes");
      return outcome;
    });
  });

  it("converges with every row if it replaces the container", async () => {
    const shop = await makeDockerStack();
    await shop.succeed("up");
    const rows = ["tea", "coffee"];
    await repeated(30, async (random, run) => {
      rows.push(`row ${run}`);
      await shop.query("app", `insert into product values (${run + 3}, 'row ${run}', 1)`);
      const file = "infra/images/postgres/Dockerfile";
      const before = await readFile(join(shop.clone.root, file), "utf8");
      await shop.clone.write(file, `${before.replace(/\nLABEL run=.*\n/, "")}\nLABEL run="${shop.stack}-${run}"\n`);
      const outcome = await killed(shop, random, laterUpMs);
      await expectWhole(shop, rows);
      return outcome;
    });
  });
});

/** Kills one process or all processes of an `up`, then recovers like a user. */
async function killed(shop: DockerStack, random: () => number, within: number): Promise<string> {
  const victim = dockerVictims[Math.floor(random() * dockerVictims.length)] ?? everything;
  const wait = Math.round(random() * within);
  const hits = await killDuringUp(shop, victim, () => sleep(wait));
  try {
    const { recovered } = await bringUp(shop);
    if (hits === 0) return "tooLateOrEarly";
    return recovered ? "recovered" : "killed";
  } catch (error) {
    process.stderr.write(`${victim.name} killed after ${wait} ms\n`);
    throw error;
  }
}

async function repeated(standard: number, work: (random: () => number, run: number) => Promise<string>): Promise<void> {
  const random = soakRandom();
  const runs = soakRuns(standard);
  const seen: Record<string, number> = {};
  for (let run = 0; run < runs; run += 1) {
    const outcome = await work(random, run);
    seen[outcome] = (seen[outcome] ?? 0) + 1;
  }
  process.stderr.write(`${runs} runs: ${JSON.stringify(seen)}\n`);
  expect((seen.killed ?? 0) + (seen.recovered ?? 0), "no kill hit anything").toBeGreaterThan(0);
}
