import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
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

/** Imports a source of this size in a process of its own and returns the most memory that it used, in bytes. */
async function importOf(kind: "sqlite" | "json", megabytes: number): Promise<number> {
  const target = await cases.begin("create table item (id bigint primary key, name text, at timestamptz)");
  const count = megabytes * rowsPerMegabyte;
  const file =
    kind === "json"
      ? writeJson(path.join(target.folder, "item.json"), count)
      : target.sqlite(
          `create table item (id integer primary key, name text, at integer);
     with recursive n (value) as (select 1 union all select value + 1 from n where value < ${count})
     insert into item select value, hex(randomblob(490)), 1700000000 + value from n`,
        );
  expect(statSync(file).size).toBeGreaterThan(megabytes * mebibyte * 0.9);
  const map = { tables: [{ to: "item", from: "item", columns: { id: "id", name: "name", at: "at" } }] };
  const { connection } = target;
  const options = { kind, path: file, connection, database: connection.database, map };
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

/** Writes an array of documents of about a kilobyte. */
function writeJson(file: string, count: number): string {
  const output = openSync(file, "w");
  try {
    for (let from = 1; from <= count; from += rowsPerMegabyte) {
      const documents = Array.from({ length: Math.min(rowsPerMegabyte, count + 1 - from) }, (_, index) =>
        JSON.stringify({ id: from + index, name: randomBytes(490).toString("hex"), at: 1_700_000_000 + from + index }),
      );
      writeSync(output, `${from === 1 ? "[" : ","}\n${documents.join(",\n")}`);
    }
    writeSync(output, "\n]\n");
  } finally {
    closeSync(output);
  }
  return file;
}

describe.each(["sqlite", "json"] as const)("an import from %s", (kind) => {
  it("does not keep the rows of a source in memory", async () => {
    const used: number[] = [];
    for (const size of sizes) used.push(await importOf(kind, size));
    process.stderr.write(
      `most memory of imports of ${sizes.join(" and ")} MB of ${kind}: ${used.map((bytes) => Math.round(bytes / mebibyte)).join(" and ")} MB\n`,
    );
    // Rows that were kept would add the size of the source.
    expect(Math.max(...used)).toBeLessThan(200 * mebibyte);
    expect(Math.max(...used) - Math.min(...used)).toBeLessThan(20 * mebibyte);
  });
});
