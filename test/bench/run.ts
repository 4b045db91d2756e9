import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../../scripts/cli/table.ts";
import { ensureEngine } from "../../scripts/pulumi/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";
import { benchBackups } from "./backups.ts";
import { benchClient } from "./client/bench.ts";
import { benchDocker } from "./docker.ts";
import { benchHealth } from "./health.ts";
import { benchImport } from "./import/bench.ts";
import type { Measurement } from "./measurement.ts";
import { benchMigrations } from "./migrations/bench.ts";
import { benchPackage } from "./package.ts";
import { benchQueries } from "./queries/bench.ts";
import { benchScrape } from "./scrape.ts";
import { benchUp } from "./up.ts";

/*
 * `npm run bench` measures times on this machine next to their comparisons in the same run. It is never part of `npm
 * test`: a busy machine must not make tests fail.
 */

/** Parts that can be measured separately: `npm run bench -- migrations`. */
const parts: Readonly<Record<string, (scratch: string) => Promise<Measurement[]>>> = {
  up: async (scratch) => benchUp(scratch, await engine()),
  docker: async (scratch) => benchDocker(scratch, await engine()),
  scrape: benchScrape,
  health: benchHealth,
  backups: benchBackups,
  migrations: benchMigrations,
  queries: benchQueries,
  package: benchPackage,
  client: benchClient,
  load: ofExample("kyb"),
  import: benchImport,
  pend: ofExample("pend"),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`There is no part ${unknown.join(", ")}. There are: ${Object.keys(parts).join(", ")}.`);

const scratch = await mkdtemp(join(tmpdir(), "pgroundwork-bench-"));
// PostgreSQL's account, which is used under root, needs to enter the folder.
await chmod(scratch, 0o755);
try {
  const measurements: Measurement[] = [];
  for (const [name, measure] of Object.entries(parts))
    if (asked.length === 0 || asked.includes(name)) measurements.push(...(await measure(scratch)));
  console.log(`${availableParallelism()} processors, Node ${process.version}\n`);
  console.log(table(["what", "here", "against", "ratio", "target", ""], measurements.map(row)));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Returns the part that is in the folder of an example database. It has no measurements if the example was removed. */
function ofExample(database: string) {
  return async (folder: string): Promise<Measurement[]> => {
    const file = new URL(`../embedded/migrations/${database}/bench.ts`, import.meta.url);
    if (!existsSync(file)) return [];
    const { bench } = (await import(file.href)) as { bench: (folder: string) => Promise<Measurement[]> };
    return bench(folder);
  };
}

function engine() {
  return ensureEngine({ root: cloneRoot, onProgress: ({ step }) => process.stderr.write(`${step}\n`) });
}

function row({ what, here, against, ratio, target, met }: Measurement): string[] {
  return [
    what,
    here,
    against ?? "",
    ratio === undefined ? "" : `${ratio.toFixed(2)}×`,
    target,
    target === "" ? "" : met ? "met" : "MISSED",
  ];
}
