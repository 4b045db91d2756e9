import { availableParallelism, totalmem } from "node:os";
import type { Client } from "pg";
import { planMemory } from "../../../infra/plan/tuning.ts";
import { withClient } from "../../../scripts/connection/client.ts";
import { type GroupedQuery, indexesDue } from "../../embedded/migrations/named-queries.ts";
import { explain, type PreparedQuery, planFaults, prepare } from "../../embedded/migrations/query-plan.ts";
import { describeMilliseconds, type Measurement, median, timed } from "../measurement.ts";
import { startBenchServer } from "../server.ts";
import { type AskedDatabase, askedDatabases } from "./databases.ts";
import { filledDatabase } from "./volume.ts";

/** Default number of rows in each database's main table. `PGW_BENCH_ROWS=1000000` sets a million. */
const defaultRows = 200_000;
const runs = 5;

/**
 * Measures the named queries of every database at volume, as the application's role sends them: the time until the
 * result arrives, and if the plan uses the required indexes. `PGW_BENCH_DATABASES=kyb,pend` selects databases.
 */
export async function benchQueries(scratch: string): Promise<Measurement[]> {
  const rows = rowsAsked(process.env.PGW_BENCH_ROWS);
  const some = process.env.PGW_BENCH_DATABASES?.split(",");
  const databases = (await askedDatabases()).filter(({ name }) => some === undefined || some.includes(name));
  const server = await startBenchServer(scratch, defaultSettings());
  try {
    const measurements: Measurement[] = [];
    for (const database of databases) {
      const begun = performance.now();
      const application = await filledDatabase(server, database.name, rows);
      const seconds = Math.round((performance.now() - begun) / 1000);
      process.stderr.write(`${database.name}: ${rows.toLocaleString("en")} rows in ${seconds} s\n`);
      measurements.push(...(await withClient(application, (client) => measureAll(client, database, rows))));
    }
    return measurements;
  } finally {
    await server.stop();
  }
}

function rowsAsked(text: string | undefined): number {
  const rows = Number(text ?? defaultRows);
  if (Number.isInteger(rows) && rows >= 1000) return rows;
  throw new Error(`PGW_BENCH_ROWS is ${text}: give a whole number of at least 1000.`);
}

/** Returns the server settings of a stack without settings. */
function defaultSettings(): Record<string, string> {
  return planMemory({
    memoryMegabytes: Math.floor(totalmem() / 2 ** 20),
    cpus: availableParallelism(),
    os: process.platform === "darwin" ? "mac" : "linux",
    hasLz4: false,
    profile: "desktop",
    storage: "ssd",
  });
}

async function measureAll(client: Client, { name, queries }: AskedDatabase, rows: number): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const query of queries) measurements.push({ ...(await measure(client, query, rows)), what: title(name, query) });
  return measurements;
}

const title = (database: string, { group, name }: GroupedQuery) => `${database}, ${group}: ${name}`;

async function measure(client: Client, query: GroupedQuery, rows: number): Promise<Omit<Measurement, "what">> {
  const prepared = await prepare(client, query);
  // The first run fills the caches.
  const plan = await explain(client, prepared);
  const seconds = await timesOf(client, prepared);
  const { withinMs } = query;
  const due = indexesDue(query, rows);
  const faults = planFaults(plan, query, rows);
  const well = due.length === 0 ? [] : [`by ${due.length > 2 ? `${due.length} indexes` : due.join(" and ")}`];
  const limits = [...(withinMs === undefined ? [] : [`≤ ${withinMs} ms`]), ...(due.length === 0 ? [] : ["by index"])];
  return {
    here: [describeMilliseconds(seconds), ...(faults.length > 0 ? faults : well)].join(", "),
    target: limits.join(", "),
    met: faults.length === 0 && (withinMs === undefined || 1000 * median(seconds) <= withinMs),
  };
}

async function timesOf(client: Client, { sql, values }: PreparedQuery): Promise<number[]> {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run += 1) seconds.push(await timed(() => client.query(sql, values)));
  return seconds;
}
