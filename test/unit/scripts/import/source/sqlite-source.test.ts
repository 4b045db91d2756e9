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
