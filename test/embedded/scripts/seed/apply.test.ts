import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { applySeeds, type SeedEvent } from "../../../../scripts/seed/apply.ts";
import { pendingSeeds, readSeedInfo } from "../../../../scripts/seed/info.ts";
import type { SqlFileError } from "../../../../scripts/sql/run-sql.ts";
import { startServer } from "../../server.ts";

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;
let folder: string;
let number = 0;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  const database = `seeds${++number}`;
  await server.createDatabase(database);
  connection = server.as("migrator", database);
  folder = await mkdtemp(path.join(tmpdir(), "pgw-seeds-"));
  await query("create table run (what text)");
  await write("reference", "010-r.sql", "insert into run values ('r');");
  await write("dev", "010-a.sql", "--! Title: A\n--! Login: bob / secret word\ninsert into run values ('a');");
  await write("dev", "020-b.sql", "insert into run values ('b');");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(set: string, filename: string, text: string): Promise<void> {
  await mkdir(path.join(folder, "seeds", set), { recursive: true });
  await writeFile(path.join(folder, "seeds", set, filename), text);
}

async function query<T extends object>(sql: string, as = connection): Promise<T[]> {
  return withClient(as, async (client) => (await client.query<T>(sql)).rows);
}

const runs = async () => (await query<{ what: string }>("select what from run")).map((row) => row.what);
const apply = async (...sets: string[]) => {
  const { applied, skipped } = await applySeeds({ connection, folder, sets });
  const name = (each: { set: string; filename: string }) => `${each.set}/${each.filename}`;
  return { applied: applied.map(name), skipped: skipped.map(name) };
};

describe("seeds", () => {
  it("run in the order of sets and names, are recorded, and are skipped the second time", async () => {
    const all = ["reference/010-r.sql", "dev/010-a.sql", "dev/020-b.sql"];
    expect(await apply("reference", "dev")).toEqual({ applied: all, skipped: [] });
    expect(await apply("reference", "dev")).toEqual({ applied: [], skipped: all });
    expect(await runs()).toEqual(["r", "a", "b"]);
    expect(
      await query("select applied_by, kit_version from pgroundwork.seed_ledger where seed_set = 'reference'"),
    ).toEqual([{ applied_by: `${connection.database}_migrator`, kit_version: expect.stringMatching(/^\d+\./) }]);
  });

  it("run only for the requested set", async () => {
    expect((await apply("dev")).applied).toEqual(["dev/010-a.sql", "dev/020-b.sql"]);
    expect(await runs()).toEqual(["a", "b"]);
  });

  it("run again if they changed, without the others", async () => {
    await apply("reference", "dev");
    await write("dev", "010-a.sql", "insert into run values ('a2');");
    expect((await apply("reference", "dev")).applied).toEqual(["dev/010-a.sql"]);
    expect(await runs()).toEqual(["r", "a", "b", "a2"]);
    expect((await apply("reference", "dev")).applied).toEqual([]);
  });

  it("leave nothing of a failed file, keep earlier files, and report file, line, caret and SQLSTATE", async () => {
    await write("dev", "020-b.sql", "insert into run values ('b');\ninsert into nope values (1);\n");
    const error = (await apply("dev").catch((caught: unknown) => caught)) as SqlFileError;
    expect(error.text).toBe(
      [
        'dev/020-b.sql:2:13: relation "nope" does not exist',
        "  1 | insert into run values ('b');",
        "  2 | insert into nope values (1);",
        "    |             ^",
        "  SQLSTATE 42P01",
        "  The file was rolled back. The files before it stay applied. Correct it and run again.",
      ].join("\n"),
    );
    expect(await runs()).toEqual(["a"]);
    expect(await pendingSeeds(connection, folder, ["dev"])).toEqual({
      known: true,
      pending: [{ set: "dev", filename: "020-b.sql", state: "new" }],
    });
  });

  it("are refused before any runs if one ends its transaction or has commands of psql", async () => {
    await write("dev", "020-b.sql", "insert into run values ('b');\nrollback;\n\\i other.sql\n");
    const error = (await apply("dev").catch((caught: unknown) => caught)) as OperationError;
    expect(error.message.split("\n").filter((line) => line.startsWith("- "))).toEqual([
      "- dev/020-b.sql:2:1: ROLLBACK ends the transaction of the file",
      "- dev/020-b.sql:3:1: \\i is a command of psql, not SQL",
    ]);
    expect(await runs()).toEqual([]);
    // A file that does not run is not checked.
    expect((await apply("reference")).applied).toHaveLength(1);
  });

  it("are rolled back if they cannot be recorded", async () => {
    await apply("reference");
    await query("alter table pgroundwork.seed_ledger add constraint no_a check (filename <> '010-a.sql')");
    const error = (await apply("dev").catch((caught: unknown) => caught)) as SqlFileError;
    expect(error.message.split("\n")[0]).toBe(
      'dev/010-a.sql, recording it: new row for relation "seed_ledger" violates check constraint "no_a"',
    );
    expect(await runs()).toEqual(["r"]);
  });

  it("are not affected by what an earlier file set in the session", async () => {
    await write("reference", "010-r.sql", "set search_path = nowhere; set role none;");
    await write("dev", "010-a.sql", "create table made ();");
    expect((await apply("reference", "dev")).applied).toHaveLength(3);
    expect(await query("select schemaname, tableowner from pg_tables where tablename = 'made'")).toEqual([
      { schemaname: "public", tableowner: `${connection.database}_owner` },
    ]);
  });

  it("run once if two deployers start together", async () => {
    await write("reference", "010-r.sql", "insert into run values ('r'); select pg_sleep(0.5);");
    const results = await Promise.all([apply("reference", "dev"), apply("reference", "dev")]);
    expect(results.flatMap((result) => result.applied).sort()).toEqual([
      "dev/010-a.sql",
      "dev/020-b.sql",
      "reference/010-r.sql",
    ]);
    expect((await runs()).sort()).toEqual(["a", "b", "r"]);
  });

  it("report their progress", async () => {
    const events: string[] = [];
    const onEvent = (event: SeedEvent) =>
      events.push(event.kind === "waiting" ? event.kind : `${event.kind} ${event.filename}`);
    await applySeeds({ connection, folder, sets: ["dev"], onEvent });
    expect(events).toEqual(["started 010-a.sql", "applied 010-a.sql", "started 020-b.sql", "applied 020-b.sql"]);
  });
});

describe("the status of seeds", () => {
  it("has titles, logins, states and the last run, and names records without a file", async () => {
    await apply("dev");
    await write("dev", "010-a.sql", "--! Title: A again\n--! Login: bob / secret word\nselect 1;");
    await rm(path.join(folder, "seeds", "dev", "020-b.sql"));
    await write("dev", "030-c.sql", "select 1;");
    expect(await readSeedInfo(connection, folder, ["dev"])).toMatchObject({
      known: true,
      files: [
        {
          filename: "010-a.sql",
          title: "A again",
          logins: [{ user: "bob", password: "secret word" }],
          state: "changed",
          record: {
            appliedAt: expect.any(Date),
            durationMs: expect.any(Number),
            appliedBy: `${connection.database}_migrator`,
          },
        },
        { filename: "030-c.sql", title: undefined, state: "new", record: undefined },
      ],
      withoutFile: [{ filename: "020-b.sql" }],
    });
  });

  it("is pending if there is no connection or no database yet", async () => {
    const pending = [{ set: "reference", filename: "010-r.sql", state: "new" }];
    expect(await pendingSeeds(undefined, folder, ["reference"])).toEqual({ known: true, pending });
    expect(await pendingSeeds(server.connection("not_there"), folder, ["reference"])).toEqual({ known: true, pending });
  });

  it("is unknown if the server is down or the privilege is missing", async () => {
    expect(await pendingSeeds({ ...connection, port: 1 }, folder, ["dev"])).toMatchObject({
      known: false,
      reason: expect.stringContaining("nothing listens"),
    });
    await apply("dev");
    const app = server.as("app", connection.database);
    const reason = `permission denied: user "${app.user}" may not read pgroundwork.seed_ledger`;
    expect(await pendingSeeds(app, folder, ["dev"])).toEqual({ known: false, reason });
    const error = (await applySeeds({ connection: app, folder, sets: ["dev"] }).catch(
      (caught: unknown) => caught,
    )) as OperationError;
    expect(error.message).toBe(
      `Cannot read which seeds ${app.user}@${app.host}:${app.port}/${app.database} has: ${reason}.`,
    );
  });
});
