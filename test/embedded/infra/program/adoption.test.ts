import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { inDatabase } from "../../../../scripts/connection/connection.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop, shopSettings } from "./shop.ts";

let clone: Clone;

/** Runs statements as the superuser, one after the other. */
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

describe("existing roles and an existing database", () => {
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
      // Like the dump of a PostgreSQL 14 database.
      "alter schema public owner to postgres",
      "grant all on schema public to public",
    );
    await clone.configure({ ...shopSettings, databases: ["shop", "depot"] });
  });

  const adopted = [
    "adopt depot-owner: LOGIN, CREATEDB; createDatabase, login",
    "adopt depot-app: NOLOGIN, connection limit 3; connectionLimit, idleInTransactionSessionTimeout, login, password",
    expect.stringMatching(/^adopt depot-database: owner ana, encoding UTF8, collation \S+; owner$/),
  ];

  const handOver =
    "depot-adoption: ana owns an object that migrations cannot change: table public.shelf. " +
    'To change the owner, run as a superuser in this database: REASSIGN OWNED BY "ana" TO "depot_owner";\n';

  it("appear in a preview with owner, attributes and the corrections to make", async () => {
    expect(await changesOf(clone, "preview")).toEqual(expect.arrayContaining(adopted));
    const { stdout, stderr } = await clone.succeed("preview");
    expect(stderr).toContain(handOver);
    expect(stdout).toContain(
      "= Role depot-app (is NOLOGIN, connection limit 3; to correct: connectionLimit, idleInTransactionSessionTimeout, login, password)",
    );
    expect(stdout).toContain("3 to adopt");
  });

  it("are adopted by up, which reports it", async () => {
    const { stdout, stderr } = await clone.succeed("up");
    expect(stderr).toContain(handOver);
    expect(stderr).toContain(
      "depot-adoption: granted the database's roles privileges on 2 objects: sequence public.shelf_id_seq, table public.shelf\n",
    );
    expect(stderr).toContain("depot-adoption: revoked all privileges of PUBLIC on one object: table public.shelf\n");
    expect(stderr).toMatch(/^depot-extension-citext: adopted existing extension citext \S+ in schema old$/m);
    expect(stdout).toContain("= Role depot-owner (was LOGIN, CREATEDB; corrected: createDatabase, login)");
    expect(stdout).toContain("3 adopted");
  });

  it("have the declared attributes afterwards and keep their rows", async () => {
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

  it("are accessible to the roles of the database, including tables of other owners", async () => {
    const app = await clone.login("app", "depot");
    await withClient(app, (client) => client.query("insert into shelf (label) values ('middle')"));
    const readonly = await clone.login("readonly", "depot");
    const read = await withClient(readonly, (client) => client.query("select count(*)::int as rows from shelf"));
    expect(read.rows).toEqual([{ rows: 3 }]);
    await expect(withClient(readonly, (client) => client.query("delete from shelf"))).rejects.toThrow(
      "permission denied for table shelf",
    );
  });

  it("can be migrated if another role owns the schema, but only by members of the owner", async () => {
    const makeOne = async (role: string) => {
      const login = await clone.login(role, "depot");
      return withClient(login, (client) => client.query("create table rack (id integer)"));
    };
    await expect(makeOne("app")).rejects.toThrow("permission denied for schema public");
    await makeOne("migrator");
  });

  it("show no changes afterwards", async () => {
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });
});

describe("an up that was killed right after it created a role", () => {
  it("is continued by the next up, and the up after that reports no interruption", async () => {
    await clone.write("migrations/annex/database.json", "{}");
    await clone.write("migrations/annex/committed/.gitkeep", "");
    await clone.configure({ ...shopSettings, databases: ["shop", "depot", "annex"] });
    const login = await clone.login("superuser", "shop");
    await withClient(login, async (client) => {
      // This lock blocks CREATE ROLE, but not logins.
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
    // Waits until the server has finished all statements. If it did not create the role, the test creates it: then the
    // role exists, but not in the state.
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

describe("a stack that lost its state", () => {
  it("adopts everything, and the next up changes nothing", async () => {
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    const { stderr } = await clone.succeed("preview");
    expect(stderr).toMatch(
      /^server-postgres: \S+ already contains a server's data: `up` adopts it with all its contents\.$/m,
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
