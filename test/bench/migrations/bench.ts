import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../../../scripts/connection/client.ts";
import type { Connection } from "../../../scripts/connection/connection.ts";
import { describeTimes, type Measurement, median, timed } from "../measurement.ts";
import { startBenchServer } from "../server.ts";
import { samples } from "./samples.ts";
import { type BenchMigration, type Tool, type ToolRun, tools } from "./tools.ts";

const count = 200;
const rounds = 3;
const idleRounds = 7;
/** Few migrations per deployer, so that all deployers start before the first one ends. */
const racing = { deployers: 4, migrations: 40 };

/**
 * Measures migrations, and runs with nothing pending, against common tools in turn on one server. Also tests several
 * deployers at once.
 */
export async function benchMigrations(scratch: string): Promise<Measurement[]> {
  const server = await startBenchServer(scratch, {});
  try {
    const [all, few] = [samples(count), samples(racing.migrations)];
    const times = new Map<string, { up: number[]; idle: number[] }>();
    const race: [string, string][] = [];
    const places = await Promise.all(tools.map((tool) => place(scratch, tool, all, few)));
    for (const { tool, many, small } of places) {
      const outcome = await raced(tool, small, await server.createDatabase());
      race.push([tool.name, outcome]);
      // Fills the caches of the disk and of Node.js; these times are discarded.
      times.set(tool.name, { up: [], idle: [] });
      await succeed(tool, many, await server.createDatabase());
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { tool, many } of places) {
        const database = await server.createDatabase();
        times.get(tool.name)?.up.push(await timed(() => succeed(tool, many, database)));
        await requireApplied(tool, database, count);
        if (round < rounds - 1) continue;
        for (let idle = 0; idle < idleRounds; idle += 1)
          times.get(tool.name)?.idle.push(await timed(() => succeed(tool, many, database)));
      }
    }
    return [
      ...compared("up", `${count} migrations`, times),
      ...compared("idle", "nothing pending", times),
      ...raceRows(race),
    ];
  } finally {
    await server.stop();
  }
}

interface Place {
  tool: Tool;
  /** Folder with all migrations. The next has few. */
  many: string;
  small: string;
}

async function place(scratch: string, tool: Tool, all: readonly BenchMigration[], few: readonly BenchMigration[]) {
  const folder = join(scratch, "migrations", tool.name.replaceAll(" ", "-"));
  await mkdir(folder, { recursive: true });
  const made: Place = { tool, many: join(folder, "many"), small: join(folder, "small") };
  await tool.write(made.many, all);
  await tool.write(made.small, few);
  return made;
}

async function succeed(tool: Tool, folder: string, database: Connection): Promise<ToolRun> {
  const run = await tool.up(folder, database);
  if (run.code !== 0) throw new Error(`${tool.name} ended with ${run.code}:\n${run.output}`);
  return run;
}

async function requireApplied(tool: Tool, database: Connection, expected: number): Promise<void> {
  const applied = await appliedIn(tool, database);
  if (applied !== expected) throw new Error(`${tool.name} applied ${applied} of ${expected} migrations`);
}

async function appliedIn(tool: Tool, database: Connection): Promise<number> {
  return withClient(database, async (client) => {
    const { rows } = await client.query<{ applied: number }>(tool.applied);
    return rows[0]?.applied ?? 0;
  });
}

/** Runs several deployers at once. Returns how many succeed and how many migrations are applied. */
async function raced(tool: Tool, folder: string, database: Connection): Promise<string> {
  const runs = await Promise.all(Array.from({ length: racing.deployers }, () => tool.up(folder, database)));
  const well = runs.filter(({ code }) => code === 0).length;
  const applied = await appliedIn(tool, database).catch(() => 0);
  return `${well} of ${racing.deployers} exit 0, ${applied} of ${racing.migrations} applied`;
}

function compared(
  kind: "up" | "idle",
  what: string,
  times: ReadonlyMap<string, { up: number[]; idle: number[] }>,
): Measurement[] {
  const [[, ours] = ["", { up: [], idle: [] }], ...others] = times;
  return others.map(([name, theirs]) => {
    const ratio = median(ours[kind]) / median(theirs[kind]);
    const idleTarget = { target: "≤ 0.15 s", met: median(ours.idle) <= 0.15 };
    const upTarget = name === "dbmate" ? { target: "≤ 1.2×", met: ratio <= 1.2 } : { target: "", met: true };
    return {
      what,
      here: describeTimes(ours[kind]),
      against: `${name}: ${describeTimes(theirs[kind])}`,
      ratio,
      ...(kind === "up" ? upTarget : idleTarget),
    };
  });
}

function raceRows([ours, ...others]: readonly [string, string][]): Measurement[] {
  const [, here = ""] = ours ?? [];
  return [
    {
      what: `${racing.deployers} deployers at once`,
      here,
      against: others.map(([name, outcome]) => `${name}: ${outcome}`).join("; "),
      target: "all exit 0",
      met: here.startsWith(`${racing.deployers} of`),
    },
  ];
}
