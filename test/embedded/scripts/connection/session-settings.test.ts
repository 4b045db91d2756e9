import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { ensurePartitions } from "../../../../scripts/databases/partitions.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { commitMigration } from "../../../../scripts/migrate/authoring/commit.ts";
import { newMigration } from "../../../../scripts/migrate/authoring/new.ts";
import { baseline } from "../../../../scripts/migrate/baseline.ts";
import { revertMigrations } from "../../../../scripts/migrate/down.ts";
import { planMigrations } from "../../../../scripts/migrate/plan/plan.ts";
import { findRepairs, repair } from "../../../../scripts/migrate/repair/repair.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
import { readKnownStatus } from "../../../../scripts/migrate/verify.ts";
import { applySeeds } from "../../../../scripts/seed/apply.ts";
import { clearSeeds } from "../../../../scripts/seed/clear.ts";
import { readSeedInfo } from "../../../../scripts/seed/info.ts";
import { readSeededRows } from "../../../../scripts/seed/seeded-rows.ts";
import { hostileSettings } from "../../../hostile-settings.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest } from "../migrate/database-per-test.ts";

// Shorter than in the container tests: no statement of these tests is slow.
const test = databasePerTest({
  ...hostileSettings,
  statement_timeout: "150ms",
  idle_session_timeout: "150ms",
  idle_in_transaction_session_timeout: "150ms",
  transaction_timeout: "200ms",
});
const { folderOf, query } = test;
let connection: Connection;
let admin: Connection;
beforeEach(() => {
  connection = test.connection;
  admin = test.server.connection();
});

const slow = "select pg_sleep(0.4);";
const drafts: Draft[] = [
  {
    name: "one",
    body: `create table one (id int primary key, at timestamptz not null default '2026-01-02 03:04:05+00'); ${slow}`,
  },
  { name: "index", body: "--! no-transaction\ncreate index concurrently one_at on one (at);" },
  { name: "wait", body: `--! no-transaction\n${slow}` },
];

async function seeds(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(path.join(folder, "seeds", "dev"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, "seeds", "dev", name), text);
}

describe("the kit on a server that soon ends sessions, transactions and statements", () => {
  it("runs migrations up, with their hooks, and down", async () => {
    const { folder, write } = await folderOf(drafts);
    const hooks = {
      beforeAllMigrations: ["slow.sql", { _: "command", command: "sleep 0.4" }],
      afterAllMigrations: "slow.sql",
    };
    await writeFile(path.join(folder, ".gmrc"), JSON.stringify(hooks));
    await writeFile(path.join(folder, "slow.sql"), slow);
    await write("000001-one.down.sql", `drop table one; ${slow}`);
    await write("000002-index.down.sql", "--! no-transaction\ndrop index concurrently one_at;");
    await write("000003-wait.down.sql", `--! no-transaction\n${slow}`);
    const begun = new Date();
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(3);
    const { applied } = await readKnownStatus(connection, folder);
    expect(applied.map(({ filename }) => filename)).toHaveLength(3);
    for (const { appliedAt } of applied as { appliedAt?: Date }[])
      if (appliedAt !== undefined) expect(Math.abs(appliedAt.getTime() - begun.getTime())).toBeLessThan(60_000);
    expect((await revertMigrations({ connection, folder, steps: 3 })).reverted).toHaveLength(3);
  });

  it("lets a file wait for its locks, and a second deployer for the first, as long as the kit says", async () => {
    const { folder } = await folderOf([
      { name: "one", body: `create table one (x int);` },
      { name: "two", body: `alter table one add y int; ${slow}` },
    ]);
    await applyMigrations({ connection, folder, to: "1" });
    const events: string[] = [];
    await withClient(connection, async (blocker) => {
      await blocker.query("begin; lock table one");
      const onEvent = ({ kind }: { kind: string }) => void events.push(kind);
      const both = [applyMigrations({ connection, folder, onEvent }), applyMigrations({ connection, folder, onEvent })];
      await expect.poll(() => events, { timeout: 20_000 }).toContain("waiting");
      await new Promise((resolve) => setTimeout(resolve, 700));
      await blocker.query("commit");
      expect((await Promise.all(both)).map(({ applied }) => applied.length).sort()).toEqual([0, 1]);
    });
    expect(events).not.toContain("lock-timeout");
    expect(events).toContain("waiting");
  });

  it("commits, plans, compares and baselines migrations in scratch databases", async () => {
    const { folder } = await folderOf(drafts);
    const plan = await planMigrations({ connection, admin, folder });
    expect([plan.failure, plan.problems]).toEqual([null, []]);
    await applyMigrations({ connection, folder });
    await newMigration(folder, "Two");
    await writeFile(path.join(folder, "current.sql"), `create table two (x int); ${slow}`);
    await writeFile(path.join(folder, "current.down.sql"), `drop table two; ${slow}`);
    expect((await commitMigration({ connection, admin, folder })).applied).toHaveLength(1);
    expect((await readSchemaDrift({ connection, admin, folder })).differences).toEqual([]);
    await query("drop schema pgroundwork cascade; drop schema graphile_migrate cascade");
    expect(await baseline({ connection, admin, folder })).toMatchObject({ recorded: true, differences: [] });
  });

  it("runs seeds, recognizes their rows, and clears them", async () => {
    const { folder } = await folderOf([]);
    await query(
      "create table price (id int primary key, at timestamptz, cost float8, raw bytea, every interval, note text[])",
    );
    const insert = `insert into price values (1, now(), 0.1 + 0.2, '\\x00ff', '1 day 2 hours', '{a,null}') on conflict (id) do update set at = excluded.at;`;
    await seeds(folder, {
      // The second file updates the rows of the first. Both leave changed settings in their session.
      "01-a.sql": `${insert} ${slow} set timezone = 'Asia/Tokyo'; set extra_float_digits = -5; set datestyle = german;`,
      "02-b.sql": `${insert} insert into price values (2); ${slow} set role none;`,
    });
    expect((await applySeeds({ connection, folder, sets: ["dev"] })).applied).toHaveLength(2);
    const info = await readSeedInfo(connection, folder, ["dev"]);
    expect(info).toMatchObject({ known: true, files: [{ state: "current" }, { state: "current" }] });
    expect(await readSeededRows(connection, ["dev"])).toMatchObject([
      { filename: "01-a.sql", changed: 0, gone: 0 },
      { filename: "02-b.sql", recorded: 1, changed: 0, gone: 0 },
    ]);
    expect((await clearSeeds({ connection, sets: ["dev"] })).deleted).toEqual([{ table: "public.price", rows: 2 }]);
  });

  it("finds and repairs what a killed run left, with its start time", async () => {
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection, folder });
    await query(
      "update pgroundwork.migration_ledger set finished_at = null, started_at = '2026-02-03 04:05:06+00' where filename like '%wait%'",
    );
    await query("delete from graphile_migrate.migrations where filename = '000003.sql'");
    const options = { connection, admin, folder, done: ["000003-wait.sql"] };
    const findings = await findRepairs(options);
    expect(findings.map(({ found }) => found).join()).toContain("2026-02-03T04:05:06.000Z");
    expect(await repair(options, findings)).toContainEqual(expect.objectContaining({ repaired: true }));
    expect((await readKnownStatus(connection, folder)).pending).toEqual([]);
  });

  it("makes partitions by months in the database's own time zone", async () => {
    await query(`create table made (zone text, style text);
      create function make(months_ahead int, dry_run boolean) returns setof text language plpgsql as $$
      begin
        perform pg_sleep(0.4);
        insert into public.made values (current_setting('timezone'), current_setting('datestyle'));
        return next 'p';
      end $$`);
    const spec = { function: "public.make", monthsAhead: 1 };
    expect(await withClient(connection, (client) => ensurePartitions(client, spec))).toEqual(["p"]);
    expect(await query("select * from made")).toEqual([{ zone: "Asia/Kolkata", style: "SQL, DMY" }]);
  });
});

it("a session works even if the server ends statements, transactions and idle sessions at once", async () => {
  const superuser = test.server.connection(connection.database);
  for (const name of ["statement_timeout", "transaction_timeout", "idle_session_timeout"])
    await query(`alter role ${connection.user} set ${name} = '2ms'`, superuser);
  const { folder } = await folderOf(drafts.slice(0, 1));
  expect((await applyMigrations({ connection, folder })).applied).toHaveLength(1);
});

describe("a migration file", () => {
  it("has the settings of server, database and role, except the limits that would end it", async () => {
    const superuser = test.server.connection(connection.database);
    const { database, user } = connection;
    await query(`create schema app authorization ${database}_owner`, superuser);
    await query(`alter database ${database} set search_path = app, public`, superuser);
    await query(`alter database ${database} set standard_conforming_strings = off`, superuser);
    await query(`alter database ${database} set statement_timeout = '1s'`, superuser);
    await query(`alter role ${user} in database ${database} set work_mem = '7MB'`, superuser);
    await query(`alter role ${user} set idle_session_timeout = '50ms'`, superuser);
    const names = [
      "search_path",
      "datestyle",
      "timezone",
      "work_mem",
      "transaction_isolation",
      "array_nulls",
      "statement_timeout",
      "transaction_timeout",
    ];
    const see = names.map((name) => `'${name}', current_setting('${name}')`).join(", ");
    const { folder } = await folderOf([
      { name: "see", body: `create table seen as select jsonb_build_object(${see}) as settings; select '\\'';` },
      { name: "index", body: "--! no-transaction\ncreate index concurrently seen_settings on seen (settings);" },
    ]);
    await applyMigrations({ connection, folder });
    expect(await query("select settings from app.seen")).toEqual([
      {
        settings: {
          search_path: "app, public",
          datestyle: "SQL, DMY",
          timezone: "Asia/Kolkata",
          work_mem: "7MB",
          transaction_isolation: "serializable",
          array_nulls: "off",
          statement_timeout: "0",
          transaction_timeout: "0",
        },
      },
    ]);
    expect((await readKnownStatus(connection, folder)).pending).toEqual([]);
  });
});
