import { beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

/** Returns the error of a second file with this body. The first file stays applied. */
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
  it("fails with a hint on who creates extensions, if it creates the extension itself", async () => {
    const error = await failure("create table second (id int);\ncreate extension pg_stat_statements;");
    expect(error).toMatchObject({ sqlstate: "42501", hint: expect.stringContaining("database.json") as string });
    expect(error.message).toContain(
      '000002-second.sql:5:1: permission denied to create extension "pg_stat_statements"\n',
    );
  });

  it("fails with file, line and the server's hint, if the server does not have it", async () => {
    const error = await failure("create extension no_such_extension;");
    expect(error).toMatchObject({ sqlstate: "0A000", hint: expect.stringContaining("Install it there") as string });
    expect(error.message).toContain('000002-second.sql:4:1: extension "no_such_extension" is not available\n');
    expect(error.message).toContain("Hint: The extension must first be installed");
  });

  it("fails with a hint to database.json and to other causes, if the database does not have it", async () => {
    const error = await failure("create index on first using gin (name gin_trgm_ops);");
    expect(error).toMatchObject({
      sqlstate: "42704",
      hint: "If an extension provides the missing object, name it in database.json. The files before it stay applied. Correct this one (it was never applied) and run again.",
    });
  });
});
