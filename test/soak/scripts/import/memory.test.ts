import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImportCases, startImportCases } from "../../../embedded/scripts/import/import-cases.ts";

/** Sizes of the sources in MB. `PGW_SOAK_IMPORT_MB=64,4096` sets others. */
const sizes = (process.env.PGW_SOAK_IMPORT_MB ?? "64,256").split(",").map(Number);
const rowsPerMegabyte = 1_024;
const mebibyte = 1_048_576;

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

/** Imports a SQLite file of this size in a process of its own and returns the most memory that it used, in bytes. */
async function importOf(megabytes: number): Promise<number> {
  const { sqlite, connection } = await cases.begin(
    "create table item (id bigint primary key, name text, at timestamptz)",
  );
  const count = megabytes * rowsPerMegabyte;
  const file = sqlite(
    `create table item (id integer primary key, name text, at integer);
     with recursive n (value) as (select 1 union all select value + 1 from n where value < ${count})
     insert into item select value, hex(randomblob(490)), 1700000000 + value from n`,
  );
  expect(statSync(file).size).toBeGreaterThan(megabytes * mebibyte * 0.9);
  const map = { tables: [{ to: "item", from: "item", columns: { id: "id", name: "name", at: "at" } }] };
  const options = { kind: "sqlite", path: file, connection, database: connection.database, map };
  const program = path.join(import.meta.dirname, "../../../embedded/scripts/import/importing-process.ts");
  const child = spawn(process.execPath, [program, JSON.stringify(options), "memory"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (data) => {
    printed += data;
  });
  await once(child, "close");
  const [outcome, kilobytes] = printed.split(" ");
  expect(outcome).toBe("verified");
  return Number(kilobytes) * 1_024;
}

describe("an import", () => {
  it("does not keep the rows of a source in memory", async () => {
    const used: number[] = [];
    for (const size of sizes) used.push(await importOf(size));
    process.stderr.write(
      `most memory of imports of ${sizes.join(" and ")} MB: ${used.map((bytes) => Math.round(bytes / mebibyte)).join(" and ")} MB\n`,
    );
    // Node's own heap grows with its load up to about 150 MB. Rows that were kept would add the size of the source.
    expect(Math.max(...used)).toBeLessThan(300 * mebibyte);
    expect(Math.max(...used) - Math.min(...used)).toBeLessThan(120 * mebibyte);
  });
});
