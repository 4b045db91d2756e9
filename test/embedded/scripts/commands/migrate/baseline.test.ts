import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/target/client.ts";
import { type Connection, inDatabase } from "../../../../../scripts/target/connection.ts";
import { upFiles } from "../../../migrations/migrated-database.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { pgw } from "./pgw.ts";

let server: TestServer;
let connection: Connection;
let migrations: number;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("trading");
  connection = server.as("migrator", "trading");
  migrations = (await upFiles("trading")).length;
  // A database that is as the files make it, and of which nobody recorded that.
  expect((await migrate("up")).code).toBe(0);
  await query("drop schema graphile_migrate, pgroundwork cascade; alter table users add column by_hand text");
  await query("create table pgmigrations (id serial primary key, name text, run_on timestamp)");
  await query("insert into pgmigrations (name, run_on) values ('1_first', now())");
});
afterAll(() => server?.stop());

const migrate = (...args: string[]) =>
  pgw(connection, ["migrate", ...args, "-d", "trading"], inDatabase(server.connection(), "trading"));
const query = (sql: string) => withClient(connection, async (client) => (await client.query(sql)).rows);

// Each test begins with what the one before it left.
describe("pgw migrate baseline", () => {
  it("records nothing where the schema differs (exit code 5), and says what differs and which tool was there", async () => {
    const { code, stdout, stderr } = await migrate("baseline");
    expect(code, stderr).toBe(5);
    expect(stdout).toContain("trading: 1 object differs from what 000001-core-schema.sql to ");
    expect(stdout).toContain("- extra column public.users.by_hand\n");
    expect(stdout).toContain("\nNothing was recorded. Bring the schema to it, name with --to the last file");
    expect(stderr).toContain(
      "public.pgmigrations is node-pg-migrate's: 1 recorded, the newest 1_first; take that tool",
    );
    expect((await migrate("status")).code).toBe(4);
  });

  it("says with --dry-run what would be recorded (exit code 4)", async () => {
    await query("alter table users drop column by_hand");
    const { code, stdout } = await migrate("baseline", "--dry-run");
    expect(code).toBe(4);
    expect(stdout).toMatch(new RegExp(`trading: ${migrations} would be recorded as applied\n$`));
  });

  it("records all files of a real database, which is then up to date and verified", async () => {
    const { code, stdout } = await migrate("baseline", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ recorded: true, differences: [], otherTools: [{ migrations: 1 }] });
    expect((await migrate("status")).code).toBe(0);
    expect((await migrate("verify")).code).toBe(0);
    expect((await migrate("up")).stdout).toMatch(/: nothing pending\n$/);
  });

  it("is refused a second time (exit code 3)", async () => {
    const { code, stderr } = await migrate("baseline");
    expect(code).toBe(3);
    expect(stderr).toContain(`has ${migrations} migrations recorded already.`);
  });
});
