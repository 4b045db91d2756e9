import { join } from "node:path";
import type { EngineInstallation } from "../../scripts/pulumi/ensure-engine.ts";
import { BenchClone } from "./clone.ts";
import { emptyProgram } from "./empty-program.ts";
import { describeTimes, type Measurement, median, timed } from "./measurement.ts";

/** Enough for a median on a noisy machine; a cold start takes seconds. */
const coldRuns = 3;
const pairs = 9;

/** Measures `up` from nothing, `up` without changes next to an empty Pulumi program, and `migrate status`. */
export async function benchUp(scratch: string, engine: EngineInstallation): Promise<Measurement[]> {
  const cold: number[] = [];
  let clone: BenchClone | undefined;
  try {
    for (let i = 0; i < coldRuns; i += 1) {
      await clone?.down();
      const fresh = await BenchClone.make(join(scratch, `clone-${i}`));
      clone = fresh;
      cold.push(await timed(() => fresh.npm("up")));
    }
    if (clone === undefined) throw new Error("no clone was made");
    const kit = clone;
    const empty = await emptyProgram(join(scratch, "empty"), engine);
    // Takes turns, so that all of them run under the same load. The first round fills caches.
    const [ours, typed, bare]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i <= pairs; i += 1) {
      const mine = await timed(() => kit.npm("up"));
      const asTyped = await timed(() => empty("--yes"));
      const without = await timed(() => empty("--yes", "--skip-preview"));
      if (i === 0) continue;
      ours.push(mine);
      typed.push(asTyped);
      bare.push(without);
    }
    const status: number[] = [];
    const url = (await kit.node("scripts/pgw.mjs", "url", "--role", "migrator")).trim();
    for (let i = 0; i <= pairs; i += 1) {
      const seconds = await timed(() => kit.node("scripts/pgw.mjs", "migrate", "status", { DATABASE_URL: url }));
      if (i > 0) status.push(seconds);
    }
    const noChange = (what: string, theirs: readonly number[], command: string): Measurement => {
      const ratio = median(ours) / median(theirs);
      const against = `empty program, ${command}: ${describeTimes(theirs)}`;
      return { what, here: describeTimes(ours), against, ratio, target: "≤ 2×", met: ratio <= 2 };
    };
    return [
      { what: "up from nothing, one database", here: describeTimes(cold), target: "≤ 15 s", met: median(cold) <= 15 },
      noChange("up with nothing to do, as typed", typed, "pulumi up --yes"),
      noChange("the same, against an update without preview", bare, "pulumi up --yes --skip-preview"),
      {
        what: "migrate status, nothing pending, by DATABASE_URL",
        here: describeTimes(status),
        target: "≤ 0.15 s",
        met: median(status) <= 0.15,
      },
    ];
  } finally {
    await clone?.down();
  }
}
