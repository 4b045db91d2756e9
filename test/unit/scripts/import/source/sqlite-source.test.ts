import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import Driver from "better-sqlite3";
import { afterEach, expect, it, vi } from "vitest";
import { openSqlite } from "../../../../../scripts/import/source/sqlite/sqlite-source.ts";

afterEach(() => vi.unstubAllGlobals());

it.each([
  ["20.19.5", /^Importing SQLite needs Node 22\.14\.0 or later; this is 20\.19\.5\.$/],
  ["22.13.1", /^Importing SQLite needs Node 22\.14\.0 or later; this is 22\.13\.1\.$/],
  // It is recent enough, so the file is looked for.
  ["22.14.0", /there is no .*missing\.db|does not exist/i],
])("checks Node %s before it loads the driver, which would end an old one without a message", async (node, message) => {
  vi.stubGlobal("process", Object.create(process, { versions: { value: { ...process.versions, node } } }));
  await expect(openSqlite("missing.db")).rejects.toThrow(message);
});

it("gives a long row the fingerprint of its values, as it does a short one", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "pgw-sqlite-"));
  const file = path.join(folder, "items.db");
  const database = new Driver(file);
  database.exec(
    "create table items (id integer primary key, data, name); insert into items values (1, zeroblob(2500000), 'a')",
  );
  database.close();
  const source = await openSqlite(file);
  // The number of the row comes after its columns.
  const text = `${JSON.stringify(["id", "data", "name"])}i1;b${"00".repeat(2_500_000)};t1:ai1;`;
  const entry = { to: "item", from: "items", columns: {} };
  const expected = createHash("sha256").update(text).digest("hex").slice(0, 32);
  const found: string[] = [];
  for await (const fingerprints of source.fingerprints(entry)) found.push(...fingerprints);
  expect(found).toEqual([expected]);
  await source.close();
  await rm(folder, { recursive: true });
});
