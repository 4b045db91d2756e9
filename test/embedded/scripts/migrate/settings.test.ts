import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const one: Draft = { name: "one", body: "create table one (id int primary key);" };

describe("the settings in .gmrc", () => {
  it("replace placeholders and set pgSettings", async () => {
    const { folder } = await folderOf([
      {
        name: "p",
        body: "create table p as select ':DATABASE_NAME' as d, ':DATABASE_OWNER' as o, ':GREETING' as g, current_setting('shop.x') as x;",
      },
    ]);
    const settings = {
      placeholders: { ":GREETING": "hello" },
      databaseOwner: "someone",
      pgSettings: { "shop.x": "y" },
    };
    await writeFile(path.join(folder, ".gmrc"), `// JSON with comments\n${JSON.stringify(settings)}`);
    await applyMigrations({ connection, folder });
    expect(await query("select * from p")).toEqual([{ d: connection.database, o: "someone", g: "hello", x: "y" }]);
  });

  it("are found next to a folder named migrations, the default of the CLI", async () => {
    const { folder } = await folderOf([{ name: "p", body: "create table p as select ':GREETING' as g;" }]);
    const project = await mkdtemp(path.join(tmpdir(), "pgw-project-"));
    try {
      await rename(folder, path.join(project, "migrations"));
      await writeFile(path.join(project, ".gmrc"), JSON.stringify({ placeholders: { ":GREETING": "hello" } }));
      await applyMigrations({ connection, folder: path.join(project, "migrations") });
    } finally {
      await rm(project, { recursive: true });
    }
    expect(await query("select g from p")).toEqual([{ g: "hello" }]);
  });

  it("are refused before anything runs if they are faulty", async () => {
    const { folder } = await folderOf([one]);
    await writeFile(
      path.join(folder, ".gmrc"),
      JSON.stringify({ placeholders: { ":PGW_TEST_UNSET": "!ENV" }, nonsense: 1 }),
    );
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toBe(
      `${folder}/.gmrc: Errors occurred during settings validation:\n` +
        "- Setting 'placeholders': Could not find environmental variable 'PGW_TEST_UNSET'\n" +
        "- The following config settings were not understood: 'nonsense'",
    );
    expect(error.exitCode).toBe(exitCode.usage);
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });
});
