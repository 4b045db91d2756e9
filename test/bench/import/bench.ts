import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import Driver from "better-sqlite3";
import { withClient } from "../../../scripts/connection/client.ts";
import { type Connection, connectionUrl } from "../../../scripts/connection/connection.ts";
import type { ImportMap } from "../../../scripts/import/map.ts";
import { runImport } from "../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../scripts/import/source/open-source.ts";
import { type Measurement, timed } from "../measurement.ts";
import { startBenchServer } from "../server.ts";

const run = promisify(execFile);

/** Number of rows. `PGW_BENCH_IMPORT_ROWS` sets another one. */
const rows = Number(process.env.PGW_BENCH_IMPORT_ROWS ?? 1_000_000);
const types = "name text, qty integer, price numeric(12,2), at timestamptz, note text, flag boolean";
const columns = { name: "name", qty: "qty", price: "price", at: "at", note: "note", flag: "flag" };

/** Measures imports of a SQLite table of seven columns against psql's \copy and pgloader with the same rows. */
export async function benchImport(scratch: string): Promise<Measurement[]> {
  const server = await startBenchServer(scratch, { shared_buffers: "256MB", max_wal_size: "4GB" });
  try {
    const source = join(scratch, "bench.db");
    fill(source);
    const copied = await copy(await server.createDatabase(), scratch, source);
    const plain = await measure(await server.createDatabase(), source, "bigint", { id: "id", ...columns });
    const keyed = await measure(await server.createDatabase(), source, "uuid", {
      id: { from: "id", key: "item" },
      ...columns,
    });
    const loaded = await pgloader(await server.createDatabase(), source);
    const against = `${copied.toFixed(2)} s \\copy`;
    const part = (what: string, seconds: number, least: number): Measurement => ({
      what,
      here: `${seconds.toFixed(2)} s`,
      against,
      ratio: copied / seconds,
      target: `≥ ${least}×`,
      met: copied / seconds >= least,
    });
    return [
      part(`import: load of ${rows} rows, same keys`, plain.load, 0.8),
      part("import: load with new keys", keyed.load, 0.6),
      whole("import: read, validated, loaded and verified, same keys", plain.whole, loaded),
      whole("import: the same with new keys", keyed.whole, loaded),
    ];
  } finally {
    await server.stop();
  }
}

/** Compares a whole run with pgloader's, which verifies nothing. It is not compared if pgloader is not installed. */
function whole(what: string, seconds: number, loaded: number | undefined): Measurement {
  const here = `${seconds.toFixed(2)} s`;
  if (loaded === undefined) return { what, here, against: "no pgloader here", target: "", met: true };
  const ratio = loaded / seconds;
  return { what, here, against: `${loaded.toFixed(2)} s pgloader`, ratio, target: "> 1×", met: ratio > 1 };
}

function fill(path: string): void {
  const database = new Driver(path);
  database.exec(`create table item (id integer primary key, name text, qty integer, price real, at integer, note text, flag integer);
    with recursive n (value) as (select 1 union all select value + 1 from n where value < ${rows})
    insert into item select value, 'item ' || value, value % 1000, (value % 100000) / 100.0, 1700000000 + value, 'a note of some length ' || value, value % 2 from n`);
  database.close();
}

/** Copies the rows with psql, from a file that is written before. */
async function copy(connection: Connection, scratch: string, source: string): Promise<number> {
  const database = new Driver(source, { readonly: true });
  const lines = [];
  for (const row of database
    .prepare("select id, name, qty, printf('%.2f', price), datetime(at, 'unixepoch'), note, flag from item")
    .raw()
    .iterate())
    lines.push((row as unknown[]).join("\t"));
  database.close();
  const file = join(scratch, "bench.tsv");
  await writeFile(file, `${lines.join("\n")}\n`);
  await withClient(connection, (client) => client.query(`create table item (id bigint primary key, ${types})`));
  const { password = "", ...login } = connection;
  const args = [connectionUrl(login), "-X", "-q", "-c", `\\copy item from '${file}'`];
  return timed(() => run("psql", args, { env: { ...process.env, PGPASSWORD: password } }));
}

/** Loads the file with pgloader, which creates the table itself. Returns undefined if it is not installed. */
async function pgloader(connection: Connection, source: string): Promise<number | undefined> {
  const target = connectionUrl(connection);
  try {
    const seconds = await timed(() => run("pgloader", [`sqlite://${source}`, target]));
    const counted = await withClient(connection, (client) => client.query("select count(*)::int as rows from item"));
    if (counted.rows[0].rows !== rows) throw new Error(`pgloader loaded ${counted.rows[0].rows} of ${rows} rows`);
    return seconds;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function measure(
  connection: Connection,
  path: string,
  key: string,
  mapped: ImportMap["tables"][number]["columns"],
): Promise<{ load: number; whole: number }> {
  await withClient(connection, (client) => client.query(`create table item (id ${key} primary key, ${types})`));
  let load = Number.NaN;
  const whole = await timed(async () => {
    const source = await openSource("sqlite", path);
    try {
      const { report } = await runImport({
        connection,
        database: "bench",
        source,
        map: { tables: [{ to: "item", from: "item", columns: mapped }] },
      });
      if (report.outcome !== "verified") throw new Error(`the import is ${report.outcome}`);
      load = (report.phases.find(({ name }) => name === "load")?.ms ?? Number.NaN) / 1_000;
      process.stderr.write(`${report.phases.map(({ name, ms }) => `${name} ${ms} ms`).join(", ")}\n`);
    } finally {
      await source.close();
    }
  });
  return { load, whole };
}
