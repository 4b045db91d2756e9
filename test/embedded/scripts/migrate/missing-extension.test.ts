import { beforeEach, describe, expect, it } from "vitest";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

/** The error of a second file with this body, after a first one that stays applied. */
async function failure(body: string): Promise<SqlFileError> {
  const { folder } = await test.folderOf([
    { name: "first", body: "create table first (name text);" },
    { name: "second", body },
  ]);
  const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
  const tracked = await test.query("select filename from graphile_migrate.migrations");
  expect(tracked).toEqual([{ filename: "000001.sql" }]);
  return error;
}

describe("a migration that needs an extension", () => {
  it("and makes it itself is told who makes extensions", async () => {
    const error = await failure("create table second (id int);\ncreate extension pg_stat_statements;");
    expect(error).toMatchObject({ sqlstate: "42501", remedy: expect.stringContaining("database.json") as string });
    expect(error.message).toContain(
      '000002-second.sql:5:1: permission denied to create extension "pg_stat_statements"\n',
    );
  });

  it("which the server does not have is told so, with file, line and the server's hint", async () => {
    const error = await failure("create extension no_such_extension;");
    expect(error).toMatchObject({ sqlstate: "0A000", remedy: expect.stringContaining("install it there") as string });
    expect(error.message).toContain('000002-second.sql:4:1: extension "no_such_extension" is not available\n');
    expect(error.message).toContain("Hint: The extension must first be installed");
  });

  it("which the database does not have is told where such are named, beside what else it may be", async () => {
    const error = await failure("create index on first using gin (name gin_trgm_ops);");
    expect(error).toMatchObject({
      sqlstate: "42704",
      remedy:
        "If an extension brings what is missing, name it in database.json. The files before it stay applied; correct this one (it was never applied) and run again.",
    });
  });
});
