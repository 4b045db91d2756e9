import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLikeness } from "../../../../scripts/scratch/database-likeness.ts";
import { withScratchDatabase } from "../../../../scripts/scratch/scratch-database.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import { type Connection, inDatabase } from "../../../../scripts/target/connection.ts";
import { startServer, type TestServer } from "../../server.ts";

describe("a scratch database", () => {
  let server: TestServer;
  let like: Connection;
  let admin: Connection;

  const names = () =>
    withClient(admin, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select datname as name from pg_database where datname like 'pgw%' order by 1",
      );
      return rows.map(({ name }) => name);
    });
  const sql = (connection: Connection, text: string) =>
    withClient(connection, async (client) => (await client.query(text)).rows);

  beforeAll(async () => {
    server = await startServer();
    await server.createDatabase("store");
    like = server.as("migrator", "store");
    admin = server.connection();
    await sql(
      server.connection("store"),
      `create schema ext; create extension citext schema ext; create extension pg_trgm;
       grant usage on schema public to monitor;
       alter default privileges for role store_owner grant usage on types to store_app`,
    );
  });
  afterAll(() => server?.stop());

  it("is like the other in owner, locale, extensions and privileges, and has none of its tables", async () => {
    await sql(like, "create table rows_of_value (id integer)");
    const original = await withClient(server.connection("store"), readLikeness);
    await withScratchDatabase({ admin, like }, async (scratch) => {
      const copy = await withClient(inDatabase(admin, scratch.database), readLikeness);
      expect({ ...copy, statements: copy.statements.sort() }).toEqual({
        ...original,
        statements: original.statements.sort(),
      });
      expect(await sql(scratch, "select relname from pg_class where relname = 'rows_of_value'")).toEqual([]);
    });
  });

  it("gives what its migrator makes to the owner, with the privileges that the other's tables have", async () => {
    await sql(like, "create table original (id integer)");
    const question = "select relowner::regrole::text as owner, relacl::text as acl from pg_class where relname = ";
    const [original] = await sql(like, `${question} 'original'`);
    await withScratchDatabase({ admin, like }, async (scratch) => {
      await sql(scratch, "create table copied (id integer)");
      expect(await sql(scratch, `${question} 'copied'`)).toEqual([original]);
      expect(original).toMatchObject({ owner: "store_owner" });
    });
  });

  it("is open to nobody else", async () => {
    await withScratchDatabase({ admin, like }, async (scratch) => {
      await expect(
        withClient(inDatabase(server.as("app", "store"), scratch.database), async () => undefined),
      ).rejects.toThrow(/user "store_app" may not connect/);
    });
  });

  it("is gone afterwards, also when the work in it failed with sessions open", async () => {
    await withScratchDatabase({ admin, like }, async () => undefined);
    const failing = withScratchDatabase({ admin, like }, async (scratch) => {
      await withClient(scratch, () => {
        throw new Error("this is what went wrong");
      });
    });
    await expect(failing).rejects.toThrow("this is what went wrong");
    expect(await names()).toEqual([]);
  });

  it("that a killed run left is dropped by the next one; a young one and one in use are not", async () => {
    const old = Math.floor(Date.now() / 1000) - 7200;
    const [left, used, young] = [`pgw_scratch_${old}_00000001`, `pgw_scratch_${old}_00000002`, "pgw_scratch_mine"];
    for (const name of [left, used, young]) await sql(admin, `create database ${name}`);
    await withClient(inDatabase(admin, used), async () => {
      await withScratchDatabase({ admin, like }, async () => undefined);
    });
    expect(await names()).toEqual([used, young]);
    for (const name of [used, young]) await sql(admin, `drop database ${name} with (force)`);
  });

  it("that may not be made says who may not, and what to name", async () => {
    const attempt = withScratchDatabase({ admin: like, like }, async () => undefined);
    await expect(attempt).rejects.toMatchObject({
      message: expect.stringMatching(
        /^store_migrator@127\.0\.0\.1:\d+\/store cannot make a scratch database: permission denied to create database\.$/,
      ),
      remedy: "Name a login that may create databases and extensions in ROOT_DATABASE_URL.",
    });
  });
});
