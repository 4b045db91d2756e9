import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { databaseFolder, listDatabases } from "../../../../../scripts/databases/database-file.ts";
import { lintCommitted } from "../../../../../scripts/migrate/lint/committed.ts";
import { committedFolderOf, type TestFolder } from "../committed-folder.ts";

const migrations = path.join(import.meta.dirname, "../../../../../migrations");
const names = await listDatabases(migrations);

describe("the committed files of a database", () => {
  it.each(names)("of %s have no errors that a protected stack refuses", async (name) => {
    const { findings } = await lintCommitted(databaseFolder(migrations, name), undefined);
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("the linted files of a folder", () => {
  let folder: TestFolder;
  afterEach(() => folder.remove());

  it("are judged as in a new environment, or from a given file on as if tables had rows", async () => {
    folder = await committedFolderOf([
      { name: "one", body: "create table one (a text);" },
      { name: "two", body: "create index on one (a);" },
    ]);
    expect(await lintCommitted(folder.folder, undefined)).toEqual({ files: 2, findings: [], exceptions: [] });
    const { files, findings } = await lintCommitted(folder.folder, "1");
    expect([files, findings.map(({ file, rule }) => `${file} ${rule}`)]).toEqual([
      1,
      ["000002-two.sql require-concurrent-index-creation"],
    ]);
  });
});
