import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import type { Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const one: Draft = { name: "one", body: "create table one (id int primary key);" };
const order = () =>
  query<{ who: string }>("select who from trace order by id").then((rows) => rows.map(({ who }) => who));

/** Creates a folder with these hooks in its `.gmrc`, and further files. */
async function folderWith(settings: object, files: Record<string, string> = {}, drafts: Draft[] = [one]) {
  const made = await folderOf(drafts);
  await writeFile(path.join(made.folder, ".gmrc"), JSON.stringify(settings));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(made.folder, name), text);
  return made.folder;
}

describe("hooks of .gmrc", () => {
  it("run around the migrations with their placeholders replaced, only if something is pending", async () => {
    const folder = await folderWith(
      { beforeAllMigrations: "before.sql", afterAllMigrations: ["after.sql"], placeholders: { ":WHO": "somebody" } },
      {
        "before.sql":
          "create table trace (id int generated always as identity, who text); insert into trace (who) values (':WHO');",
        "after.sql": "insert into trace (who) select 'after ' || count(*) from one;",
      },
    );
    await applyMigrations({ connection, folder });
    await applyMigrations({ connection, folder });
    expect(await order()).toEqual(["somebody", "after 0"]);
  });

  it("run commands with graphile-migrate's variables in the folder of .gmrc, and show their output", async () => {
    const command =
      'echo "$GM_DBNAME $GM_DBUSER shadow=$GM_SHADOW $DATABASE_URL"; test -f .gmrc; case "$GM_DBURL" in postgresql://*) ;; *) exit 3;; esac';
    const folder = await folderWith({ afterAllMigrations: [{ _: "command", command }] });
    const said: string[] = [];
    const onEvent = (event: MigrationEvent) => {
      if (event.kind === "hook") said.push(event.text);
    };
    await applyMigrations({ connection, folder, onEvent });
    expect(said).toEqual([
      `hook afterAllMigrations: ${command}`,
      expect.stringContaining(`${connection.database} ${connection.user} shadow= postgres`),
    ]);
    expect(said.join()).not.toContain(String(connection.password));
  });

  it("are skipped if they are for the shadow database only, and otherwise run", async () => {
    const folder = await folderWith({
      beforeAllMigrations: [
        { _: "command", shadow: true, command: "exit 1" },
        { _: "command", shadow: false, command: "exit 0" },
      ],
    });
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(1);
  });

  it("may be marked root only for resets, as in graphile-migrate", async () => {
    const folder = await folderWith({ beforeAllMigrations: "!root.sql" }, { "root.sql": "select 1" });
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toContain(
      "Setting 'beforeAllMigrations': This hooks isn't permitted to require root privileges.",
    );
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it("stop the run if a file fails, with its position", async () => {
    const folder = await folderWith({ beforeAllMigrations: "before.sql" }, { "before.sql": "select 1;\nselect nope;" });
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message).toContain('before.sql (hook beforeAllMigrations):2:8: column "nope" does not exist');
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it("stop the run if a command fails, with its output but without the password", async () => {
    const folder = await folderWith({
      afterAllMigrations: [{ _: "command", command: 'echo "bad: $GM_DBURL" >&2; exit 7' }],
    });
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toMatch(/^The hook afterAllMigrations of \.gmrc failed with 7: /);
    expect(error.message).toContain("bad: postgresql://");
    expect(error.message.split("\n").at(-1)).not.toContain(String(connection.password));
    expect(await query("select to_regclass('one')::text as one")).toEqual([{ one: "one" }]);
  });

  it("in afterReset run once in a new database before the first file, and again after a failure", async () => {
    const admin = test.server.connection();
    const folder = await folderWith(
      { afterReset: ["reset.sql", "!root.sql"], beforeAllMigrations: "before.sql" },
      {
        "reset.sql": "create table if not exists trace (id int generated always as identity, who text);",
        "root.sql": "select nothing;",
        "before.sql": "insert into trace (who) values ('before');",
      },
    );
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, admin, folder }));
    expect(error.message).toContain('root.sql (hook afterReset):1:8: column "nothing" does not exist');
    await writeFile(path.join(folder, "root.sql"), "insert into public.trace (who) values (current_user);");
    await applyMigrations({ connection, admin, folder });
    expect(await order()).toEqual(["postgres", "before"]);
    await query("drop table one; delete from graphile_migrate.migrations; delete from pgroundwork.migration_ledger");
    await applyMigrations({ connection, admin, folder });
    expect(await order()).toEqual(["postgres", "before", "before"]);
  });

  it("in afterReset do not run in a database that already has objects", async () => {
    const folder = await folderWith({ afterReset: "reset.sql" }, { "reset.sql": "select nothing;" });
    await query("create table there (id int)");
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(1);
  });
});
