import { createHash } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Catalog, readCatalog } from "../../../../scripts/catalog/catalog.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import {
  previewRevert,
  type RevertEvent,
  type RevertOptions,
  revertMigrations,
} from "../../../../scripts/migrate/down.ts";
import { readDownLosses } from "../../../../scripts/migrate/down-losses.ts";
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

const drafts: Draft[] = [
  { name: "one", body: "create table one (id int primary key);" },
  { name: "two", body: "create table two (id int references one);" },
  { name: "index", body: "--! no-transaction\ncreate index concurrently two_id on two (id);" },
];
const downFiles: Record<string, string> = {
  "000001-one.down.sql": "drop table one;\n",
  "000002-two.down.sql": "drop table two;\n",
  "000003-index.down.sql": "--! no-transaction\ndrop index concurrently two_id;\n",
};

/** Applies the folder with its down migrations. `changed` replaces files, or leaves them out with null. */
async function applied(changed: Record<string, string | null> = {}) {
  const made = await folderOf(drafts);
  for (const [name, text] of Object.entries({ ...downFiles, ...changed }))
    if (text !== null) await made.write(name, text);
  await applyMigrations({ connection, folder: made.folder });
  return made;
}

const revert = (folder: string, options: Partial<RevertOptions> = {}) =>
  revertMigrations({ connection, folder, ...options });
const catalog = (): Promise<Catalog> => withClient(connection, readCatalog);
const state = async (folder: string) => {
  const status = await readStatus(connection, folder);
  if (!status.known) throw new Error(status.reason);
  return {
    applied: status.applied.map(({ filename }) => Number.parseInt(filename, 10)),
    pending: status.pending.map(({ filename }) => Number.parseInt(filename, 10)),
    problems: status.problems.map(({ kind }) => kind),
  };
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the rows that down migrations remove", () => {
  const removed = async (down: string, setup: string) => {
    const { folder, write } = await folderOf([
      { name: "one", body: "create schema audit; create table one (id int primary key, note text);" },
    ]);
    await write("000001-one.down.sql", down);
    await applyMigrations({ connection, folder });
    await query(setup);
    return readDownLosses(connection, folder, await previewRevert(connection, folder, {}));
  };
  const lost = (object: string, rows: number | null) => ({ filename: "000001-one.sql", object, rows });

  it("are counted by table and column, also in partitions and in a schema that is dropped", async () => {
    const setup = `insert into one values (1, null), (2, 'x');
      create table parted (id int, note text) partition by range (id);
      create table parted_1 partition of parted for values from (0) to (10);
      insert into parted values (1), (2), (3);
      create table audit.log (id int); insert into audit.log values (1);
      create table audit.empty (id int);
      create table kept (id int, note text, doubled int generated always as (id * 2) stored); insert into kept values (1)`;
    const down = `drop table parted; drop schema audit cascade; drop table if exists gone;
      alter table one drop column note; alter table kept drop column note, drop column doubled; drop view if exists v;`;
    expect(await removed(down, setup)).toEqual({
      losses: [lost("table public.parted", 3), lost("table audit.log", 1), lost("column public.one.note", 1)],
      unclear: [],
    });
  });

  it("are none for tables without rows, and not known for statements that do not show them", async () => {
    expect(await removed("drop table one;\ndelete from audit.log;", "select 1")).toEqual({
      losses: [],
      unclear: [{ filename: "000001-one.sql", line: 2, statement: "delete from audit.log" }],
    });
  });

  it("are not counted if another session has the table locked, which is no loss of zero", async () => {
    await withClient(connection, async (other) => {
      const setup = "insert into one values (1)";
      await query("create table busy (id int)");
      await other.query("begin; lock table busy in access exclusive mode");
      expect((await removed("drop table busy;", setup)).losses).toEqual([lost("table public.busy", null)]);
    });
  });
});

describe("migrate down", () => {
  it("drops the invalid index that a killed down migration left, and builds the index", async () => {
    const { folder, write } = await folderOf([
      { name: "one", body: "create table one (id int primary key, note text);" },
      { name: "drop", body: "select 1;" },
    ]);
    await write("000002-drop.down.sql", "--! no-transaction\ncreate index concurrently one_note on one (note);\n");
    await applyMigrations({ connection, folder });
    await query("create index one_note on one (note)");
    await query(
      "update pg_index set indisvalid = false where indexrelid = 'one_note'::regclass",
      test.server.connection(connection.database),
    );
    await revert(folder);
    expect(await query("select indisvalid from pg_index where indexrelid = 'one_note'::regclass")).toEqual([
      { indisvalid: true },
    ]);
  });

  it("reverts only the newest file, removes its record, and writes a ledger row", async () => {
    const { folder, migrations } = await applied();
    expect((await revert(folder)).reverted.map(({ filename }) => filename)).toEqual(["000003-index.sql"]);
    expect(await query("select to_regclass('two_id') as index")).toEqual([{ index: null }]);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
    expect(
      await query(
        `select filename, hash, sha256, down_sha256, finished_at > started_at as finished, duration_ms > 0 as timed, applied_by, outcome
           from pgroundwork.migration_ledger where direction = 'down'`,
      ),
    ).toEqual([
      {
        filename: "000003-index.sql",
        hash: migrations[2]?.hash,
        sha256: sha256(migrations[2]?.text ?? ""),
        down_sha256: sha256(downFiles["000003-index.down.sql"] ?? ""),
        finished: true,
        timed: true,
        applied_by: `${connection.database}_migrator`,
        outcome: null,
      },
    ]);
  });

  it("restores the catalog for any number of steps down and up again", async () => {
    const { folder } = await applied();
    const complete = await catalog();
    for (const steps of [1, 2, 3]) {
      expect((await revert(folder, { steps })).reverted).toHaveLength(steps);
      await applyMigrations({ connection, folder });
      expect(await catalog()).toEqual(complete);
      expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: [] });
    }
    expect(
      await query("select direction, count(*)::int from pgroundwork.migration_ledger group by 1 order by 1"),
    ).toEqual([
      { direction: "down", count: 6 },
      { direction: "up", count: 9 },
    ]);
  });

  it("reverts to the given file, or to an empty database with 0", async () => {
    const { folder } = await applied();
    const to = async (text: string) => (await revert(folder, { to: text })).reverted.map(({ filename }) => filename);
    expect(await to("000002-two.sql")).toEqual(["000003-index.sql"]);
    expect(await to("2")).toEqual([]);
    expect(await to("0")).toEqual(["000002-two.sql", "000001-one.sql"]);
    expect([...(await catalog()).values()].filter(({ kind }) => kind === "table")).toEqual([]);
    expect((await revert(folder)).reverted).toEqual([]);
  });

  it.each([
    [{ steps: 4 }, "--steps is 4, but only 3 are applied."],
    [{ steps: 1, to: "1" }, "--steps and --to exclude each other."],
    [{ to: "7" }, 'The migration "7" does not exist (there are 000001-one.sql to 000003-index.sql).'],
  ])("refuses a selection that does not fit: %j", async (selection, message) => {
    const { folder } = await applied();
    const error = await errorOf(revert(folder, selection));
    expect([error.message, error.exitCode]).toEqual([message, exitCode.usage]);
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("refuses before anything runs if a file is irreversible or has no down migration", async () => {
    const { folder } = await applied({
      "000001-one.down.sql": "--! Irreversible: the old ids are nowhere\n",
      "000002-two.down.sql": null,
    });
    const error = await errorOf(revert(folder, { to: "0" }));
    expect(error.exitCode).toBe(exitCode.notAllowed);
    expect(error.message.split("\n")).toEqual([
      "Some of these migrations cannot be reverted, so nothing was reverted:",
      "- 000002-two.sql has no down migration: committed/000002-two.down.sql is missing or empty",
      "- 000001-one.sql is irreversible: the old ids are nowhere",
    ]);
    expect(error.hint).toContain("`--! Irreversible: reason`");
    expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: [] });
  });

  it("refuses a file that was edited since it was applied, unless it is allowed by name", async () => {
    const { folder, write, migrations } = await applied();
    await write("000003-index.sql", (migrations[2]?.text ?? "").replace("two_id", "two_ids"));
    const error = await errorOf(revert(folder));
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message).toContain("- 000003-index.sql was edited after it was applied: applied sha1:");
    expect((await revert(folder, { allow: ["000003-index.sql"] })).reverted).toHaveLength(1);
  });

  it("refuses a file that has another number since it was applied", async () => {
    const { folder } = await applied();
    const committed = path.join(folder, "committed");
    await rename(path.join(committed, "000003-index.sql"), path.join(committed, "000004-index.sql"));
    const error = await errorOf(revert(folder));
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message).toContain("- 000004-index.sql was applied as 000003.sql, but is now 000004.sql");
    expect(await query("select to_regclass('two_id')::text as index")).toEqual([{ index: "two_id" }]);
  });

  it("reverts a missing file if that is allowed and its down migration exists", async () => {
    const { folder } = await applied();
    await rm(path.join(folder, "committed", "000003-index.sql"));
    expect((await errorOf(revert(folder))).message).toContain("000003-index.sql is applied");
    await revert(folder, { allow: ["000003-index.sql"] });
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [], problems: [] });
  });

  it("reports a down migration that changed since its file was applied, and runs it", async () => {
    const { folder, write } = await applied();
    const changed = async () => (await previewRevert(connection, folder, { to: "0" })).map((each) => each.downChanged);
    expect(await changed()).toEqual([false, false, false]);
    await write("000002-two.down.sql", "-- as it is now\ndrop table two;\n");
    expect(await changed()).toEqual([false, true, false]);
    await revert(folder, { steps: 2 });
    expect(await state(folder)).toMatchObject({ applied: [1] });
  });

  it("keeps a file and its work if its down migration fails, and leaves later files reverted", async () => {
    const { folder } = await applied({
      "000001-one.down.sql": "alter table one add column x int;\ndrop table nought;\n",
    });
    const error = await errorOf<SqlFileError>(revert(folder, { to: "0" }));
    expect(error.message.split("\n")[0]).toBe('000001-one.down.sql:2:1: table "nought" does not exist');
    expect(await state(folder)).toEqual({ applied: [1], pending: [2, 3], problems: [] });
    expect(await query("select column_name from information_schema.columns where table_name = 'one'")).toEqual([
      { column_name: "id" },
    ]);
  });

  it("refuses a non-transactional down migration with several statements, before anything runs", async () => {
    const { folder } = await applied({
      "000002-two.down.sql": "--! no-transaction\nvacuum two; drop table two;\n",
    });
    expect((await errorOf(revert(folder, { to: "1" }))).message).toBe(
      "A file that runs outside a transaction must contain exactly one statement:\n- 000002-two.down.sql has --! no-transaction and 2 statements",
    );
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("refuses a down migration that ends its transaction or has an unknown line, before anything runs", async () => {
    const { folder } = await applied({ "000002-two.down.sql": "--! Message: x\ndrop table two;\nend;\n" });
    const { message } = await errorOf(revert(folder, { to: "1" }));
    expect(message.split("\n").filter((line) => !line.startsWith(" "))).toEqual([
      "These files cannot run as they are:",
      '- 000002-two.down.sql:1:1: the line "--! Message: x" is unknown',
      "- 000002-two.down.sql:3:1: END ends the transaction of the file",
    ]);
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("only records a non-transactional revert that was killed after its statement; up refuses to run", async () => {
    const { folder, migrations } = await applied();
    await query(`insert into pgroundwork.migration_ledger (filename, direction, hash, sha256, started_at, host, kit_version, run_id)
      select filename, 'down', hash, sha256, now(), 'h', '0', gen_random_uuid() from pgroundwork.migration_ledger
       where hash = '${migrations[2]?.hash}'`);
    await query("drop index two_id");
    expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: ["half-reverted"] });
    expect((await errorOf(applyMigrations({ connection, folder }))).message).toContain(
      "- 000003-index.sql is applied, and its down migration was interrupted: finish it with `migrate down`",
    );
    await revert(folder);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
    expect(await query("select from pgroundwork.migration_ledger where finished_at is null")).toEqual([]);
    await applyMigrations({ connection, folder });
    expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: [] });
  });

  it("retries after a lock timeout", async () => {
    const { folder } = await applied();
    await revert(folder);
    await withClient(connection, async (reader) => {
      await reader.query("begin; select from two");
      const events: RevertEvent[] = [];
      const timedOut = Promise.withResolvers<void>();
      const result = revert(folder, {
        timeouts: { lockTimeout: "50ms" },
        onEvent: (event) => {
          events.push(event);
          if (event.kind === "lock-timeout") timedOut.resolve();
        },
      });
      result.catch(timedOut.reject);
      await timedOut.promise;
      await reader.query("commit");
      expect((await result).reverted.map(({ filename }) => filename)).toEqual(["000002-two.sql"]);
      expect(events[0]).toMatchObject({ kind: "lock-timeout", filename: "000002-two.down.sql", attempt: 1 });
    });
  });

  it("reverts nothing if the files differ from those that were confirmed", async () => {
    const { folder } = await applied();
    const [, two] = await previewRevert(connection, folder, { steps: 2 });
    const error = await errorOf(revert(folder, { expected: two === undefined ? [] : [two] }));
    expect(error.exitCode).toBe(exitCode.notAllowed);
    expect(error.message).toBe(
      "Another deployer was faster: this would now revert 000003-index.sql instead of 000002-two.sql. Nothing was reverted.",
    );
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("reverts nothing if a down migration was edited after it was shown", async () => {
    const { folder, write } = await applied();
    const expected = await previewRevert(connection, folder, { steps: 2 });
    const original = expected[1]?.down.text ?? "";
    await write("000002-two.down.sql", `${original}\ndrop table if exists one cascade;\n`);
    const error = await errorOf(revert(folder, { steps: 2, expected }));
    expect(error.exitCode).toBe(exitCode.notAllowed);
    expect(error.message).toBe("000002-two.down.sql changed after this command read it. Nothing was reverted.");
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
    await write("000002-two.down.sql", original);
    await revert(folder, { steps: 2, expected });
    expect(await state(folder)).toMatchObject({ applied: [1] });
  });

  it("reverts a file once if two runs were confirmed for it", async () => {
    const { folder } = await applied();
    const expected = await previewRevert(connection, folder, {});
    const results = await Promise.allSettled([revert(folder, { expected }), revert(folder, { expected })]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
  });

  it("reverts what graphile-migrate's CLI applied, and starts the ledger there", async () => {
    const { folder } = await applied();
    await query("drop table pgroundwork.migration_ledger");
    await revert(folder);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
    expect(await query("select direction from pgroundwork.migration_ledger")).toEqual([{ direction: "down" }]);
  });
});
