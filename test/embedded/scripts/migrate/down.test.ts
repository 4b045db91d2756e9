import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Catalog, readCatalog } from "../../../../scripts/catalog/catalog.ts";
import { exitCode } from "../../../../scripts/errors/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { previewUndo, type UndoEvent, type UndoOptions, undoMigrations } from "../../../../scripts/migrate/down.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
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
const ways: Record<string, string> = {
  "000001-one.down.sql": "drop table one;\n",
  "000002-two.down.sql": "drop table two;\n",
  "000003-index.down.sql": "--! no-transaction\ndrop index concurrently two_id;\n",
};

/** The folder with its ways back, applied; `changed` replaces or, with null, leaves out. */
async function applied(changed: Record<string, string | null> = {}) {
  const made = await folderOf(drafts);
  for (const [name, text] of Object.entries({ ...ways, ...changed })) if (text !== null) await made.write(name, text);
  await applyMigrations({ connection, folder: made.folder });
  return made;
}

const undo = (folder: string, options: Partial<UndoOptions> = {}) => undoMigrations({ connection, folder, ...options });
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

describe("migrate down", () => {
  it("undoes the newest file alone, its record with it, and writes the ledger's row", async () => {
    const { folder, migrations } = await applied();
    expect((await undo(folder)).undone.map(({ filename }) => filename)).toEqual(["000003-index.sql"]);
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
        down_sha256: sha256(ways["000003-index.down.sql"] ?? ""),
        finished: true,
        timed: true,
        applied_by: `${connection.database}_migrator`,
        outcome: null,
      },
    ]);
  });

  it("of any number of steps and up again leaves the catalog as it was", async () => {
    const { folder } = await applied();
    const complete = await catalog();
    for (const steps of [1, 2, 3]) {
      expect((await undo(folder, { steps })).undone).toHaveLength(steps);
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

  it("goes back to the file named, and with 0 to an empty database", async () => {
    const { folder } = await applied();
    const to = async (text: string) => (await undo(folder, { to: text })).undone.map(({ filename }) => filename);
    expect(await to("000002-two.sql")).toEqual(["000003-index.sql"]);
    expect(await to("2")).toEqual([]);
    expect(await to("0")).toEqual(["000002-two.sql", "000001-one.sql"]);
    expect([...(await catalog()).values()].filter(({ kind }) => kind === "table")).toEqual([]);
    expect((await undo(folder)).undone).toEqual([]);
  });

  it.each([
    [{ steps: 4 }, "4 were to be undone, and 3 are applied."],
    [{ steps: 1, to: "1" }, "--steps and --to exclude each other."],
    [{ to: "7" }, 'There is no migration "7" (there are 000001-one.sql to 000003-index.sql).'],
  ])("refuses a selection that does not fit: %j", async (selection, message) => {
    const { folder } = await applied();
    const error = await errorOf(undo(folder, selection));
    expect([error.message, error.exitCode]).toEqual([message, exitCode.usage]);
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("refuses before anything runs where one of the files is irreversible or has no way back", async () => {
    const { folder } = await applied({
      "000001-one.down.sql": "--! Irreversible: the old ids are nowhere\n",
      "000002-two.down.sql": null,
    });
    const error = await errorOf(undo(folder, { to: "0" }));
    expect(error.exitCode).toBe(exitCode.notAllowed);
    expect(error.message.split("\n")).toEqual([
      "Not everything can be undone, so nothing was:",
      "- 000002-two.sql has no way back: committed/000002-two.down.sql is not there, or empty",
      "- 000001-one.sql is irreversible: the old ids are nowhere",
    ]);
    expect(error.remedy).toContain("`--! Irreversible: reason` as its first line");
    expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: [] });
  });

  it("refuses a file that was edited since it was applied, unless it is allowed by name", async () => {
    const { folder, write, migrations } = await applied();
    await write("000003-index.sql", (migrations[2]?.text ?? "").replace("two_id", "two_ids"));
    const error = await errorOf(undo(folder));
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message).toContain("- 000003-index.sql was edited after it was applied: applied sha1:");
    expect((await undo(folder, { allow: ["000003-index.sql"] })).undone).toHaveLength(1);
  });

  it("undoes a file whose own is gone, where that is allowed and its way back is there", async () => {
    const { folder } = await applied();
    await rm(path.join(folder, "committed", "000003-index.sql"));
    expect((await errorOf(undo(folder))).message).toContain("000003-index.sql is applied");
    await undo(folder, { allow: ["000003-index.sql"] });
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [], problems: [] });
  });

  it("tells of a way back that changed since its migration was applied, and runs it", async () => {
    const { folder, write } = await applied();
    const changed = async () => (await previewUndo(connection, folder, { to: "0" })).map((each) => each.downChanged);
    expect(await changed()).toEqual([false, false, false]);
    await write("000002-two.down.sql", "-- as it is now\ndrop table two;\n");
    expect(await changed()).toEqual([false, true, false]);
    await undo(folder, { steps: 2 });
    expect(await state(folder)).toMatchObject({ applied: [1] });
  });

  it("that fails leaves its file applied with all of its work, and those after it undone", async () => {
    const { folder } = await applied({
      "000001-one.down.sql": "alter table one add column x int;\ndrop table nought;\n",
    });
    const error = await errorOf<SqlFileError>(undo(folder, { to: "0" }));
    expect(error.message.split("\n")[0]).toBe('000001-one.down.sql:2:1: table "nought" does not exist');
    expect(await state(folder)).toEqual({ applied: [1], pending: [2, 3], problems: [] });
    expect(await query("select column_name from information_schema.columns where table_name = 'one'")).toEqual([
      { column_name: "id" },
    ]);
  });

  it("refuses a way back outside a transaction with more than one statement, before anything runs", async () => {
    const { folder } = await applied({
      "000002-two.down.sql": "--! no-transaction\nvacuum two; drop table two;\n",
    });
    expect((await errorOf(undo(folder, { to: "1" }))).message).toBe(
      "A file outside a transaction holds exactly one statement:\n- 000002-two.down.sql has --! no-transaction and 2 statements",
    );
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("outside a transaction that was killed after its statement is only recorded; up refuses to call that done", async () => {
    const { folder, migrations } = await applied();
    await query(`insert into pgroundwork.migration_ledger (filename, direction, hash, sha256, started_at, host, kit_version, run_id)
      select filename, 'down', hash, sha256, now(), 'h', '0', gen_random_uuid() from pgroundwork.migration_ledger
       where hash = '${migrations[2]?.hash}'`);
    await query("drop index two_id");
    expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: ["half-undone"] });
    expect((await errorOf(applyMigrations({ connection, folder }))).message).toContain(
      "- 000003-index.sql is applied, its way back was begun and its end is not known: finish it with `migrate down`",
    );
    await undo(folder);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
    expect(await query("select from pgroundwork.migration_ledger where finished_at is null")).toEqual([]);
    await applyMigrations({ connection, folder });
    expect(await state(folder)).toEqual({ applied: [1, 2, 3], pending: [], problems: [] });
  });

  it("gives way to whoever holds a lock, and is tried again", async () => {
    const { folder } = await applied();
    await undo(folder);
    await withClient(connection, async (reader) => {
      await reader.query("begin; select from two");
      const events: UndoEvent[] = [];
      const gaveWay = Promise.withResolvers<void>();
      const result = undo(folder, {
        timeouts: { lockTimeout: "50ms" },
        onEvent: (event) => {
          events.push(event);
          if (event.kind === "gave-way") gaveWay.resolve();
        },
      });
      result.catch(gaveWay.reject);
      await gaveWay.promise;
      await reader.query("commit");
      expect((await result).undone.map(({ filename }) => filename)).toEqual(["000002-two.sql"]);
      expect(events[0]).toMatchObject({ kind: "gave-way", filename: "000002-two.down.sql", attempt: 1 });
    });
  });

  it("undoes nothing where something else would go by now than was confirmed", async () => {
    const { folder } = await applied();
    const error = await errorOf(undo(folder, { expected: ["000002-two.sql"] }));
    expect(error.exitCode).toBe(exitCode.notAllowed);
    expect(error.message).toBe(
      "Another deployer was faster: 000003-index.sql would be undone now, and it was to be 000002-two.sql. Nothing was.",
    );
    expect(await state(folder)).toMatchObject({ applied: [1, 2, 3] });
  });

  it("of two at once that were confirmed for the same file undoes it once", async () => {
    const { folder } = await applied();
    const expected = ["000003-index.sql"];
    const results = await Promise.allSettled([undo(folder, { expected }), undo(folder, { expected })]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
  });

  it("works on what graphile-migrate's own command line applied, and begins the ledger there", async () => {
    const { folder } = await applied();
    await query("drop table pgroundwork.migration_ledger");
    await undo(folder);
    expect(await state(folder)).toEqual({ applied: [1, 2], pending: [3], problems: [] });
    expect(await query("select direction from pgroundwork.migration_ledger")).toEqual([{ direction: "down" }]);
  });
});
