import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { existingObjects } from "../../../../../infra/provider/functions/existing-objects.ts";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { unknownValue } from "../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { freePort } from "../../../../support/free-port.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { connectionInputs } from "../database-work.ts";

let server: TestServer;
const asked = { roles: ["Ann's own", "bob", "postgres"], databases: ["shop", "postgres"] };

beforeAll(async () => {
  server = await startServer();
  await withClient(server.connection(), async (client) => {
    await client.query(`create role "Ann's own" nologin`);
    await client.query("create database shop");
    await client.query("create role stock_owner");
    await client.query("create database stock owner stock_owner");
  });
});
afterAll(() => server?.stop());

const ask = (changed: Properties = {}) =>
  existingObjects.call(
    { config: {}, signal: new AbortController().signal },
    { ...connectionInputs(server.connection()), ...asked, ...changed },
  );

/** Superuser's answers on the database `postgres` of a new server. */
const access = { ownsPostgres: true, publicConnects: true, connectingByPublic: [] };

describe("the existing objects of a server", () => {
  it("are those among the requested roles and databases, with the databases' extensions", async () => {
    expect(await ask()).toEqual({
      known: true,
      roles: ["Ann's own", "postgres"],
      databases: ["postgres", "shop"],
      undeclared: ["stock"],
      extensions: ['["postgres","plpgsql","pg_catalog"]', '["shop","plpgsql","pg_catalog"]'],
      warnings: [],
      ...access,
    });
    expect(await ask({ roles: [], databases: ["stock"] })).toEqual({
      known: true,
      roles: [],
      databases: ["stock"],
      undeclared: [],
      extensions: ['["stock","plpgsql","pg_catalog"]'],
      warnings: [],
      ...access,
    });
    expect(await ask({ roles: [], databases: ["depot"] })).toEqual({
      known: true,
      roles: [],
      databases: [],
      undeclared: ["stock"],
      extensions: [],
      warnings: [],
      ...access,
    });
  });

  it("come with a warning for each database whose collations have another version than recorded", async () => {
    const change = (database: string, ...statements: string[]) =>
      withClient(server.connection(database), (client) => client.query(statements.join(";\n")));
    await change(
      "shop",
      `create collation "German names" (provider = icu, locale = 'de')`,
      `create table product (id int primary key, name text, code text collate "C", label text collate "German names")`,
      `create index "by Name" on product (name)`,
      "create index by_code on product (code)",
      `create index by_name_as_code on product (name collate "C")`,
      `create index by_german on product (id) where label > 'm'`,
      "create table event (name text) partition by range (name)",
      "create table early partition of event for values from ('a') to ('m')",
      // The second one is used nowhere, as most of ICU's collations are.
      "update pg_collation set collversion = '1.0' where collname in ('German names', 'fr-x-icu')",
    );
    const version = "select collversion from pg_collation where collname = 'unicode'";
    const { rows } = await withClient(server.connection(), (client) => client.query(version));
    const actual = rows[0].collversion;
    const refreshOne = `    ALTER COLLATION public."German names" REFRESH VERSION;`;
    const sorts =
      "A new C library or ICU can sort text differently: indexes can miss rows and accept duplicates until they are rebuilt.";
    expect((await ask()).warnings).toEqual([
      [
        `Collation versions of database shop have changed: public."German names" from 1.0 to ${actual}. ${sorts}`,
        "  Indexes that can be affected: public.by_german.",
        "  Connect to shop as the superuser, and run:",
        "    REINDEX DATABASE shop;",
        refreshOne,
      ].join("\n"),
    ]);

    await change("postgres", "update pg_database set datcollversion = '2.0' where datname in ('shop', 'stock')");
    const changed = `its default collation from 2.0 to ${actual}`;
    const [own, other, ...rest] = (await ask()).warnings as string[];
    expect(rest).toEqual([]);
    expect(own?.split("\n")).toEqual([
      `Collation versions of database shop have changed: ${changed}, public."German names" from 1.0 to ${actual}. ${sorts}`,
      `  Indexes that can be affected: public."by Name", public.by_german.`,
      "  Rows can be in the wrong partition. Check the tables that are partitioned by text: public.event.",
      "  Connect to shop as the superuser, and run:",
      "    REINDEX DATABASE shop;",
      "    ALTER DATABASE shop REFRESH COLLATION VERSION;",
      refreshOne,
    ]);
    expect(other).toContain(`database stock have changed: ${changed}.`);
    expect(other).toContain("Its indexes were not searched.");

    // The commands of the message.
    const typed = own?.split("\n").filter((line) => line.startsWith("    ")) ?? [];
    for (const line of typed) await change("shop", line);
    await change("stock", "ALTER DATABASE stock REFRESH COLLATION VERSION");
    expect((await ask()).warnings).toEqual([]);
  });

  it("come with the roles that can connect to the database postgres only because PUBLIC can", async () => {
    await withClient(server.connection(), async (client) => {
      await client.query("create role guest login password 'guest-password'");
      await client.query("create role team; grant connect on database postgres to team");
      await client.query("create role member login in role team; create role bob login; create role absent nologin");
      expect(await ask()).toMatchObject({ ...access, connectingByPublic: ["guest"] });
      expect(await ask({ user: "guest", password: "guest-password" })).toMatchObject({
        ownsPostgres: false,
        publicConnects: true,
      });
      await client.query("revoke connect on database postgres from public");
      expect(await ask()).toMatchObject({ publicConnects: false, connectingByPublic: ["guest"] });
      await client.query("grant connect on database postgres to public");
    });
  });

  it("come with a warning for a database that the login cannot read", async () => {
    await withClient(server.connection(), async (client) => {
      await client.query("create role outsider login password 'outsider-password'");
      await client.query("revoke connect on database shop from public");
      expect((await ask({ user: "outsider", password: "outsider-password" })).warnings).toEqual([
        expect.stringMatching(
          /^The extensions and collations of database "shop" could not be read: .*user "outsider" has no CONNECT privilege/,
        ),
      ]);
      await client.query("grant connect on database shop to public");
    });
  });

  it("are unknown if the server is down, refuses the login or has no address yet", async () => {
    const port = await freePort();
    expect(await ask({ port })).toEqual({
      known: false,
      isDown: true,
      reason: expect.stringContaining(`nothing listens on 127.0.0.1:${port} (connection refused)`),
    });
    expect(await ask({ password: "wrong" })).toEqual({
      known: false,
      isDown: false,
      reason: expect.stringMatching(
        /password authentication failed for user "postgres"\.\n {2}Change pgroundwork:passwordVersion of this stack/,
      ),
    });
    expect(await ask({ host: unknownValue })).toEqual({
      known: false,
      isDown: false,
      reason: "its address is not known yet",
    });
  });
});
