import { expect } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { findRepairs } from "../../../../scripts/migrate/repair/repair.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
import type { Draft, TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { type Deployer, startDeployer } from "./processes.ts";

/** Slow migrations, so that all deployers of a race overlap. A file that runs twice fails or adds a second row. */
export const raceDrafts: Draft[] = [
  { name: "ran", body: "create table ran (file int primary key); insert into ran values (1);" },
  ...Array.from({ length: 5 }, (_, index) => ({
    name: `t${index}`,
    body: `create table t${index} (id int);\ninsert into ran values (${index + 2});\nselect pg_sleep(0.05);`,
  })),
  { name: "index", body: "--! no-transaction\ncreate index concurrently t0_id on t0 (id);" },
  ...Array.from({ length: 5 }, (_, index) => ({
    name: `u${index}`,
    body: `create table u${index} (id int);\ninsert into ran values (${index + 8});\nselect pg_sleep(0.05);`,
  })),
];

/**
 * Starts several deployers of one folder and database at once. Expects that all succeed, and that each file has run
 * once.
 */
export async function expectRaceIsWon(connection: Connection, { folder, migrations }: TestFolder, deployers: number) {
  const all = Array.from({ length: deployers }, () => startDeployer(connection, folder));
  try {
    const codes = await Promise.all(all.map((deployer) => deployer.exited));
    expect(codes).toEqual(all.map(() => 0));
    const applied = all.flatMap(({ lines }) => lines.find((line) => line.kind === "result")?.applied ?? []);
    const names = migrations.map(({ filename }) => filename);
    expect(applied.map(({ filename }) => filename).sort()).toEqual(names);
    expect(await finishedRuns(connection)).toEqual(names);
  } finally {
    for (const { child } of all) child.kill("SIGKILL");
  }
}

/**
 * Returns the file names in the migration ledger, sorted by name. A question mark follows the name of an unfinished
 * run.
 */
async function finishedRuns(connection: Connection): Promise<string[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ run: string }>(
      "select filename || case when finished_at is null then '?' else '' end as run from pgroundwork.migration_ledger order by filename, id",
    );
    return rows.map(({ run }) => run);
  });
}

/** Numbers of the advisory locks that files of {@link killDrafts} wait for. */
export const gates = { inFile: 1, atCommit: 2 } as const;

/** A chain of transactional files and concurrent index builds that wait at the gates. */
export const killDrafts: Draft[] = [
  {
    name: "tables",
    body: `create table ran (file int not null);
create function wait_at_commit() returns trigger language plpgsql as
  'begin perform pg_advisory_xact_lock_shared(${gates.atCommit}); return null; end';
create table t (id int not null, x int);
insert into t select n, n % 100 from generate_series(1, 5000) n;
insert into ran values (1);
create constraint trigger wait_at_commit after insert on ran deferrable initially deferred
  for each row execute function wait_at_commit();`,
  },
  {
    name: "column",
    body: `alter table t add column y text not null default 'y';
insert into ran values (2);
select pg_advisory_xact_lock_shared(${gates.inFile});
create index t_y on t (y);`,
  },
  { name: "index", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" },
  { name: "table", body: "create table u (id int primary key);\ninsert into ran values (4);\nselect pg_sleep(0.02);" },
  { name: "unique", body: "--! no-transaction\ncreate unique index concurrently t_id on t (id);" },
  { name: "key", body: "alter table u add foreign key (id) references t (id);\ninsert into ran values (6);" },
];
const transactional = [1, 2, 4, 6];

/** Kills a deployer with SIGKILL, as the kernel or a power failure would. */
export async function killHard(deployer: Deployer): Promise<void> {
  deployer.child.kill("SIGKILL");
  // The exit code is null if the signal ended it, and a number if it had already finished.
  await deployer.exited;
}

/**
 * Runs another deployer after one was killed. Expects the same result as in a database without a killed deployer.
 *
 * @param admin login that may create the scratch database for the comparison
 */
export async function expectNextRunEndsWell(
  connection: Connection,
  admin: Connection,
  { folder, migrations }: TestFolder,
) {
  const next = startDeployer(connection, folder);
  const code = await next.exited;
  expect(code, JSON.stringify(next.lines)).toBe(0);
  expect(await finishedRuns(connection)).toEqual(migrations.map(({ filename }) => filename));
  await withClient(connection, async (client) => {
    const { rows } = await client.query<{ file: number }>("select file from ran order by 1");
    expect(rows.map(({ file }) => file)).toEqual(transactional);
  });
  const drift = await readSchemaDrift({ connection, admin, folder });
  expect(drift).toMatchObject({ migrations: migrations.length, differences: [] });
  expect(await findRepairs({ connection, admin, folder })).toEqual([]);
}
