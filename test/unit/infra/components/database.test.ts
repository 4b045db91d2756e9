import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { Database, type DatabaseArgs } from "../../../../infra/components/database.ts";
import { EmbeddedServer } from "../../../../infra/components/embedded-server.ts";
import { declareServerRoles } from "../../../../infra/components/server-roles.ts";
import { type Recorded, recordResources, registered, value } from "./recorded-resources.ts";

const file: DatabaseArgs["file"] = {
  description: "A shop",
  extensions: [
    { name: "pg_trgm", optional: false },
    { name: "hstore", optional: false, schema: "tools" },
  ],
  seedSets: ["reference", "dev", "demo"],
  partitions: { function: "public.ensure_partitions", monthsAhead: 3 },
};

let resources: Awaited<ReturnType<typeof recordResources>>;
let server: EmbeddedServer;
let serverRoles: pulumi.Resource[];
let shop: Database;

const nothing = { known: false, roles: new Set<string>(), databases: new Set<string>(), undeclared: [] };

const make = (name: string, changed: Partial<DatabaseArgs> = {}) =>
  registered(
    (options) =>
      new Database(
        name,
        {
          server,
          serverRoles,
          existing: nothing,
          file,
          folder: `migrations/${name}`,
          seeds: ["reference", "dev"],
          idleInTransactionSeconds: 60,
          passwordVersion: "1",
          protect: false,
          ...changed,
        },
        options,
      ),
  );

beforeAll(async () => {
  resources = await recordResources();
  const args = { settings: {}, passwordVersion: "1", readyTimeout: 60 };
  server = await registered((options) => new EmbeddedServer("server", args, options));
  serverRoles = declareServerRoles("server", {
    server,
    existing: nothing,
    passwordVersion: "1",
    protect: false,
  }).roles;
  shop = await make("shop");
});

const of = (database: string) => resources.recorded().filter(({ name }) => name.startsWith(`${database}-`));
const role = (name: string) => resources.one(`shop-${name}`);

describe("the component of a database", () => {
  it("declares exactly these resources, in this order", () => {
    const inOrder = [
      "shop-database",
      "shop-schema-tools",
      "shop-extension-pg_trgm",
      "shop-extension-hstore",
      "shop-grant-database-public",
      "shop-grant-schema-public",
      "shop-grant-database-shop_migrator",
      "shop-grant-database-shop_app",
      "shop-grant-database-shop_readonly",
      "shop-grant-database-monitor",
      "shop-grant-database-backup",
      "shop-grant-schema-shop_owner",
      "shop-grant-schema-shop_app",
      "shop-grant-schema-shop_readonly",
      "shop-default-function-public",
      "shop-default-table-public",
      "shop-default-sequence-public",
      "shop-default-function-public-in-schema",
      "shop-default-table-public-in-schema",
      "shop-default-sequence-public-in-schema",
      "shop-default-table-shop_app",
      "shop-default-sequence-shop_app",
      "shop-default-function-shop_app",
      "shop-default-table-shop_readonly",
      "shop-default-sequence-shop_readonly",
      "shop-extension-privileges",
      "shop-adoption",
      "shop-monitoring",
      "shop-migrations",
      "shop-partitions",
      "shop-seeds-reference",
      "shop-seeds-dev",
    ];
    const roles = ["shop-owner", "shop-migrator", "shop-app", "shop-readonly"];
    const passwords = ["shop-migrator-password", "shop-app-password", "shop-readonly-password"];
    expect(
      of("shop")
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...inOrder, ...roles, ...passwords].sort());
    for (const [index, name] of inOrder.slice(1).entries()) {
      expect([name, resources.one(name).dependsOn]).toEqual([name, expect.arrayContaining([inOrder[index]])]);
    }
    expect(resources.one("shop-database").dependsOn).toEqual(
      expect.arrayContaining([...roles, "server-monitor", "server-backup"]),
    );
    expect(new Set(of("shop").map(({ parent }) => parent))).toEqual(new Set(["shop"]));
  });

  it("has the owner's database, and all of it stays on the server when it is no longer declared", () => {
    expect(resources.one("shop-database").inputs).toEqual({ name: "shop", owner: "shop_owner" });
    const onServer = of("shop").filter(({ type }) => type.startsWith("postgresql:"));
    expect(onServer.length).toBeGreaterThan(10);
    expect(onServer.filter(({ retainOnDelete }) => !retainOnDelete).map(({ name }) => name)).toEqual([]);
  });

  it("has extensions, in a schema only if one is named", () => {
    expect(resources.one("shop-extension-pg_trgm").inputs).toEqual({ name: "pg_trgm", database: "shop" });
    expect(resources.one("shop-extension-hstore").inputs).toEqual({
      name: "hstore",
      database: "shop",
      schema: "tools",
    });
    expect(resources.one("shop-schema-tools").inputs).toEqual({ name: "tools", database: "shop" });
  });

  it("grants privileges as the superuser on the extensions that need some", () => {
    const { inputs, secrets } = resources.one("shop-extension-privileges");
    expect(inputs).toMatchObject({ database: "shop", user: "postgres", extensions: { hstore: "tools" } });
    expect(secrets).toEqual(["password"]);
  });
});

describe("the roles of a database", () => {
  it("include an owner that cannot log in and has no password", () => {
    expect(role("owner").inputs).toEqual({ name: "shop_owner", login: false });
    expect(role("owner").secrets).toEqual([]);
    expect(Object.keys(shop.logins)).toEqual(["migrator", "app", "readonly"]);
  });

  it("include a migrator that acts as the owner, and is created after it", () => {
    expect(role("migrator").inputs).toEqual({
      name: "shop_migrator",
      login: true,
      roles: ["shop_owner"],
      assumeRole: "shop_owner",
      password: "result of shop-migrator-password",
    });
    expect(role("migrator").dependsOn).toContain("shop-owner");
  });

  it("include an app and a readonly role without memberships, whose idle transactions end", () => {
    for (const name of ["app", "readonly"]) {
      expect(role(name).inputs).toEqual({
        name: `shop_${name}`,
        login: true,
        idleInTransactionSessionTimeout: 60_000,
        password: `result of shop-${name}-password`,
      });
      expect(role(name).secrets).toEqual(["password"]);
    }
  });

  it("have secret logins", async () => {
    for (const [name, { user, password }] of Object.entries(shop.logins)) {
      expect(user).toBe(`shop_${name}`);
      expect(await value(password)).toBe(`result of shop-${name}-password`);
      expect(await pulumi.isSecret(password)).toBe(true);
    }
  });
});

describe("the privileges of a database", () => {
  const inputsOf = (kind: string) =>
    of("shop")
      .filter(({ name }) => name.startsWith(`shop-${kind}-`))
      .map(({ inputs }) => inputs);
  const database = "shop";
  const owner = "shop_owner";
  const schema = "public";

  it("are revoked from PUBLIC first, then granted for CONNECT and for the schema", () => {
    const connect = (who: string) => ({ role: who, database, objectType: "database", privileges: ["CONNECT"] });
    const use = (who: string) => ({ role: who, database, objectType: "schema", schema, privileges: ["USAGE"] });
    expect(inputsOf("grant")).toEqual([
      { role: "public", database, objectType: "database", privileges: [] },
      { role: "public", database, objectType: "schema", schema, privileges: [] },
      connect("shop_migrator"),
      connect("shop_app"),
      connect("shop_readonly"),
      connect("monitor"),
      connect("backup"),
      { role: "shop_owner", database, objectType: "schema", schema, privileges: ["CREATE", "USAGE"] },
      use("shop_app"),
      use("shop_readonly"),
    ]);
  });

  it("on objects are default privileges of the owner, not grants, which would override a migration's REVOKE", () => {
    const one = (who: string, objectType: string, ...privileges: string[]) => {
      return { role: who, database, owner, schema, objectType, privileges };
    };
    expect(inputsOf("default")).toEqual([
      ...["function", "table", "sequence"].map((objectType) => {
        return { role: "public", database, owner, objectType, privileges: [] };
      }),
      one("public", "function"),
      one("public", "table"),
      one("public", "sequence"),
      one("shop_app", "table", "SELECT", "INSERT", "UPDATE", "DELETE"),
      one("shop_app", "sequence", "USAGE"),
      one("shop_app", "function", "EXECUTE"),
      one("shop_readonly", "table", "SELECT"),
      one("shop_readonly", "sequence", "SELECT"),
    ]);
    const kinds = inputsOf("grant").map(({ objectType }) => objectType);
    expect(new Set(kinds)).toEqual(new Set(["database", "schema"]));
  });
});

describe("the contents of a database", () => {
  const connection = {
    host: "127.0.0.1",
    port: 20_123,
    sslmode: "disable",
    database: "shop",
    user: "shop_migrator",
    password: "result of shop-migrator-password",
  };

  it("are applied by the migrator from the folder of the database", () => {
    const folder = "migrations/shop";
    const admin = { adminUser: "postgres", adminPassword: "result of server-superuser-password" };
    expect(resources.one("shop-migrations").inputs).toEqual({ ...connection, ...admin, folder });
    expect(resources.one("shop-partitions").inputs).toEqual({
      ...connection,
      function: "public.ensure_partitions",
      monthsAhead: 3,
    });
    expect(resources.one("shop-seeds-reference").inputs).toEqual({ ...connection, folder, set: "reference" });
    expect(resources.one("shop-seeds-dev").inputs).toEqual({ ...connection, folder, set: "dev" });
    const sealed = of("shop").filter(({ inputs }) => inputs.user === "shop_migrator");
    const [migrations, ...others] = sealed.map(({ secrets }) => [...secrets].sort());
    expect(migrations).toEqual(["adminPassword", "password"]);
    expect(others).toEqual(Array(3).fill(["password"]));
  });

  it("include only the seed sets that the stack requests", () => {
    expect(of("shop").filter(({ name }) => name.includes("demo"))).toEqual([]);
  });

  it("are listed by name", async () => {
    expect(await value(shop.migrations)).toEqual(["000001-one.sql"]);
    const seeds = await Promise.all(
      shop.seeds.map(async ({ set, applied }) => ({ set, applied: await value(applied) })),
    );
    expect(seeds).toEqual([
      { set: "reference", applied: ["01 of shop-seeds-reference"] },
      { set: "dev", applied: ["01 of shop-seeds-dev"] },
    ]);
  });
});

describe("the postgresql resources of a database", () => {
  const isPostgresql = ({ type }: Recorded) => type.startsWith("postgresql:");

  it("use the server's admin provider, are deleted with the server, and are not protected by default", () => {
    const all = of("shop").filter(isPostgresql);
    expect(all).toHaveLength(29);
    for (const { provider, deletedWith, protect } of all) {
      expect({ provider, deletedWith, protect }).toEqual({
        provider: "server-admin",
        deletedWith: "server-postgres",
        protect: false,
      });
    }
  });

  it("are protected in a protected stack, but resources that can be created again are not", async () => {
    await make("safe", { protect: true, seeds: [], file: { ...file, extensions: [] } });
    for (const { type, protect, name } of of("safe")) {
      expect([name, protect]).toEqual([name, type.startsWith("postgresql:")]);
    }
  });
});

it("a database without extensions, partitions and seeds declares none", async () => {
  const { partitions: _, ...plain } = file;
  await make("bare", { file: { ...plain, extensions: [] }, seeds: [] });
  const names = of("bare").map(({ name }) => name);
  expect(names.filter((name) => /extension|partitions|seeds/.test(name))).toEqual([]);
  expect(names).toContain("bare-migrations");
});

describe("a database that partly exists on the server", () => {
  const imported = (database: string) =>
    of(database)
      .filter((each) => each.imported !== "")
      .map((each) => `${each.name}: ${each.imported}`)
      .sort();

  it("imports exactly the existing roles and the database, by their names on the server", async () => {
    expect(imported("shop")).toEqual([]);
    await make("depot", {
      existing: {
        known: true,
        roles: new Set(["depot_owner", "depot_app", "shop_readonly"]),
        databases: new Set(["depot"]),
        undeclared: [],
      },
    });
    expect(imported("depot")).toEqual(["depot-app: depot_app", "depot-database: depot", "depot-owner: depot_owner"]);
  });
});
