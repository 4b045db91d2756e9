import { beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
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

const nameOf = (row: object) => (row as { relname: string }).relname;

describe("files that cannot run in a transaction", () => {
  const table: Draft = { name: "t", body: "create table t (x int); insert into t values (1), (1);" };

  it("build an index concurrently, with a ledger row opened before and closed after it", async () => {
    const { folder } = await folderOf([
      table,
      { name: "i", body: "-- Why: queries by x.\n--! no-transaction\ncreate index concurrently t_x on t (x);" },
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

  const unique = "--! no-transaction\ncreate unique index concurrently t_x on t (x);";
  const valid = () =>
    query("select relname, indisvalid from pg_index join pg_class on oid = indexrelid where indrelid = 't'::regclass");

  it("stay pending and interrupted after a failure, and the index of a failed build is dropped", async () => {
    const { folder } = await folderOf([table, { name: "i", body: unique }]);
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message.split("\n")[0]).toBe('000002-i.sql:5:1: could not create unique index "t_x"');
    expect(error.sqlstate).toBe("23505");
    expect(await readStatus(connection, folder)).toMatchObject({
      pending: [{ filename: "000002-i.sql", interrupted: true }],
      problems: [],
    });
    expect(await valid()).toEqual([]);

    await query("delete from t where ctid in (select ctid from t limit 1)");
    await query(
      "update pgroundwork.migration_ledger set started_at = started_at - interval '1 hour' where finished_at is null",
    );
    await applyMigrations({ connection, folder });
    expect(await valid()).toEqual([{ relname: "t_x", indisvalid: true }]);
    // The duration is that of the run that completed the file, not the time since the first attempt.
    expect(
      await query("select duration_ms < 600000 as own from pgroundwork.migration_ledger where filename like '%-i.sql'"),
    ).toEqual([{ own: true }]);
    expect(
      await query("select filename, finished_at is null as open from pgroundwork.migration_ledger order by id"),
    ).toEqual([
      { filename: "000001-t.sql", open: false },
      { filename: "000002-i.sql", open: false },
    ]);
  });

  it.each(["", "if not exists "])(
    "do not count as applied if an invalid index has that name; it is built again (%j)",
    async (clause) => {
      const body = `--! no-transaction\ncreate index concurrently ${clause}"T x" on public.t (x);`;
      const { folder } = await folderOf([table, { name: "i", body }]);
      await applyMigrations({ connection, folder, to: "1" });
      await query('create index "T x" on t (x)');
      await query(
        `update pg_index set indisvalid = false where indexrelid = '"T x"'::regclass`,
        test.server.connection(connection.database),
      );
      await applyMigrations({ connection, folder });
      expect(await valid()).toEqual([{ relname: "T x", indisvalid: true }]);
      expect(await tracked()).toEqual(["000001.sql", "000002.sql"]);
    },
  );

  it.each(["", "if not exists "])(
    "fail if their index is invalid after the build, and leave neither an index nor a record (%j)",
    async (clause) => {
      const body = `--! no-transaction\ncreate index concurrently ${clause}t_x on t (x);`;
      const { folder } = await folderOf([table, { name: "i", body }]);
      await applyMigrations({ connection, folder, to: "1" });
      const superuser = test.server.connection(connection.database);
      // Invalidates the index at the end of its build.
      await query(
        `create function invalidate() returns event_trigger language plpgsql security definer as $$
           begin update pg_index set indisvalid = false where indexrelid = to_regclass('public.t_x'); end $$;
         create event trigger invalidate on ddl_command_end when tag in ('CREATE INDEX') execute function invalidate()`,
        superuser,
      );
      const error = await errorOf(applyMigrations({ connection, folder }));
      await query("drop event trigger invalidate", superuser);
      expect(error.message).toBe('000002-i.sql: the index "t_x" was built, but is invalid.');
      expect(await valid()).toEqual([]);
      expect(await tracked()).toEqual(["000001.sql"]);
    },
  );

  it("are recorded and not built again if they were killed between build and record", async () => {
    const { folder, migrations } = await folderOf([
      table,
      { name: "i", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" },
    ]);
    await applyMigrations({ connection, folder, to: "1" });
    await query("create index t_x on t (x)");
    const [before] = await query<{ oid: string }>("select 't_x'::regclass::oid as oid");
    await query(`insert into pgroundwork.migration_ledger (filename, direction, hash, sha256, started_at, host, kit_version, run_id)
      values ('000002-i.sql', 'up', '${migrations[1]?.hash}', 'x', now(), 'h', '0', gen_random_uuid())`);
    await applyMigrations({ connection, folder });
    expect(await query("select 't_x'::regclass::oid as oid")).toEqual([before]);
    expect(await tracked()).toEqual(["000001.sql", "000002.sql"]);
  });

  const unnamed = "--! no-transaction\ncreate unique index concurrently on t (x) where x > 0;";

  it("drop the invalid index of a failed build whose name the server chose, and build it once it can be", async () => {
    const { folder } = await folderOf([table, { name: "i", body: unnamed }]);
    await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(await valid()).toEqual([]);
    await query("delete from t where ctid in (select ctid from t limit 1)");
    await applyMigrations({ connection, folder });
    expect(await valid()).toEqual([{ relname: "t_x_idx", indisvalid: true }]);
  });

  it("drop what killed builds left of an index whose name the server chose, and only that", async () => {
    const { folder, migrations } = await folderOf([table, { name: "i", body: unnamed }]);
    await applyMigrations({ connection, folder, to: "1" });
    await query("delete from t where ctid in (select ctid from t limit 1)");
    const others = [
      "create index t_x_idx2 on t (x) where x > 0",
      "create unique index t_x_idx3 on t (x)",
      "create unique index t_x_idx4 on t (x, (x + 1)) where x > 0",
      "create unique index t_x_idx5 on t ((x + 1)) where x > 0",
      "create unique index by_hand on t (x) where x > 0",
    ];
    for (const name of ["t_x_idx", "t_x_idx1"]) await query(`create unique index ${name} on t (x) where x > 0`);
    for (const other of others) await query(other);
    await query(
      "update pg_index set indisvalid = false where indrelid = 't'::regclass",
      test.server.connection(connection.database),
    );
    await query(`insert into pgroundwork.migration_ledger (filename, direction, hash, sha256, started_at, host, kit_version, run_id)
      values ('000002-i.sql', 'up', '${migrations[1]?.hash}', 'x', now(), 'h', '0', gen_random_uuid())`);
    const kept = ["by_hand", "t_x_idx2", "t_x_idx3", "t_x_idx4", "t_x_idx5"];
    await applyMigrations({ connection, folder });
    expect((await valid()).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)))).toEqual([
      { relname: "by_hand", indisvalid: false },
      { relname: "t_x_idx", indisvalid: true },
      ...kept.slice(1).map((relname) => ({ relname, indisvalid: false })),
    ]);
  });

  it("do not replace an index of the same name on another table in another schema", async () => {
    const { folder } = await folderOf([
      table,
      { name: "i", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" },
    ]);
    await applyMigrations({ connection, folder, to: "1" });
    await query("create schema other; create table other.t (x int); create index t_x on other.t (x)");
    await applyMigrations({ connection, folder });
    expect(await query("select count(*)::int as indexes from pg_class where relname = 't_x'")).toEqual([
      { indexes: 2 },
    ]);
  });

  it("are refused before any file runs if they have more than one statement", async () => {
    const { folder } = await folderOf([table, { name: "i", body: "--! no-transaction\nvacuum t; vacuum t;" }]);
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toBe(
      "A file that runs outside a transaction must contain exactly one statement:\n- 000002-i.sql has --! no-transaction and 2 statements",
    );
    expect(await query("select to_regclass('t') as t")).toEqual([{ t: null }]);
  });
});
