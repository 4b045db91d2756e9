import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import { revertMigrations } from "../../../../../scripts/migrate/down.ts";
import {
  findRepairs,
  type RepairOptions,
  repair,
  terminateHolder,
} from "../../../../../scripts/migrate/repair/repair.ts";
import { readStatus } from "../../../../../scripts/migrate/verify.ts";
import type { Draft, TestFolder } from "../../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "../database-per-test.ts";
import { graphileCli } from "../processes.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
let admin: Connection;
let superuser: Connection;
beforeEach(() => {
  connection = test.connection;
  admin = test.server.connection();
  superuser = inDatabase(admin, connection.database);
});

const table: Draft = { name: "t", body: "create table t (x int); insert into t values (1), (2);" };
const indexed = (body = "create index concurrently t_x on t (x);"): Draft => ({
  name: "i",
  body: `--! no-transaction\n${body}`,
});

const options = (folder: string, more: Partial<RepairOptions> = {}): RepairOptions => ({
  connection,
  admin,
  folder,
  ...more,
});
const find = async (folder: string, more: Partial<RepairOptions> = {}) =>
  (await findRepairs(options(folder, more))).map(({ kind, found, action, advice }) => ({
    kind,
    found,
    action,
    advice,
  }));
const mend = async (folder: string, more: Partial<RepairOptions> = {}) =>
  repair(options(folder, more), await findRepairs(options(folder, more)));
/** Adds the record that a run leaves if it is killed outside a transaction. */
const begin = ({ migrations }: TestFolder, index: number, direction = "up") => {
  const { filename, hash, text = "" } = migrations[index] ?? {};
  const sha256 = createHash("sha256").update(text).digest("hex");
  return query(`insert into pgroundwork.migration_ledger (filename, direction, hash, sha256, started_at, host, kit_version, run_id)
    values ('${filename}', '${direction}', '${hash}', '${sha256}', '2026-03-01 10:00Z', 'h', '0', gen_random_uuid())`);
};
const invalidate = (index: string) =>
  query(`update pg_index set indisvalid = false where indexrelid = '${index}'::regclass`, superuser);
const indexes = () =>
  query<{ name: string; valid: boolean }>(
    "select relname as name, indisvalid as valid from pg_index join pg_class on oid = indexrelid where indrelid = 't'::regclass order by 1",
  );
const status = async (folder: string) => {
  const answer = await readStatus(connection, folder);
  if (!answer.known) throw new Error(answer.reason);
  return {
    applied: answer.applied.length,
    pending: answer.pending.map(({ filename, interrupted }) => ({ filename, interrupted })),
    problems: answer.problems.map(({ kind }) => kind),
  };
};
const began = (what: string) =>
  `${what} was started outside a transaction on 2026-03-01T10:00:00.000Z, but its end is not recorded`;

describe("migrate repair", () => {
  it("finds nothing if nothing is wrong, also in an empty database", async () => {
    const { folder } = await folderOf([table, indexed()]);
    expect(await find(folder)).toEqual([]);
    await applyMigrations({ connection, folder });
    expect(await find(folder)).toEqual([]);
  });

  it("drops the invalid index of a killed build and closes its run as failed; the next up builds it", async () => {
    const made = await folderOf([table, indexed()]);
    const { folder } = made;
    await applyMigrations({ connection, folder, to: "1" });
    await begin(made, 1);
    await query("create index t_x on t (x)");
    await invalidate("t_x");
    expect(await find(folder)).toEqual([
      {
        kind: "invalid-index",
        found: "the index public.t_x on t is invalid: writes update it, but no query uses it",
        action: "drop it; the next `migrate up` builds it",
        advice: undefined,
      },
      {
        kind: "open-run",
        found: `${began("000002-i.sql")}; the catalog shows no effect of it`,
        action: "record the run as failed; the file stays pending, and the next `migrate up` runs it",
        advice: undefined,
      },
    ]);
    // Listing the repairs changes nothing.
    expect(await indexes()).toEqual([{ name: "t_x", valid: false }]);
    expect((await mend(folder)).map(({ repaired }) => repaired)).toEqual([true, true]);
    expect(await indexes()).toEqual([]);
    expect(await status(folder)).toEqual({
      applied: 1,
      pending: [{ filename: "000002-i.sql", interrupted: false }],
      problems: [],
    });
    expect(await find(folder)).toEqual([]);
    await applyMigrations({ connection, folder });
    expect(await indexes()).toEqual([{ name: "t_x", valid: true }]);
    expect(await query("select outcome from pgroundwork.migration_ledger order by id")).toEqual([
      { outcome: null },
      { outcome: "failed" },
      { outcome: null },
    ]);
  });

  it("records a failed run that is no problem once graphile-migrate's own command has applied the file", async () => {
    const made = await folderOf([table, indexed()]);
    const { folder } = made;
    await applyMigrations({ connection, folder, to: "1" });
    await begin(made, 1);
    await query("update pgroundwork.migration_ledger set sha256 = 'of the file as it was' where finished_at is null");
    await mend(folder);
    await writeFile(path.join(folder, ".gmrc"), JSON.stringify({ migrationsFolder: "." }));
    expect(await graphileCli(connection, folder, ["migrate"])).toMatchObject({ code: 0 });
    expect(await status(folder)).toEqual({ applied: 2, pending: [], problems: [] });
  });

  it("drops the invalid index of a killed build whose name the server chose", async () => {
    const { folder } = await folderOf([table, indexed("create index concurrently on t (x);")]);
    await applyMigrations({ connection, folder, to: "1" });
    await query("create index on t (x)");
    await invalidate("t_x_idx");
    expect(await find(folder)).toMatchObject([
      { kind: "invalid-index", action: "drop it; the next `migrate up` builds it" },
    ]);
    await mend(folder);
    expect(await indexes()).toEqual([]);
  });

  it("rebuilds an invalid index that no pending file builds, and drops what REINDEX CONCURRENTLY left", async () => {
    const { folder } = await folderOf([table, indexed()]);
    await applyMigrations({ connection, folder });
    await query("create index t_x_ccnew on t (x)");
    await invalidate("t_x");
    await invalidate("t_x_ccnew");
    expect((await find(folder)).map(({ action }) => action)).toEqual([
      "rebuild it (REINDEX INDEX CONCURRENTLY), because no pending file does",
      "drop it: REINDEX CONCURRENTLY left it beside the index itself",
    ]);
    await mend(folder);
    expect(await indexes()).toEqual([{ name: "t_x", valid: true }]);
  });

  it("leaves an invalid index alone while a session works on its table and may be building it", async () => {
    const { folder } = await folderOf([table]);
    await applyMigrations({ connection, folder });
    await query("create index t_x on t (x)");
    await invalidate("t_x");
    await withClient(superuser, async (builder) => {
      await builder.query("begin; lock table t in share update exclusive mode");
      const { rows } = await builder.query<{ pid: number }>("select pg_backend_pid() as pid");
      expect(await find(folder)).toMatchObject([
        {
          kind: "invalid-index",
          action: undefined,
          advice: `Session ${rows[0]?.pid} is using the table and may be building the index. Check again after it has ended.`,
        },
      ]);
    });
  });

  it.each([
    ["create index concurrently t_x on t (x);", "create index t_x on t (x)"],
    ["alter type mood add value 'calm';", "alter type mood add value 'calm'"],
    ["drop index concurrently old_x;", "drop index old_x"],
    ["alter table p detach partition p1 concurrently;", "alter table p detach partition p1"],
  ])("records as applied what the catalog shows to be done: %s", async (statement, byHand) => {
    const setting = `create type mood as enum ('happy'); create index old_x on t (x);
      create table p (x int) partition by list (x); create table p1 partition of p for values in (1);`;
    const made = await folderOf([{ ...table, body: `${table.body} ${setting}` }, indexed(statement)]);
    const { folder } = made;
    await applyMigrations({ connection, folder, to: "1" });
    await begin(made, 1);
    expect(await find(folder)).toMatchObject([
      { found: `${began("000002-i.sql")}; the catalog shows no effect of it` },
    ]);
    await query(byHand);
    expect(await find(folder)).toMatchObject([
      { found: `${began("000002-i.sql")}; the catalog shows that it completed`, action: "record it as applied" },
    ]);
    await mend(folder);
    expect(await status(folder)).toEqual({ applied: 2, pending: [], problems: [] });
  });

  it("says that the next up repeats a statement that can be repeated", async () => {
    const made = await folderOf([table, indexed("vacuum t;")]);
    const { folder } = made;
    await applyMigrations({ connection, folder, to: "1" });
    await begin(made, 1);
    expect(await find(folder)).toMatchObject([{ found: `${began("000002-i.sql")}; it can safely run again` }]);
    await mend(folder);
    expect(await status(folder)).toMatchObject({ pending: [{ interrupted: false }] });
  });

  it("changes nothing if the catalog does not tell, until a person says that it is done", async () => {
    const made = await folderOf([table, indexed("create index concurrently on t (x);")]);
    const { folder } = made;
    await applyMigrations({ connection, folder, to: "1" });
    await begin(made, 1);
    expect(await find(folder)).toEqual([
      {
        kind: "open-run",
        found: `${began("000002-i.sql")}; the catalog does not show whether it completed`,
        action: undefined,
        advice:
          "Check whether its statement completed. If it did: `migrate repair --done 000002-i.sql`. If not: `migrate up`",
      },
    ]);
    expect((await mend(folder)).map(({ repaired }) => repaired)).toEqual([false]);
    expect(await status(folder)).toMatchObject({ applied: 1, pending: [{ interrupted: true }] });
    expect(await find(folder, { done: ["000002-i.sql"] })).toMatchObject([
      { found: `${began("000002-i.sql")}; --done declares that it completed`, action: "record it as applied" },
    ]);
    await mend(folder, { done: ["000002-i.sql"] });
    expect(await status(folder)).toMatchObject({ applied: 2, pending: [] });
    const error = await errorOf(findRepairs(options(folder, { done: ["000002-i.sql"] })));
    expect([error.message, error.exitCode]).toEqual([
      "--done 000002-i.sql: no interrupted run of this file is recorded.",
      exitCode.usage,
    ]);
  });

  it("refuses --done for a run whose file does not exist, and closes the run as failed", async () => {
    const made = await folderOf([table, indexed("create index concurrently on t (x);")]);
    const { folder } = made;
    await applyMigrations({ connection, folder, to: "1" });
    await begin(made, 1);
    await rm(path.join(folder, "committed", "000002-i.sql"));
    expect(await status(folder)).toEqual({ applied: 1, pending: [], problems: ["unfinished"] });
    const error = await errorOf(findRepairs(options(folder, { done: ["000002-i.sql"] })));
    expect([error.message, error.exitCode]).toEqual([
      "--done 000002-i.sql: no committed file has the content that was run.",
      exitCode.usage,
    ]);
    expect(await find(folder)).toEqual([
      {
        kind: "open-run",
        found: `${began("000002-i.sql")}, and no committed file has the content that was run`,
        action: "record the run as failed; what it did stays in the database, so check it and revert it by hand",
        advice: undefined,
      },
    ]);
    await mend(folder);
    expect(await status(folder)).toEqual({ applied: 1, pending: [], problems: [] });
  });

  it("records a killed down migration as reverted if its statement took effect, and otherwise as failed", async () => {
    const made = await folderOf([table, indexed()]);
    const { folder, write } = made;
    await write("000002-i.down.sql", "--! no-transaction\ndrop index concurrently t_x;\n");
    await applyMigrations({ connection, folder });
    await begin(made, 1, "down");
    expect(await status(folder)).toMatchObject({ applied: 2, problems: ["half-reverted"] });
    expect(await find(folder)).toMatchObject([
      {
        action: "record the run as failed; the file stays applied",
        found: expect.stringContaining("the down migration of"),
      },
    ]);
    await mend(folder);
    expect(await status(folder)).toEqual({ applied: 2, pending: [], problems: [] });
    await begin(made, 1, "down");
    await query("drop index t_x");
    await mend(folder);
    expect(await status(folder)).toMatchObject({ applied: 1, pending: [{ interrupted: false }], problems: [] });
    await applyMigrations({ connection, folder });
    await revertMigrations({ connection, folder });
    expect(await indexes()).toEqual([]);
  });

  it("closes the run of a file that graphile-migrate's CLI finished", async () => {
    const made = await folderOf([table]);
    const { folder } = made;
    await applyMigrations({ connection, folder });
    await begin(made, 0);
    expect(await find(folder)).toMatchObject([{ action: "complete the record: it is applied" }]);
    await mend(folder);
    expect(await find(folder)).toEqual([]);
  });

  it("repairs nothing while a session holds the deployment lock, names it, and ends it by process ID", async () => {
    const made = await folderOf([table]);
    const { folder } = made;
    await applyMigrations({ connection, folder });
    await withClient(
      connection,
      async (holder) => {
        await holder.query("select pg_advisory_lock(74768639675)");
        const { rows } = await holder.query<{ pid: number }>("select pg_backend_pid() as pid");
        const pid = rows[0]?.pid ?? 0;
        await begin(made, 0);
        const [first, second] = await findRepairs(options(folder));
        expect(first).toEqual({
          kind: "deployer",
          found: expect.stringMatching(
            new RegExp(
              `^someone \\(pid ${pid}, ${connection.user} from \\S+, connected since \\S+\\) holds the deployment lock: idle since \\S+$`,
            ),
          ),
          advice: `Nothing is repaired in the meantime. Wait for it to end. If it was abandoned: \`migrate repair --terminate ${pid}\``,
        });
        const error = await errorOf(repair(options(folder), second === undefined ? [] : [second]));
        expect([error.message, error.exitCode]).toEqual([
          `Session ${pid} holds the deployment lock. Nothing was repaired.`,
          exitCode.notAllowed,
        ]);
        const other = await errorOf(terminateHolder(connection, 1));
        expect([other.message, other.exitCode]).toEqual([
          `No session with the process id 1 holds the deployment lock (held by ${pid}).`,
          exitCode.usage,
        ]);
        await terminateHolder(connection, pid);
        expect((await mend(folder)).map(({ repaired }) => repaired)).toEqual([true]);
      },
      "someone",
    );
  });

  it("drops scratch databases that are older than an hour, and keeps those that a run may use", async () => {
    const { folder } = await folderOf([table]);
    const now = Math.floor(Date.now() / 1000);
    const [old, young] = [`pgw_scratch_${now - 7200}_0a1b2c3d`, `pgw_scratch_${now}_0a1b2c3d`];
    await query(`create database ${old}`, admin);
    await query(`create database ${young}`, admin);
    await mend(folder);
    expect(await query("select datname from pg_database where datname like 'pgw_scratch%'")).toEqual([
      { datname: young },
    ]);
    await query(`drop database ${young}`, admin);
  });

  it("says that nothing is wrong with files without a ledger record", async () => {
    const { folder } = await folderOf([table]);
    await applyMigrations({ connection, folder });
    await query("drop table pgroundwork.migration_ledger");
    expect(await find(folder)).toEqual([
      {
        kind: "foreign-record",
        found: "1 applied migration is recorded only by graphile-migrate's own command line: this is no problem",
        action: undefined,
        advice: undefined,
      },
    ]);
  });
});
