import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
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

/** A folder whose `.gmrc` has these hooks, and files beside it. */
async function folderWith(settings: object, files: Record<string, string> = {}, drafts: Draft[] = [one]) {
  const made = await folderOf(drafts);
  await writeFile(path.join(made.folder, ".gmrc"), JSON.stringify(settings));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(made.folder, name), text);
  return made.folder;
}

describe("hooks of .gmrc", () => {
  it("run around the migrations, files with their placeholders replaced, and only where something is pending", async () => {
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

  it("run commands with graphile-migrate's variables, in the folder of .gmrc, and show what they say", async () => {
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

  it("for the shadow database alone are left out, those that are not are run", async () => {
    const folder = await folderWith({
      beforeAllMigrations: [
        { _: "command", shadow: true, command: "exit 1" },
        { _: "command", shadow: false, command: "exit 0" },
      ],
    });
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(1);
  });

  it("that are marked root are for resets alone, as graphile-migrate has it", async () => {
    const folder = await folderWith({ beforeAllMigrations: "!root.sql" }, { "root.sql": "select 1" });
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toContain(
      "Setting 'beforeAllMigrations': This hooks isn't permitted to require root privileges.",
    );
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it("that fail stop the run, a file with its place", async () => {
    const folder = await folderWith({ beforeAllMigrations: "before.sql" }, { "before.sql": "select 1;\nselect nope;" });
    const error = await errorOf<SqlFileError>(applyMigrations({ connection, folder }));
    expect(error.message).toContain('before.sql (hook beforeAllMigrations):2:8: column "nope" does not exist');
    expect(await query("select to_regclass('one') as one")).toEqual([{ one: null }]);
  });

  it("that fail stop the run, a command with what it said, without the password", async () => {
    const folder = await folderWith({
      afterAllMigrations: [{ _: "command", command: 'echo "bad: $GM_DBURL" >&2; exit 7' }],
    });
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.message).toMatch(/^The hook afterAllMigrations of \.gmrc failed with 7: /);
    expect(error.message).toContain("bad: postgresql://");
    expect(error.message.split("\n").at(-1)).not.toContain(String(connection.password));
    expect(await query("select to_regclass('one')::text as one")).toEqual([{ one: "one" }]);
  });
});
