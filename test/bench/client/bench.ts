import { join } from "node:path";
import pg from "pg";
import { createPool } from "../../../scripts/client/create-pool.ts";
import type { Pool } from "../../../scripts/client/pool.ts";
import { clientConfig } from "../../../scripts/connection/connection.ts";
import { type Measurement, median } from "../measurement.ts";
import { startBenchServer } from "../server.ts";

/**
 * Statements of one measurement, and pairs of measurements. They are short and alternate, so that both of a pair see
 * the same machine, and the result is the median of the pairs' ratios.
 */
const statements = 300;
const rounds = 101;

/** Measures what the pool costs next to a bare pg-pool: one statement after the other, and many at the same time. */
export async function benchClient(scratch: string): Promise<Measurement[]> {
  const server = await startBenchServer(join(scratch, "client"), {});
  const connection = await server.createDatabase();
  const { host, port, database, user, password } = connection;
  const bare = new pg.Pool({ ...clientConfig(connection), max: 10 });
  const ours = createPool({ env: {}, max: 10, connection: { hosts: [{ host, port }], database, user, password } });
  try {
    const one = await compare(
      () => inSequence((index) => bare.query("select $1::int as x", [index])),
      () => inSequence((index) => ours.query("select $1::int as x", [index])),
    );
    const many = (callers: number) =>
      compare(
        () => concurrency(callers, (index) => bare.query("select $1::int as x", [index])),
        () => concurrency(callers, (index) => ours.query("select $1::int as x", [index])),
      );
    const [ten, hundred] = [await many(10), await many(100)];
    const checked = await compare(
      () => inSequence(async () => (await bare.connect()).release()),
      () => inSequence(async () => (await ours.connect()).release()),
    );
    return [
      ...overhead("pool.query(), one after the other", one),
      throughput("ten callers", ten),
      throughput("a hundred callers, ten clients", hundred),
      leakDetection(checked),
      ...(await commits(ours)),
    ];
  } finally {
    await ours.end();
    await bare.end();
    await server.stop();
  }
}

interface Comparison {
  /** Microseconds for each statement. */
  bare: number;
  ours: number;
  /** Time of pg-pool divided by that of the pool, in one pair. */
  ratio: number;
  /** Processor time of this process that the pool adds to each statement, in µs: another load does not change it. */
  addedCpu: number;
}

async function compare(bare: () => Promise<void>, ours: () => Promise<void>): Promise<Comparison> {
  const times = { bare: [] as number[], ours: [] as number[] };
  const cpu = { bare: [] as number[], ours: [] as number[] };
  const ratios: number[] = [];
  // The engine compiles the pool's code only after many calls; the driver's is shared by both.
  for (let round = 0; round < 30; round += 1) {
    await bare();
    await ours();
  }
  for (let round = 0; round < rounds; round += 1) {
    const pair = { bare: 0, ours: 0 };
    const order = [["bare", bare] as const, ["ours", ours] as const];
    // The second of a pair finds the caches warm.
    for (const [kind, run] of round % 2 === 0 ? order : order.reverse()) {
      const started = performance.now();
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      pair[kind] = ((performance.now() - started) * 1_000) / statements;
      times[kind].push(pair[kind]);
      cpu[kind].push((user + system) / statements);
    }
    ratios.push(pair.bare / pair.ours);
  }
  return {
    bare: median(times.bare),
    ours: median(times.ours),
    ratio: median(ratios),
    addedCpu: median(cpu.ours) - median(cpu.bare),
  };
}

async function inSequence(run: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < statements; index += 1) await run(index);
}

async function concurrency(callers: number, run: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < statements) await run(next++);
  };
  await Promise.all(Array.from({ length: callers }, worker));
}

function overhead(what: string, { bare, ours, ratio, addedCpu }: Comparison): Measurement[] {
  return [
    {
      what: `client: ${what}`,
      here: `${ours.toFixed(1)} µs`,
      against: `${bare.toFixed(1)} µs pg-pool`,
      ratio: 1 / ratio,
      target: "",
      met: true,
    },
    {
      what: `client: ${what}, processor time added`,
      here: `${addedCpu.toFixed(1)} µs`,
      target: "≤ 10 µs",
      met: addedCpu <= 10,
    },
  ];
}

function throughput(what: string, { bare, ours, ratio }: Comparison): Measurement {
  return {
    what: `client: pool.query(), ${what}`,
    here: `${Math.round(1e6 / ours)} a second`,
    against: `${Math.round(1e6 / bare)} pg-pool`,
    ratio,
    target: "≥ 0.97×",
    met: ratio >= 0.97,
  };
}

function leakDetection({ bare, ours }: Comparison): Measurement {
  return {
    what: "client: check-out and return, with leak detection and reset",
    here: `${ours.toFixed(1)} µs`,
    against: `${bare.toFixed(1)} µs pg-pool`,
    target: "",
    met: true,
  };
}

/** Measures what asking for the transaction's id before each COMMIT costs. */
async function commits(pool: Pool): Promise<Measurement[]> {
  await pool.query("create table if not exists bench_commits (x int)");
  const run = () =>
    inSequence((index) => pool.transaction((each) => each.query("insert into bench_commits values ($1)", [index])));
  const withOption = async (resolveCommits: boolean) => {
    pool.settings.resolveCommits = resolveCommits;
    await run();
  };
  const { bare, ours } = await compare(
    () => withOption(false),
    () => withOption(true),
  );
  return [
    {
      what: "client: transaction with resolveCommits",
      here: `${ours.toFixed(0)} µs`,
      against: `${bare.toFixed(0)} µs without`,
      ratio: ours / bare,
      target: "",
      met: true,
    },
  ];
}
