import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Clone } from "../../clone.ts";
import { expectInstead } from "../../scripts/cli/commands/backup/describe-instead.ts";
import { startServer, type TestServer } from "../../server.ts";
import { changesOf } from "./changes.ts";
import { makeShop } from "./shop.ts";

const password = "password-of-the-administrator";

let server: TestServer;

/** Runs statements as the superuser, whom a managed server does not give away. */
const byProvider = (database: string, ...statements: string[]) =>
  withClient(server.connection(database), async (client) => {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  });

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

describe("a stack on a server whose administrator is not a superuser", () => {
  let clone: Clone;

  const settings = (passwordVersion: string) => {
    const { host, port } = server.connection();
    const url = `postgresql://admin@${host}:${port}/postgres?sslmode=disable`;
    return { server: "external", url, superuser: false, superuserPassword: password, passwordVersion };
  };
  const configure = (passwordVersion = "1") => clone.configure({ ...settings(passwordVersion), databases: ["shop"] });

  beforeAll(async () => {
    // As managed servers grant it.
    await byProvider(
      "postgres",
      `create role admin login createrole createdb password '${password}'`,
      "grant pg_monitor to admin with admin option",
    );
    clone = await makeShop();
    await clone.write(
      "migrations/shop/database.json",
      JSON.stringify({
        extensions: ["citext", { name: "hstore", schema: "extensions" }, { name: "pageinspect", optional: true }],
        seedSets: ["reference", "dev"],
        jobs: { tidy: { schedule: "0 3 * * *", command: "select 1", optional: true } },
      }),
    );
    await configure();
  });
  afterAll(() => clone?.remove());

  it("has no preview, and no list of changes, while the login cannot connect to the database postgres", async () => {
    await byProvider("postgres", "create database home owner admin", "revoke connect on database postgres from public");
    const { url, ...others } = settings("1");
    await clone.configure({ ...others, url: url.replace("/postgres?", "/home?"), databases: ["shop"] });
    const { code, stdout, stderr } = await clone.pgw("preview");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain('user "admin" has no CONNECT privilege on database "postgres"');
    expect(stderr).toContain("Without this answer, a preview would show existing roles and databases as new.");
    await byProvider("postgres", "grant connect on database postgres to public");
    await configure();
  });

  it("is not said to be nothing after a first up that failed: status, recover and destroy name what is there", async () => {
    const hook = { migrationsFolder: ".", beforeAllMigrations: [{ _: "command", command: "exit 7" }] };
    await clone.write("migrations/shop/.gmrc", JSON.stringify(hook));
    expect((await clone.pgw("up")).code).toBe(1);
    expect((await clone.pgw("status")).stderr).toMatch(
      /^error: Stack "local" is not up\.\n {2}No `up` has completed yet, but \d+ resources were created\. Run/m,
    );
    const roles = "the roles backup, monitor, shop_app, shop_migrator, shop_owner, shop_readonly";
    const kept = `the database shop on the external server; ${roles} on the external server`;
    expect((await clone.pgw("recover")).stderr).toContain(
      `found no \`up\` of this stack has completed, and something of it may be on its server: ${kept}\n`,
    );
    expect((await clone.pgw("destroy")).stderr).toContain(
      `  keep    the database shop on the external server\n  keep    ${roles} on the external server\n`,
    );
    const erasing = (await clone.pgw("destroy", "--erase", "local")).stderr;
    expect(erasing).toContain(`\nKept: ${kept}.\n`);
    expect(erasing).not.toContain("no data was found");
    await clone.succeed("destroy", "--yes");
    const again = await clone.succeed("destroy", "--yes");
    expect(again.stdout).toBe(
      `Stack "local" is not up: there is nothing to destroy.\nKept: ${kept}.\n\`npm run up\` adopts it and sets new passwords.\n`,
    );

    await byProvider("postgres", "alter role admin nologin");
    const unknown =
      /whatever the external server has of this stack, possibly the database shop \(not known: Cannot connect/;
    expect((await clone.succeed("destroy", "--yes")).stdout).toMatch(unknown);
    expect((await clone.succeed("recover")).stderr).toMatch(unknown);
    await byProvider("postgres", "alter role admin login");
    expect((await clone.pgw("destroy", "--erase", "shop")).stderr).toMatch(/^ {2}database shop: \d.* tables/m);
    await clone.succeed("destroy", "--erase", "shop", "--yes");
    expect((await clone.succeed("destroy", "--yes")).stdout).toContain(
      "Kept: the roles backup, monitor on the external server.\n",
    );
    await clone.shell("rm migrations/shop/.gmrc");
  });

  it("is created completely, and a second up, preview and refresh change nothing", async () => {
    const preview = await clone.succeed("preview");
    expect(preview.stderr).toContain("membership to grant: shop_owner to admin");
    const up = await clone.succeed("up");
    expect(up.stderr).toContain("shop: the optional extension pageinspect cannot be created on this server");
    expect(up.stderr).toContain("shop: the optional job tidy does not run, because this server has no pg_cron");
    expect(up.stderr).not.toContain("is a member of shop_owner");
    for (const command of ["up", "preview", "refresh"] as const) expect(await changesOf(clone, command)).toEqual([]);
    expect(await byProvider("shop", "select extname from pg_extension where extname <> 'plpgsql' order by 1")).toEqual([
      { extname: "citext" },
      { extname: "hstore" },
    ]);
    expect(
      await byProvider(
        "postgres",
        `select rolname, rolreplication, pg_get_userbyid(datdba) as owner
           from pg_roles, pg_database where rolname = 'backup' and datname = 'shop'`,
      ),
    ).toEqual([{ rolname: "backup", rolreplication: false, owner: "shop_owner" }]);
  });

  it("has no repository of backups: each command on backups names what works instead", async () => {
    await expectInstead(clone, "external");
  });

  it("has the privileges of the matrix", async () => {
    expect(await clone.query("readonly", "select count(*)::int as rows from product")).toEqual([{ rows: 2 }]);
    await clone.query("app", "update product set name = name");
    expect(await clone.query("readonly", "select extensions.fetchval('a=>1', 'a') as value")).toEqual([{ value: "1" }]);
    await expect(clone.query("readonly", "delete from product")).rejects.toThrow("permission denied");
    await expect(clone.query("app", "create table intruder ()")).rejects.toThrow("permission denied");
    await expect(clone.query("monitor", "select * from public.product")).rejects.toThrow("permission denied");
    expect(await clone.query("monitor", "select count(*) > 0 as reads from pg_stat_activity")).toEqual([
      { reads: true },
    ]);
  });

  it("gets new passwords, and a membership back that was revoked by hand", async () => {
    const old = await clone.login("app");
    await byProvider("postgres", "revoke shop_owner from admin granted by admin");
    await configure("2");
    const changes = await changesOf(clone, "up");
    expect(changes).toContain("update shop-app: password");
    expect(changes).toContain("update shop-admin-membership: shop_owner");
    await expect(withClient(old, (client) => client.query("select"))).rejects.toThrow("password authentication failed");
    await clone.query("app", "select");
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("is erased by name, even if roles of the stack are connected, and is created again", async () => {
    const logins = await Promise.all(["app", "monitor"].map((role) => clone.login(role)));
    const sessions = logins.map((connection) =>
      withClient(connection, (client) => client.query("select pg_sleep(300)")).catch((error: Error) => error.message),
    );
    const waiting = "select from pg_stat_activity where datname = 'shop' and query like '%pg_sleep(300)'";
    await expect.poll(async () => (await byProvider("postgres", waiting)).length).toBe(2);
    await clone.succeed("destroy", "--erase", "shop", "--yes");
    for (const ended of await Promise.all(sessions)) expect(ended).toContain("administrator command");
    const names = "select datname from pg_database where datname = 'shop'";
    const roles = "select rolname from pg_roles where rolname like 'shop%'";
    expect([await byProvider("postgres", names), await byProvider("postgres", roles)]).toEqual([[], []]);
    expect(await byProvider("postgres", "select pg_has_role('admin', 'monitor', 'USAGE') as joined")).toEqual([
      { joined: false },
    ]);
    await clone.succeed("up");
    expect(await clone.query("readonly", "select count(*)::int as rows from product")).toEqual([{ rows: 2 }]);
  });

  it("names all missing rights in one message, and adopts the database once its statements have run", async () => {
    await byProvider(
      "postgres",
      "alter role admin nocreaterole nocreatedb",
      "create role ana",
      "create role depot_owner",
      "create role depot_app replication createdb",
      "create role depot_readonly superuser bypassrls",
      "grant pg_read_all_data to depot_app",
      "create database depot owner ana",
    );
    await byProvider(
      "depot",
      "create table shelf (id serial primary key)",
      "alter table shelf owner to ana",
      "grant all on shelf to public",
      "create table box (id integer)",
      "alter schema public owner to postgres",
    );
    await clone.write("migrations/depot/database.json", JSON.stringify({ extensions: ["pageinspect"] }));
    await clone.write("migrations/depot/committed/.gitkeep", "");
    await clone.configure({ ...settings("2"), databases: ["shop", "depot"] });

    const { code, stderr } = await clone.pgw("preview");
    expect(code).toBe(1);
    const message = stderr.slice(stderr.indexOf('Role "admin" lacks rights')).split("\n");
    expect(message.slice(0, expected.length)).toEqual(expected);
    let database = "postgres";
    for (const line of expected.filter((each) => each.startsWith("    "))) {
      const [, named] = /^ {4}-- in database "(.*)":$/.exec(line) ?? [];
      if (named === undefined) await byProvider(database, line);
      database = named ?? "postgres";
    }
    await clone.succeed("up");
    await withClient(await clone.login("app", "depot"), (client) => client.query("insert into shelf default values"));
    expect(
      await byProvider("depot", "select relacl::text ~ '[{,]=' as public from pg_class where relname = 'shelf'"),
    ).toEqual([{ public: false }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});

const takesOver =
  " First make sure that no other system uses the role: the stack adopts it, with fewer rights and a new password.";

/** The message about the rights that are missing in the last test. */
const expected = [
  'Role "admin" lacks rights on the server that this stack needs:',
  '- "admin" cannot create roles.',
  '    ALTER ROLE "admin" CREATEROLE;',
  '- "admin" cannot create databases or change their owner: depot.',
  '    ALTER ROLE "admin" CREATEDB;',
  '- Role "depot_owner" exists, and "admin" does not have the ADMIN option on it.',
  '    GRANT "depot_owner" TO "admin" WITH ADMIN OPTION;',
  `- Role "depot_app" exists and is a replication role, which "admin" cannot change.${takesOver}`,
  '    ALTER ROLE "depot_app" NOREPLICATION;',
  '- Role "depot_app" exists and is able to create databases, which "admin" cannot change.',
  '    ALTER ROLE "depot_app" NOCREATEDB;',
  '- Role "depot_app" exists, and "admin" does not have the ADMIN option on it.',
  '    GRANT "depot_app" TO "admin" WITH ADMIN OPTION;',
  '- Role "depot_app" is a member of pg_read_all_data, which "admin" cannot revoke.',
  '    REVOKE "pg_read_all_data" FROM "depot_app";',
  `- Role "depot_readonly" exists and is a superuser, which "admin" cannot change.${takesOver}`,
  '    ALTER ROLE "depot_readonly" NOSUPERUSER;',
  '- Role "depot_readonly" exists and is exempt from row security, which "admin" cannot change.',
  '    ALTER ROLE "depot_readonly" NOBYPASSRLS;',
  '- Role "depot_readonly" exists, and "admin" does not have the ADMIN option on it.',
  '    GRANT "depot_readonly" TO "admin" WITH ADMIN OPTION;',
  '- Database "depot" belongs to ana.',
  '- In database "depot", TABLE public.shelf belongs to ana.',
  '    GRANT "ana" TO "admin";',
  '- In database "depot", SCHEMA public belongs to postgres.',
  '    -- in database "depot":',
  '    ALTER SCHEMA public OWNER TO "admin";',
  '- In database "depot", TABLE public.box belongs to postgres.',
  '    -- in database "depot":',
  '    ALTER TABLE public.box OWNER TO "admin";',
  '- Only a superuser can create extension pageinspect of database "depot".',
  '    -- in database "depot":',
  '    CREATE EXTENSION "pageinspect";',
];
