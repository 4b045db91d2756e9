import { join } from "node:path";
import type { Client } from "pg";
import { withClient } from "../../scripts/connection/client.ts";
import { removeNamed } from "../docker/docker-objects.ts";
import { freePort } from "../support/free-port.ts";
import { DevStack } from "./dev-stack.ts";
import { describeTimes, type Measurement, timed } from "./measurement.ts";

const tables = 1_000;
/** Shapes of statements on each table, which pg_stat_statements distinguishes. */
const shapes = [
  "select from %t",
  "select id from %t where id = 1",
  "select id from %t order by id",
  "select max(id) from %t",
  "select distinct id from %t",
];
const scrapes = 40;

/** Measures the response time of the exporter on a server with many tables and statements. */
export async function benchScrape(scratch: string): Promise<Measurement[]> {
  const stack = await DevStack.make(join(scratch, "scrape"));
  try {
    const port = await freePort();
    await stack.configure(
      `  pgroundwork:monitoring: { exporterPort: ${port} }`,
      "  pgroundwork:postgresql: { pg_stat_statements.max: 10000 }",
    );
    await stack.up();
    await withClient(await stack.login("migrator"), fill);
    const times: number[] = [];
    // The first scrape fills the exporter's caches.
    for (let i = 0; i <= scrapes; i += 1) {
      const seconds = await timed(() => scrape(port));
      if (i > 0) times.push(seconds);
    }
    const [p95 = Number.NaN] = times.toSorted((a, b) => a - b).slice(Math.ceil(0.95 * times.length) - 1);
    return [
      {
        what: `scrape, ${tables} tables, ${tables * shapes.length} statements, p95`,
        here: `${p95.toFixed(2)} s, median ${describeTimes(times)}`,
        target: "≤ 0.25 s",
        met: p95 <= 0.25,
      },
    ];
  } finally {
    await removeNamed(stack.prefix);
  }
}

async function fill(client: Client): Promise<void> {
  for (let i = 0; i < tables; i += 1) {
    await client.query(`create table scraped_${i} (id bigint)`);
    for (const shape of shapes) await client.query(shape.replace("%t", `scraped_${i}`));
  }
}

async function scrape(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await answer.text();
  if (!/^pg_up 1$/m.test(text)) throw new Error(`The exporter did not reach the server: ${text.slice(0, 500)}`);
}
