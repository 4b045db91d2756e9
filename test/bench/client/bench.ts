import { join } from "node:path";
import pg from "pg";
import { createPool } from "../../../scripts/client/create-pool.ts";
import type { Pool } from "../../../scripts/client/pool.ts";
import { clientConfig } from "../../../scripts/connection/connection.ts";
import { type Measurement, median } from "../measurement.ts";
import { startBenchServer } from "../server.ts";

/** Statements of one measurement, and measurements of each kind. They alternate, so that both see the same machine. */
const statements = 2_000;
const rounds = 5;

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
    const many = await compare(
      () => concurrency((index) => bare.query("select $1::int as x", [index])),
      () => concurrency((index) => ours.query("select $1::int as x", [index])),
    );
    const checked = await compare(
      () => inSequence(async () => (await bare.connect()).release()),
      () => inSequence(async () => (await ours.connect()).release()),
    );
    return [
      ...overhead("pool.query(), one after the other", one),
      ...throughput(many),
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
  /** Processor time of this process that the pool adds to each statement, in µs: another load does not change it. */
  addedCpu: number;
}

async function compare(bare: () => Promise<void>, ours: () => Promise<void>): Promise<Comparison> {
  const times = { bare: [] as number[], ours: [] as number[] };
  const cpu = { bare: [] as number[], ours: [] as number[] };
  // The engine compiles the pool's code only after many calls; the driver's is shared by both.
  for (let round = 0; round < 4; round += 1) {
    await bare();
    await ours();
  }
  for (let round = 0; round < rounds; round += 1)
    for (const [kind, run] of [
      ["bare", bare],
      ["ours", ours],
    ] as const) {
      const started = performance.now();
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      times[kind].push(((performance.now() - started) * 1_000) / statements);
      cpu[kind].push((user + system) / statements);
    }
  return { bare: median(times.bare), ours: median(times.ours), addedCpu: median(cpu.ours) - median(cpu.bare) };
}

async function inSequence(run: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < statements; index += 1) await run(index);
}

async function concurrency(run: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < statements) await run(next++);
  };
  await Promise.all(Array.from({ length: 10 }, worker));
}

function overhead(what: string, { bare, ours, addedCpu }: Comparison): Measurement[] {
  return [
    {
      what: `client: ${what}`,
      here: `${ours.toFixed(1)} µs`,
      against: `${bare.toFixed(1)} µs pg-pool`,
      ratio: ours / bare,
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

function throughput({ bare, ours }: Comparison): Measurement[] {
  return [
    {
      what: "client: pool.query(), ten at a time",
      here: `${Math.round(1e6 / ours)} a second`,
      against: `${Math.round(1e6 / bare)} pg-pool`,
      ratio: bare / ours,
      target: "≥ 0.97×",
      met: bare / ours >= 0.97,
    },
  ];
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
