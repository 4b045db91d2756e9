import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { databaseFolder, listDatabases } from "../../../../scripts/database/database-file.ts";
import { lintCommitted } from "../../../../scripts/lint/committed.ts";
import { committedFolderOf, type TestFolder } from "../migrate/committed-folder.ts";

const migrations = path.join(import.meta.dirname, "../../../../migrations");
const names = await listDatabases(migrations);

describe("a database's own committed files", () => {
  it.each(names)("%s: hold nothing that a protected stack would refuse", async (name) => {
    const { findings } = await lintCommitted(databaseFolder(migrations, name), undefined);
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a folder's files", () => {
  let folder: TestFolder;
  afterEach(() => folder.remove());

  it("are judged as a new environment runs them, or those behind one as if there were rows before", async () => {
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
