import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../../../scripts/connection/connection.ts";
import { upFiles } from "../../../../migrations/migrated-database.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { pgw } from "./pgw.ts";

let server: TestServer;
let connection: Connection;
let migrations: number;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("trading");
  connection = server.as("migrator", "trading");
  migrations = (await upFiles("trading")).length;
  // A database that matches the files, except for one column, and without records of migrations.
  expect((await migrate("up")).code).toBe(0);
  await query("drop schema graphile_migrate, pgroundwork cascade; alter table users add column by_hand text");
  await query("create table pgmigrations (id serial primary key, name text, run_on timestamp)");
  await query("insert into pgmigrations (name, run_on) values ('1_first', now())");
});
afterAll(() => server?.stop());

const migrate = (...args: string[]) =>
  pgw(connection, ["migrate", ...args, "-d", "trading"], inDatabase(server.connection(), "trading"));
const query = (sql: string) => withClient(connection, async (client) => (await client.query(sql)).rows);

// Each test begins with the result of the one before it.
describe("pgw migrate baseline", () => {
  it("records nothing if the schema differs (exit code 5), and names the differences and the other tool", async () => {
    const { code, stdout, stderr } = await migrate("baseline");
    expect(code, stderr).toBe(5);
    expect(stdout).toContain("trading: 1 object differs from the schema of 000001-core-schema.sql to ");
    expect(stdout).toContain("- extra column public.users.by_hand\n");
    expect(stdout).toContain(
      "\nNothing was recorded. Change the schema to match, name the last applied file with --to",
    );
    expect(stderr).toContain(
      "public.pgmigrations belongs to node-pg-migrate: 1 recorded, the newest 1_first. Stop using that tool",
    );
    expect((await migrate("status")).code).toBe(4);
  });

  it("lists with --dry-run what would be recorded (exit code 4)", async () => {
    await query("alter table users drop column by_hand");
    const { code, stdout } = await migrate("baseline", "--dry-run");
    expect(code).toBe(4);
    expect(stdout).toMatch(new RegExp(`trading: ${migrations} would be recorded as applied\n$`));
  });

  it("records all files of a real database, which is then up to date and verified", async () => {
    const { code, stdout } = await migrate("baseline", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      recorded: true,
      differences: [],
      otherTools: [{ tool: "node-pg-migrate", migrations: 1 }],
    });
    expect((await migrate("status")).code).toBe(0);
    expect((await migrate("verify")).code).toBe(0);
    expect((await migrate("up")).stdout).toMatch(/: nothing pending\n$/);
  });

  it("takes the view schema_migrations of the files for no other tool's table, and it shows the baseline", async () => {
    const { rows } = await withClient(server.as("readonly", "trading"), (client) =>
      client.query("select version::int, name, execution_ms from schema_migrations order by version"),
    );
    const names = (await upFiles("trading")).map((path) => basename(path));
    expect(rows).toEqual(names.map((name, index) => ({ version: index + 1, name, execution_ms: null })));
  });

  it("refuses a second time (exit code 3)", async () => {
    const { code, stderr } = await migrate("baseline");
    expect(code).toBe(3);
    expect(stderr).toContain(`already has ${migrations} recorded migrations.`);
  });
});
