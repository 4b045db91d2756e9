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

describe("the plan for a partitioned table", () => {
  it("shows the whole table or one partition, whichever is changed", async () => {
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
    // A partition as an application creates it at run time.
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

  it("names the partitions that a statement reaches, unless it reaches all", async () => {
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

  it("makes the partitions that up would make, and warns if the table has none", async () => {
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
      ["public.log has no partitions in the scratch cluster, so scans and rewrites of its rows are not shown."],
    ]);
    // The function from a pending file does not exist yet.
    const { folder: fresh } = await folderOf([{ name: "none", body: "select 1;" }, ...drafts]);
    await query(
      "drop table log cascade; delete from graphile_migrate.migrations; delete from pgroundwork.migration_ledger",
    );
    expect((await plan(fresh, { partitions })).failure).toBeNull();
  });
});
