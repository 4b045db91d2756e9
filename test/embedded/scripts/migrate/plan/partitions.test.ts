import { describe, expect, it } from "vitest";
import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import type { MigrationPlan } from "../../../../../scripts/migrate/plan/plan.ts";
import { databasePerTest } from "../database-per-test.ts";
import { plansFor } from "./plans.ts";

const test = databasePerTest();
const { folderOf, query } = test;
const { plan } = plansFor(test);

const nothing = { locks: [], rewritten: [], scanned: [], emptied: [], dropped: [] };
const exclusive = (relation: string) => {
  return { relation, mode: "AccessExclusiveLock", effect: "blocks reads and writes" };
};

describe("the plan for a table with partitions", () => {
  it("tells of the whole where it is changed, and of one partition where that is", async () => {
    const { folder } = await folderOf([
      {
        name: "log",
        body: `create table log (id int, at date) partition by range (at);
               create table log_1 partition of log for values from ('2020-01-01') to ('2021-01-01');`,
      },
      {
        name: "change",
        body: `alter table log alter column id set not null;
               alter table log alter column id type bigint;`,
      },
      { name: "part", body: "alter table log_1 add constraint positive check (id > 0);" },
    ]);
    await applyMigrations({ connection: test.connection, folder, to: "1" });
    // As they are made at run time.
    await query("create table log_2 partition of log for values from ('2021-01-01') to ('2022-01-01')");
    await query("insert into log values (1, '2020-05-05'), (2, '2021-05-05'), (3, '2021-05-05')");
    await query("analyze log");
    const { tables, files } = await plan(folder);
    const effects = files.flatMap(({ statements }) => statements.map((each) => each.effects));
    expect(effects).toEqual([
      { ...nothing, locks: [exclusive("public.log")], scanned: ["public.log"] },
      { ...nothing, rewritten: ["public.log"] },
      { ...nothing, locks: [exclusive("public.log_1")], scanned: ["public.log_1"] },
    ]);
    expect(tables).toEqual({ "public.log": { rows: 3, bytes: 16_384 }, "public.log_1": { rows: 1, bytes: 8192 } });
  });

  it("tells which partitions a statement reaches, where it is not all of them", async () => {
    const { folder } = await folderOf([
      {
        name: "log",
        body: `create table log (id int, at date) partition by range (at);
               create table log_1 partition of log for values from ('2020-01-01') to ('2021-01-01');
               create table log_2 partition of log for values from ('2021-01-01') to ('2022-01-01');`,
      },
      { name: "change", body: "update log set id = 1 where at < '2020-07-01'; update log set id = 2;" },
    ]);
    await applyMigrations({ connection: test.connection, folder, to: "1" });
    const { files } = await plan(folder);
    expect(files[0]?.statements.map(({ effects }) => effects?.scanned)).toEqual([["public.log_1"], ["public.log"]]);
  });

  it("makes the partitions that up would make, and says where there is none to show anything", async () => {
    const drafts = [
      {
        name: "log",
        body: `create table log (id int, at date) partition by range (at);
               create function ensure(months_ahead int, dry_run boolean) returns setof text language plpgsql as $$
                 begin
                   if dry_run then return; end if;
                   create table log_1 partition of log for values from ('2020-01-01') to ('2021-01-01');
                   return next 'log_1';
                 end $$;`,
      },
      { name: "change", body: "alter table log alter column id type bigint;" },
    ];
    const { folder } = await folderOf(drafts);
    await applyMigrations({ connection: test.connection, folder, to: "1" });
    const rewritten = ({ files }: MigrationPlan) => files[0]?.statements[0]?.effects?.rewritten;
    const partitions = { function: "public.ensure", monthsAhead: 1 };
    const shown = await plan(folder, { partitions });
    expect([rewritten(shown), shown.warnings]).toEqual([["public.log"], []]);
    const hidden = await plan(folder);
    expect([rewritten(hidden), hidden.warnings]).toEqual([
      [],
      ["public.log has no partition in the scratch database: scans and rewrites of its rows do not show."],
    ]);
    // The function that a pending file brings is not there yet.
    const { folder: fresh } = await folderOf([{ name: "none", body: "select 1;" }, ...drafts]);
    await query(
      "drop table log cascade; delete from graphile_migrate.migrations; delete from pgroundwork.migration_ledger",
    );
    expect((await plan(fresh, { partitions })).failure).toBeNull();
  });
});
