import { randomBytes } from "node:crypto";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely } from "kysely";
import { planMemory } from "../../../../infra/plan/tuning.ts";
import * as businesses from "../../../../migrations/kyb/data/businesses.ts";
import type { DB } from "../../../../migrations/kyb/types.ts";
import { withRequestContext } from "../../../../scripts/client/context.ts";
import { createPool } from "../../../../scripts/client/create-pool.ts";
import { VersionConflictError } from "../../../../scripts/client/domain-errors.ts";
import { kyselyOn } from "../../../../scripts/client/kysely.ts";
import type { Pool } from "../../../../scripts/client/pool.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { Measurement } from "../../../bench/measurement.ts";
import { filledDatabase } from "../../../bench/queries/volume.ts";
import { startBenchServer } from "../../../bench/server.ts";
import { hasPgBouncer, startPooler } from "../../scripts/databases/pooler.ts";

/** Server connections, with and without the pooler. */
const serverConnections = 50;

/** Clients of one pool behind the pooler, as one process of an application has them. */
const clientsPerPool = 50;

const measuredMs = 30_000;

/**
 * Mean time in ms between two requests of a client. 7 s is the think time of a person in TPC-W 1.8 (5.3.1.1): it is
 * distributed exponentially, and at most ten times as long. With 1 s, two processors are busy all the time, with the
 * server, the pooler and the clients; that has no target.
 */
const pauses = { person: 7_000, busy: 1_000 } as const;

/** Target of p99 in ms, for clients with the pauses of a person. */
const targetMs = 500;

/** Rows that the requests are about. */
interface Sample {
  id: string;
  country: string;
  number: string;
  name: string;
  user: string;
}

/**
 * Measures requests of many clients on the database `kyb` at volume: through one pool, and through PgBouncer if it is
 * installed. `PGW_BENCH_ROWS` is the number of businesses (default: 1,000,000), `PGW_BENCH_CLIENTS` that of the clients
 * (default: 1,000).
 */
export async function bench(scratch: string): Promise<Measurement[]> {
  const rows = numberIn("PGW_BENCH_ROWS", 1_000_000);
  const clients = numberIn("PGW_BENCH_CLIENTS", 1_000);
  const server = await startBenchServer(join(scratch, "load"), serverSettings());
  try {
    const connection = await filledDatabase(server, "kyb", rows);
    const samples = await sampled(connection);
    const load = { clients, samples };
    const subject = `${clients} clients on ${rows.toLocaleString("en")} businesses`;
    const direct = `${subject}, one pool of ${serverConnections}`;
    const measurements = [
      await measure(direct, [poolOn(connection)], { ...load, meanPauseMs: pauses.person }),
      await measure(direct, [poolOn(connection)], { ...load, meanPauseMs: pauses.busy }),
    ];
    if (!hasPgBouncer) return measurements;
    const pooler = await startPooler(connection, "transaction", [
      `max_client_conn = ${clients + clientsPerPool}`,
      `default_pool_size = ${serverConnections}`,
    ]);
    try {
      for (const meanPauseMs of [pauses.person, pauses.busy]) {
        const pools = Array.from({ length: Math.ceil(clients / clientsPerPool) }, () =>
          poolOn(pooler.connection, true),
        );
        const what = `${subject}, ${pools.length} pools and PgBouncer`;
        measurements.push(await measure(what, pools, { ...load, meanPauseMs }));
      }
    } finally {
      await pooler.stop();
    }
    return measurements;
  } finally {
    await server.stop();
  }
}

function numberIn(variable: string, usual: number): number {
  const text = process.env[variable];
  const number = Number(text ?? usual);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`${variable} is ${text}: give a whole number of at least 1.`);
}

function serverSettings(): Record<string, string> {
  return planMemory({
    memoryMegabytes: Math.floor(totalmem() / 2 ** 20 / 4),
    cpus: availableParallelism(),
    os: process.platform === "darwin" ? "mac" : "linux",
    hasLz4: false,
    profile: "oltp",
    storage: "ssd",
    maxConnections: serverConnections + 20,
  });
}

function poolOn({ host, port, database, user, password, sslmode }: Connection, pooled = false): Pool {
  const connection = { hosts: [{ host, port }], database, user, password, sslmode };
  return createPool({ env: {}, connection, pooled, max: pooled ? clientsPerPool : serverConnections });
}

async function sampled(connection: Connection): Promise<Sample[]> {
  const { rows } = await withClient(connection, (client) =>
    client.query<Sample>(
      `select id, registration_country as country, registration_number as number, legal_name as name, created_by as user
         from businesses where deleted_at is null order by md5(id::text) limit 2000`,
    ),
  );
  if (rows.length === 0) throw new Error("The volume has no businesses.");
  return rows;
}

interface Load {
  clients: number;
  meanPauseMs: number;
  samples: readonly Sample[];
}

/** Runs all clients for a while and reports how long their requests took. */
async function measure(
  subject: string,
  pools: readonly Pool[],
  { clients, meanPauseMs, samples }: Load,
): Promise<Measurement> {
  const databases = pools.map((pool) => kyselyOn<DB>(pool));
  const times: number[] = [];
  const errors = new Map<string, number>();
  let conflicts = 0;
  const started = performance.now();
  const remaining = () => started + measuredMs - performance.now();
  const rest = () => sleep(Math.max(0, Math.min(pause(meanPauseMs), remaining())));
  const client = async (index: number) => {
    const db = databases[index % databases.length];
    if (db === undefined) throw new Error("there is no pool");
    await rest();
    while (remaining() > 0) {
      const begun = performance.now();
      try {
        await request(db, samples);
      } catch (error) {
        if (error instanceof VersionConflictError) conflicts += 1;
        else errors.set(String(error), (errors.get(String(error)) ?? 0) + 1);
      }
      times.push(performance.now() - begun);
      await rest();
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all(pools.map((pool) => pool.end()));
  for (const [error, count] of errors) process.stderr.write(`${subject}: ${count} × ${error}\n`);
  const failed = [...errors.values()].reduce((sum, count) => sum + count, 0);
  const p99 = quantile(times, 0.99);
  const hasTarget = meanPauseMs === pauses.person;
  return {
    what: `load: ${subject}, pauses of ${meanPauseMs / 1_000} s`,
    here: [
      `p99 ${p99.toFixed(0)} ms, median ${quantile(times, 0.5).toFixed(0)} ms`,
      `${Math.round(times.length / seconds)} requests a second, ${failed} errors, ${conflicts} conflicts`,
    ].join("; "),
    target: hasTarget ? `p99 ≤ ${targetMs} ms, no error` : "",
    met: p99 <= targetMs && failed === 0,
  };
}

/** Returns a random time with this mean: negative exponential, limited to ten times the mean. */
function pause(meanMs: number): number {
  return Math.min(-Math.log(1 - Math.random()), 10) * meanMs;
}

/** One request of an application: mostly reads, some changes. */
async function request(db: Kysely<DB>, samples: readonly Sample[]): Promise<void> {
  const sample = samples[Math.floor(Math.random() * samples.length)];
  if (sample === undefined) return;
  const { id, country, number, name, user } = sample;
  await withRequestContext({ userId: user }, async () => {
    const kind = Math.random();
    if (kind < 0.5) await businesses.readBusiness(db, id);
    else if (kind < 0.7) await businesses.findBusinessByRegistration(db, country, number);
    else if (kind < 0.85) await businesses.listBusinesses(db, {}, { limit: 20 });
    else if (kind < 0.9) await businesses.searchBusinesses(db, name, { limit: 20 });
    else if (kind < 0.98) {
      const { version } = await businesses.readBusiness(db, id);
      await businesses.updateBusiness(db, id, version, { city: `City ${Math.floor(kind * 1e6)}` });
    } else await businesses.createBusiness(db, newBusiness());
  });
}

function newBusiness() {
  return {
    legal_name: "Load Ltd",
    registration_country: "GB",
    registration_number: randomBytes(8).toString("hex").toUpperCase(),
    legal_form: "limited_company" as const,
    country_code: "GB",
  };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN;
}
