import { beforeEach, describe, expect, it } from "vitest";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const tracked = () =>
  query<{ filename: string }>("select filename from graphile_migrate.migrations order by 1").then((rows) =>
    rows.map((row) => row.filename),
  );

describe("files that cannot run in a transaction", () => {
  const table: Draft = { name: "t", body: "create table t (x int); insert into t values (1), (1);" };

  it("build an index concurrently, with a ledger row that was opened before and closed after", async () => {
    const { folder } = await folderOf([
      table,
      { name: "i", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" },
    ]);
    await applyMigrations({ connection, folder });
    expect(await query("select indisvalid from pg_index where indexrelid = 't_x'::regclass")).toEqual([
      { indisvalid: true },
    ]);
    expect(
      await query(
        "select finished_at > started_at as closed, duration_ms > 0 as timed from pgroundwork.migration_ledger where filename like '%-i.sql'",
      ),
    ).toEqual([{ closed: true, timed: true }]);
    expect(await tracked()).toEqual(["000001.sql", "000002.sql"]);
  });

  it("stay pending and are marked interrupted when they fail", async () => {
    const { folder } = await folderOf([
      table,
      { name: "i", body: "--! no-transaction\ncreate unique index concurrently t_x on t (x);" },
    ]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message.split("\n")[0]).toBe('000002-i.sql:5:1: could not create unique index "t_x"');
    expect(error.remedy).toContain("invalid index");
    expect(await readStatus(connection, folder)).toMatchObject({
      pending: [{ filename: "000002-i.sql", interrupted: true }],
      problems: [],
    });
  });

  it("with more than one statement are refused before any file runs", async () => {
    const { folder } = await folderOf([table, { name: "i", body: "--! no-transaction\nvacuum t; vacuum t;" }]);
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toBe(
      "A file outside a transaction holds exactly one statement:\n- 000002-i.sql has --! no-transaction and 2 statements",
    );
    expect(await query("select to_regclass('t') as t")).toEqual([{ t: null }]);
  });
});
