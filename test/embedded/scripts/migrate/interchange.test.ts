import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import { chain, committedFolderOf, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startServer } from "../../server.ts";
import { graphileCli } from "./processes.ts";

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;
let made: TestFolder;
let number = 0;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = `interchange${++number}`;
  await server.createDatabase(database);
  connection = server.as("migrator", database);
  made = await committedFolderOf([
    { name: "a", headers: ["--! Message: a"], body: "create table a (x text default ':KIND');" },
    { name: "", body: "--! no-transaction\ncreate index concurrently a_x on a (x);" },
    { name: "crlf", body: "create table b (\r\n  x int\r\n);\r\ninsert into b values (1);\r\n" },
  ]);
  const settings = { migrationsFolder: ".", placeholders: { ":KIND": "placed" } };
  await writeFile(path.join(made.folder, ".gmrc"), JSON.stringify(settings));
});
afterEach(() => made?.remove());

describe("graphile-migrate's own CLI and the kit on one folder", () => {
  it("agree on what the CLI applied, and the kit continues from there", async () => {
    const cli = await graphileCli(connection, made.folder, ["migrate"]);
    expect(cli).toMatchObject({ code: 0, output: expect.stringContaining("3 committed migrations executed") });
    expect(await readStatus(connection, made.folder)).toMatchObject({ known: true, pending: [], problems: [] });
    expect((await applyMigrations({ connection, folder: made.folder })).applied).toEqual([]);
    const [next] = chain([{ name: "next", body: "create table next ();" }], 4, made.migrations[2]?.hash);
    await made.write("000004-next.sql", next?.text ?? "");
    expect((await applyMigrations({ connection, folder: made.folder })).applied.map((each) => each.filename)).toEqual([
      "000004-next.sql",
    ]);
    const again = await graphileCli(connection, made.folder, ["migrate"]);
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining("Already up to date") });
  });

  it("agree on what the kit applied, row for row", async () => {
    await applyMigrations({ connection, folder: made.folder });
    expect(await graphileCli(connection, made.folder, ["migrate"])).toMatchObject({
      code: 0,
      output: expect.stringContaining("Already up to date"),
    });
    const rows = (as: Connection) =>
      withClient(as, async (client) => {
        const tracked = await client.query(
          "select hash, previous_hash, filename from graphile_migrate.migrations order by filename",
        );
        const made = await client.query(
          "select pg_get_expr(adbin, adrelid) as value from pg_attrdef where adrelid = 'a'::regclass",
        );
        return { tracked: tracked.rows, made: made.rows };
      });
    const ours = await rows(connection);
    expect(ours.made).toEqual([{ value: "'placed'::text" }]);
    const other = `interchange${++number}`;
    await server.createDatabase(other);
    const theirs = server.as("migrator", other);
    await graphileCli(theirs, made.folder, ["migrate"]);
    expect(await rows(theirs)).toEqual(ours);
  });
});
