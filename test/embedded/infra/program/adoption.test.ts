import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import { inDatabase } from "../../../../scripts/target/connection.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop, shopSettings } from "./shop.ts";

let clone: Clone;

/** Statements as the superuser, one after the other. */
const byHand = async (database: string, ...statements: string[]) => {
  const superuser = inDatabase(await clone.login("superuser", "shop"), database);
  return withClient(superuser, async (client) => {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  });
};

beforeAll(async () => {
  clone = await makeShop();
  await clone.write("migrations/depot/database.json", JSON.stringify({ extensions: ["citext"] }));
  await clone.write("migrations/depot/committed/.gitkeep", "");
  await clone.succeed("up");
});
afterAll(() => clone?.remove());

describe("roles and a database that others made", () => {
  beforeAll(async () => {
    await byHand(
      "postgres",
      "create role ana login",
      "create role depot_app nologin connection limit 3",
      "create role depot_owner login createdb",
      "create database depot owner ana",
    );
    await byHand(
      "depot",
      "create schema old",
      "create extension citext schema old",
      "create table shelf (id serial primary key, label text not null)",
      "alter table shelf owner to ana",
      "insert into shelf (label) values ('left'), ('right')",
      "grant all on shelf to public",
      // As a dump of PostgreSQL 14 has it.
      "alter schema public owner to postgres",
      "grant all on schema public to public",
    );
    await clone.configure({ ...shopSettings, databases: ["shop", "depot"] });
  });

  const adopted = [
    "adopt depot-owner: LOGIN, CREATEDB; createDatabase, login",
    "adopt depot-app: NOLOGIN, connection limit 3; connectionLimit, login, password",
    expect.stringMatching(/^adopt depot-database: owner ana, encoding UTF8, collation \S+; owner$/),
  ];

  const handOver =
    "depot-takeover: ana owns an object that migrations cannot change: table public.shelf. " +
    'To hand over, as a superuser in this database: REASSIGN OWNED BY "ana" TO "depot_owner";\n';

  it("are shown by a preview with owner, attributes and what is corrected", async () => {
    expect(await changesOf(clone, "preview")).toEqual(expect.arrayContaining(adopted));
    const { stdout, stderr } = await clone.succeed("preview");
    expect(stderr).toContain(handOver);
    expect(stdout).toContain(
      "= Role depot-app (is NOLOGIN, connection limit 3; to correct: connectionLimit, login, password)",
    );
    expect(stdout).toContain("3 to adopt");
  });

  it("are taken over by up, which says so", async () => {
    const { stdout, stderr } = await clone.succeed("up");
    expect(stderr).toContain(handOver);
    expect(stderr).toContain(
      "depot-takeover: 2 objects of others are opened to the database's roles: sequence public.shelf_id_seq, table public.shelf\n",
    );
    expect(stderr).toContain("depot-takeover: one object open to PUBLIC is closed to it: table public.shelf\n");
    expect(stderr).toMatch(/^depot-extension-citext: adopted: extension citext \S+ was there already, in schema old$/m);
    expect(stdout).toContain("= Role depot-owner (was LOGIN, CREATEDB; corrected: createDatabase, login)");
    expect(stdout).toContain("3 adopted");
  });

  it("are as declared then, and rows are as they were", async () => {
    expect(
      await byHand(
        "depot",
        `select rolname, rolcanlogin, rolcreatedb, rolconnlimit from pg_roles where rolname in ('depot_app', 'depot_owner') order by 1`,
      ),
    ).toEqual([
      { rolname: "depot_app", rolcanlogin: true, rolcreatedb: false, rolconnlimit: -1 },
      { rolname: "depot_owner", rolcanlogin: false, rolcreatedb: false, rolconnlimit: -1 },
    ]);
    expect(
      await byHand("depot", "select pg_get_userbyid(datdba) as owner from pg_database where datname = 'depot'"),
    ).toEqual([{ owner: "depot_owner" }]);
    expect(await byHand("depot", "select label from shelf order by id")).toEqual([
      { label: "left" },
      { label: "right" },
    ]);
  });

  it("are open to the database's roles, tables that others made included", async () => {
    const app = await clone.login("app", "depot");
    await withClient(app, (client) => client.query("insert into shelf (label) values ('middle')"));
    const readonly = await clone.login("readonly", "depot");
    const read = await withClient(readonly, (client) => client.query("select count(*)::int as rows from shelf"));
    expect(read.rows).toEqual([{ rows: 3 }]);
    await expect(withClient(readonly, (client) => client.query("delete from shelf"))).rejects.toThrow(
      "permission denied for table shelf",
    );
  });

  it("are migrated where the schema is another's, and by nobody but the owner's members", async () => {
    const makeOne = async (role: string) => {
      const login = await clone.login(role, "depot");
      return withClient(login, (client) => client.query("create table rack (id integer)"));
    };
    await expect(makeOne("app")).rejects.toThrow("permission denied for schema public");
    await makeOne("migrator");
  });

  it("are no change any more", async () => {
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "preview")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });
});

describe("an up that was killed when it had just made a role", () => {
  it("is taken up from there by the next one, and forgotten by the one after", async () => {
    await clone.write("migrations/annex/database.json", "{}");
    await clone.write("migrations/annex/committed/.gitkeep", "");
    await clone.configure({ ...shopSettings, databases: ["shop", "depot", "annex"] });
    const login = await clone.login("superuser", "shop");
    await withClient(login, async (client) => {
      // Logins go on while roles wait to be made.
      await client.query("begin");
      await client.query("lock table pg_authid in share mode");
      const up = clone.start("up");
      const waiting = "select from pg_locks where not granted and relation = 'pg_authid'::regclass";
      await expect
        .poll(async () => (await client.query(waiting)).rows.length, { timeout: 60_000, interval: 50 })
        .toBeGreaterThan(0);
      if (up.pid === undefined) throw new Error("It has ended already.");
      process.kill(-up.pid, "SIGKILL");
      if (up.exitCode === null && up.signalCode === null) await once(up, "exit");
    });
    // Whatever of it the server had in hand is over, one way or the other; what it had made and not told, it had made.
    await withClient(login, async (client) => {
      const busy =
        "select from pg_stat_activity where pid <> pg_backend_pid() and state <> 'idle' and backend_type = 'client backend'";
      await expect.poll(async () => (await client.query(busy)).rows.length, { timeout: 60_000 }).toBe(0);
      const { rows } = await client.query("select from pg_roles where rolname = 'annex_owner'");
      if (rows.length === 0) await client.query("create role annex_owner");
    });

    await clone.shell('eval "$(npm run -s pgw -- engine env)" && pulumi cancel --yes --stack local');
    const { stdout, stderr } = await clone.succeed("up");
    expect(stdout).toContain("= Role annex-owner (was NOLOGIN)");
    expect(stderr).toContain("An earlier run was interrupted at ");
    const again = await clone.succeed("up");
    expect(again.stdout).toContain("no changes");
    expect(again.stderr).not.toContain("interrupted");
  });
});

describe("a stack whose state is lost", () => {
  it("takes everything over, and the next up changes nothing", async () => {
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    const { stderr } = await clone.succeed("preview");
    expect(stderr).toMatch(
      /^server-postgres: A server's data is in \S+ already: `up` takes it over, with all that it holds\.$/m,
    );
    const changes = await changesOf(clone, "up");
    const adopted = changes.filter((change) => change.startsWith("adopt "));
    expect(adopted).toHaveLength(2 + 3 * 5);
    expect(adopted).toContain("adopt shop-owner: NOLOGIN; ");
    expect(adopted).toContain("adopt shop-migrator: LOGIN, member of shop_owner, acts as shop_owner; password");
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
    const products = await withClient(await clone.login("readonly", "shop"), (client) =>
      client.query("select name from product order by id"),
    );
    expect(products.rows).toEqual([{ name: "tea" }, { name: "coffee" }]);
  });
});
