import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { applySeeds } from "../../../../scripts/seed/apply.ts";
import { type ClearSeedsOptions, clearSeeds } from "../../../../scripts/seed/clear.ts";
import { readSeededRows } from "../../../../scripts/seed/seeded-rows.ts";
import { startServer } from "../../server.ts";

const schema = `
  create table person (id integer primary key, name text not null, boss_id integer references person (id), seen integer not null default 0);
  create table purchase (id integer generated always as identity primary key, person_id integer not null references person (id), what text);
  create table note (person_id integer references person (id) on delete cascade, text text);
  create table event (at date not null, id integer not null, primary key (at, id)) partition by range (at);
  create table event_2025 partition of event for values from ('2025-01-01') to ('2026-01-01');
  create table audit (id integer generated always as identity primary key, what text not null);
  create function write_audit() returns trigger language plpgsql as $$
    begin insert into audit (what) values (tg_op || ' ' || coalesce(new.name, old.name)); return coalesce(new, old); end $$;
  create trigger audit after insert or update or delete on person for each row execute function write_audit();
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'append-only'; end $$;
  create trigger refuse before update or delete on audit for each row execute function refuse();
  create trigger off before insert on audit for each row execute function refuse();
  alter table audit disable trigger off;
`;

const people = `--! Title: People

insert into person (id, name, boss_id) values (1, 'ann', null), (2, 'bob', 1) on conflict (id) do update set name = excluded.name;
`;
const purchases = `insert into purchase (person_id, what) select id, 'tea' from person where id < 3;
insert into note values (1, 'hello'), (1, 'hello');
do $$ begin insert into event values ('2025-02-03', 1); exception when others then null; end $$;
`;

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;
let folder: string;
let number = 0;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = `clear${++number}`;
  await server.createDatabase(database);
  connection = server.as("migrator", database);
  folder = await mkdtemp(path.join(tmpdir(), "pgw-clear-"));
  await query(schema);
  await write("reference", people);
  await write("dev", purchases);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(set: string, text: string): Promise<void> {
  await mkdir(path.join(folder, "seeds", set), { recursive: true });
  await writeFile(path.join(folder, "seeds", set, "010-rows.sql"), text);
}

async function query<T extends object>(sql: string): Promise<T[]> {
  return withClient(connection, async (client) => (await client.query<T>(sql)).rows);
}

/** Returns every row of every table as JSON. */
async function content(): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {};
  for (const table of ["person", "purchase", "note", "event", "audit"]) {
    const rows = await query<{ row: unknown }>(`select to_jsonb(t) as row from ${table} t order by to_jsonb(t)`);
    all[table] = rows.map(({ row }) => row);
  }
  return all;
}

const seed = (...sets: string[]) => applySeeds({ connection, folder, sets });
const clear = (sets: string[], options: Partial<ClearSeedsOptions> = {}) =>
  clearSeeds({ connection, sets, ...options });
const refusal = async (sets: string[], options: Partial<ClearSeedsOptions> = {}) =>
  (await clear(sets, options).catch((caught: unknown) => caught)) as OperationError;

describe("seed clear", () => {
  it("restores every table, including append-only tables and rows that triggers wrote", async () => {
    await query("insert into person values (7, 'own', null)");
    const before = await content();
    await seed("reference", "dev");
    expect((await content()).audit).toHaveLength(3);
    const { deleted, files } = await clear(["reference", "dev"]);
    expect(deleted).toEqual([
      { table: "public.audit", rows: 2 },
      { table: "public.event", rows: 1 },
      { table: "public.note", rows: 2 },
      { table: "public.person", rows: 2 },
      { table: "public.purchase", rows: 2 },
    ]);
    expect(files).toEqual([
      { set: "dev", filename: "010-rows.sql" },
      { set: "reference", filename: "010-rows.sql" },
    ]);
    expect(await content()).toEqual(before);
    expect(await query("select tgname, tgenabled from pg_trigger where not tgisinternal order by 1")).toEqual([
      { tgname: "audit", tgenabled: "O" },
      { tgname: "off", tgenabled: "D" },
      { tgname: "refuse", tgenabled: "O" },
    ]);
  });

  it("allows the seeds to be applied again and cleared again", async () => {
    await seed("reference", "dev");
    await clear(["reference", "dev"]);
    expect((await clear(["reference", "dev"])).files).toEqual([]);
    expect((await seed("reference", "dev")).applied).toHaveLength(2);
    await clear(["reference", "dev"]);
    expect((await content()).person).toEqual([]);
  });

  it("refuses to delete other rows than were shown, and deletes those that were shown", async () => {
    await seed("reference");
    const shown = await clear(["reference", "dev"], { dryRun: true });
    await seed("dev");
    const before = await content();
    const refused = await refusal(["reference", "dev"], { expected: shown });
    expect(refused.exitCode).toBe(3);
    expect(refused.message).toMatch(
      /^The seeded data in .* changed after this command read it\. This command changed nothing/,
    );
    expect(refused.message).toContain("\n  new   the seed file dev/010-rows.sql\n");
    expect(refused.message).toContain("\n  new   2 rows of public.purchase");
    expect(await content()).toEqual(before);

    const again = await clear(["reference", "dev"], { dryRun: true });
    expect(await clear(["reference", "dev"], { expected: again })).toEqual(again);
    expect((await refusal(["reference", "dev"], { expected: again })).message).toContain("\n  gone  ");
  });

  it("keeps the rows of other sets", async () => {
    await seed("reference");
    const before = await content();
    await seed("dev");
    await clear(["dev"]);
    expect(await content()).toEqual(before);
  });

  it("keeps rows that were there before and that the seeds only changed", async () => {
    await query("insert into person values (1, 'before', null)");
    await seed("reference");
    expect((await clear(["reference"])).deleted).toContainEqual({ table: "public.person", rows: 1 });
    expect(await query("select id, name from person")).toEqual([{ id: 1, name: "ann" }]);
  });

  it("refuses if a row was changed since, unless that is forced", async () => {
    await seed("reference");
    await query("update person set seen = 5 where id = 2");
    const error = await refusal(["reference"]);
    expect([error.message, error.hint, error.exitCode]).toEqual([
      "The seeds are not cleared:\n- 1 row of public.person changed since they were seeded",
      "--force deletes changed rows as well.",
      3,
    ]);
    expect((await content()).person).toHaveLength(2);
    await clear(["reference"], { force: true });
    expect((await content()).person).toEqual([]);
  });

  it("refuses if other rows refer to seeded rows, whatever their foreign key would do", async () => {
    await seed("reference", "dev");
    await query("insert into note values (2, 'mine')");
    const error = await refusal(["reference", "dev"]);
    expect(error.message).toBe(
      "The seeds are not cleared:\n- 1 row of public.note refer to seeded rows of public.person (note_person_id_fkey, which deletes them), but do not come from these seeds",
    );
    const alone = await refusal(["reference"]);
    expect(alone.message).toContain("- 2 rows of public.purchase refer to seeded rows of public.person");
    expect((await content()).note).toHaveLength(3);
  });

  it("reports what each kind of foreign key would do to such rows", async () => {
    const effects = {
      "no action": "refuses",
      restrict: "refuses",
      cascade: "deletes them",
      "set null": "empties their column",
      "set default": "empties their column",
    };
    await seed("reference");
    for (const action of Object.keys(effects)) {
      const table = `on_${action.replace(" ", "_")}`;
      await query(
        `create table ${table} (id integer default null references person on delete ${action}); insert into ${table} values (2)`,
      );
    }
    const { message } = await refusal(["reference"]);
    for (const [action, effect] of Object.entries(effects)) {
      const table = `on_${action.replace(" ", "_")}`;
      expect(message).toContain(
        `- 1 row of public.${table} refer to seeded rows of public.person (${table}_id_fkey, which ${effect})`,
      );
    }
  });

  it("ignores columns that were added or dropped since", async () => {
    await seed("reference");
    await query("alter table person add column mail text not null default 'none'; alter table person drop column seen");
    await clear(["reference"]);
    expect(await query("select from person")).toEqual([]);
  });

  it("accepts changes by a later seed file, and detects changes that others made before it", async () => {
    await seed("reference");
    await write("reference", people.replace("'bob'", "'bobby'"));
    await seed("reference");
    expect(await readSeededRows(connection, ["reference"])).toMatchObject([{ changed: 0, gone: 0 }]);
    await query("update person set seen = 1 where id = 2");
    await write("reference", people.replace("'bob'", "'rob'"));
    await seed("reference");
    expect(await readSeededRows(connection, ["reference"])).toMatchObject([{ changed: 1, gone: 0 }]);
  });

  it("lists what it would delete, and deletes nothing, in a dry run", async () => {
    await seed("reference");
    const before = await content();
    expect((await clear(["reference"], { dryRun: true })).deleted).toEqual([
      { table: "public.audit", rows: 2 },
      { table: "public.person", rows: 2 },
    ]);
    expect(await content()).toEqual(before);
    expect(await readSeededRows(connection, ["reference"])).toEqual([
      { set: "reference", filename: "010-rows.sql", recorded: 4, changed: 0, gone: 0 },
    ]);
  });

  it("refuses if the seeded rows were not recorded", async () => {
    await seed("reference");
    await query("drop table pgroundwork.seed_row, pgroundwork.seed_capture");
    const error = await refusal(["reference"]);
    expect(error.message).toBe(
      "The rows of reference/010-rows.sql are not known: they were not recorded when these seeds ran.",
    );
    expect((await content()).person).toHaveLength(2);
  });

  it("keeps the rows of a table without a primary key if new and changed rows look alike", async () => {
    await query("insert into note values (null, 'before')");
    await write("dev", "insert into note values (null, 'new'); update note set text = text || '!';");
    await seed("dev");
    expect(await clear(["dev"])).toEqual({
      deleted: [],
      files: [{ set: "dev", filename: "010-rows.sql" }],
      unknownTables: ["public.note"],
    });
    expect((await content()).note).toHaveLength(2);
  });

  it("keeps rows that others wrote while the seeds ran", async () => {
    await write("dev", "insert into person values (20, 'seeded', null); select pg_advisory_xact_lock(77);");
    await withClient(connection, async (client) => {
      await client.query("select pg_advisory_lock(77)");
      const seeding = seed("dev");
      const waits = "select from pg_locks where locktype = 'advisory' and objid = 77 and not granted";
      while ((await client.query(waits)).rows.length === 0) await setTimeout(20);
      await client.query("insert into person values (21, 'meanwhile', null)");
      await client.query("select pg_advisory_unlock(77)");
      await seeding;
    });
    await clear(["dev"]);
    expect(await query("select id from person")).toEqual([{ id: 21 }]);
  });
});
