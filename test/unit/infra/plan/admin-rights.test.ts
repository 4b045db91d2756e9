import { describe, expect, it } from "vitest";
import type {
  AdminFacts,
  DeclaredExtension,
  DeclaredObjects,
  ExistingDatabase,
  ExistingRole,
} from "../../../../infra/plan/admin-facts.ts";
import { describeRights, planRights } from "../../../../infra/plan/admin-rights.ts";
import { limitedServerRolePlans, planPrivileges } from "../../../../scripts/model/privileges.ts";

const quote = (name: string) => `"${name}"`;

const plan = (facts: Partial<AdminFacts>, extensions: DeclaredExtension[] = []) => {
  const declared: DeclaredObjects = {
    roles: [...Object.values(limitedServerRolePlans), ...Object.values(planPrivileges("shop").roles)],
    databases: [{ name: "shop", owner: "shop_owner", extensions }],
  };
  const all: AdminFacts = {
    admin: "admin",
    version: 170_000,
    createRole: true,
    createDatabase: true,
    replication: false,
    bypassRowSecurity: false,
    inherit: true,
    roles: [],
    grantable: ["pg_monitor"],
    databases: [],
    extensions: [
      { name: "citext", restricted: false },
      { name: "postgis", restricted: true },
    ],
    allowLists: {},
    hasProviderRole: false,
    ...facts,
  };
  return planRights(all, declared, quote);
};

const statements = (facts: Partial<AdminFacts>, extensions?: DeclaredExtension[]) =>
  plan(facts, extensions).missing.flatMap((right) =>
    right.statements.map(({ sql, database }) => (database === undefined ? sql : `${database}: ${sql}`)),
  );

const role = (name: string, facts: Partial<ExistingRole> = {}): ExistingRole => ({
  name,
  superuser: false,
  replication: false,
  bypassRowSecurity: false,
  createDatabase: false,
  administered: true,
  memberOf: [],
  ...facts,
});

const database = (facts: Partial<ExistingDatabase> = {}): ExistingDatabase => ({
  name: "shop",
  owner: "ana",
  ownerIsSuperuser: false,
  owned: false,
  content: { foreign: [], extensions: [] },
  ...facts,
});

describe("the rights of an admin that is not a superuser", () => {
  it("are complete with CREATEROLE, CREATEDB and the ADMIN option on pg_monitor", () => {
    expect(plan({}, [{ name: "citext", optional: false }])).toEqual({ missing: [], leftOut: [] });
    expect(statements({ createRole: false, createDatabase: false, grantable: [] })).toEqual([
      'ALTER ROLE "admin" CREATEROLE;',
      'ALTER ROLE "admin" CREATEDB;',
      'GRANT "pg_monitor" TO "admin" WITH ADMIN OPTION;',
    ]);
  });

  it("are not enough if the stack has a role of the same name", () => {
    expect(describeRights("monitor", plan({ admin: "monitor" }).missing)).toContain(
      "    Set another role in pgroundwork:url.",
    );
    expect(plan({ admin: "monitoring" }).missing).toEqual([]);
  });

  it("need no CREATEDB for a database that its owner has already, and no pg_monitor for a member of it", () => {
    const existing = database({ owner: "shop_owner" });
    expect(statements({ createDatabase: false, databases: [existing] })).toEqual([]);
    const monitor = role("monitor", { memberOf: [{ role: "pg_monitor", revocable: false }] });
    expect(statements({ grantable: [], roles: [monitor] })).toEqual([]);
  });

  it("need the ADMIN option on existing roles since PostgreSQL 16, and INHERIT before", () => {
    const roles = [role("shop_app", { administered: false })];
    expect(statements({ roles })).toEqual(['GRANT "shop_app" TO "admin" WITH ADMIN OPTION;']);
    expect(statements({ roles, version: 150_000, grantable: [] })).toEqual([]);
    expect(statements({ version: 150_000, inherit: false })).toEqual(['ALTER ROLE "admin" INHERIT;']);
    expect(statements({ inherit: false })).toEqual([]);
  });

  it("need others for attributes of existing roles that the admin cannot change", () => {
    const roles = [
      role("backup", { replication: true }),
      role("shop_app", { superuser: true, bypassRowSecurity: true, createDatabase: true }),
      role("shop_readonly", { memberOf: [{ role: "pg_read_all_data", revocable: false }] }),
    ];
    const superusers = [
      'ALTER ROLE "backup" NOREPLICATION;',
      'ALTER ROLE "shop_app" NOSUPERUSER;',
      'ALTER ROLE "shop_app" NOBYPASSRLS;',
      'REVOKE "pg_read_all_data" FROM "shop_readonly";',
    ];
    expect(statements({ roles })).toEqual(superusers);
    // The attribute itself counts only since version 16.
    const own = { replication: true, bypassRowSecurity: true };
    expect(statements({ roles, ...own })).toEqual([superusers[1], superusers[3]]);
    expect(statements({ roles, ...own, version: 150_000 })).toEqual(superusers);
  });

  it("need membership in the owner of an existing database or its objects, given once, or ownership from a superuser", () => {
    const foreign = [1, 2, 3, 4, 5].map((n) => ({
      object: `TABLE public.t${n}`,
      owner: "ana",
      ownerIsSuperuser: false,
    }));
    const schema = { object: "SCHEMA public", owner: "postgres", ownerIsSuperuser: true };
    const { missing } = plan({ databases: [database({ content: { foreign: [...foreign, schema], extensions: [] } })] });
    expect(describeRights("admin", missing).split("\n")).toEqual([
      'Role "admin" lacks rights on the server that this stack needs:',
      '- Database "shop" belongs to ana.',
      '- In database "shop", TABLE public.t1 belongs to ana.',
      '- In database "shop", TABLE public.t2 belongs to ana.',
      "- The same holds for 3 more.",
      '    GRANT "ana" TO "admin";',
      '- In database "shop", SCHEMA public belongs to postgres.',
      '    -- in database "shop":',
      '    ALTER SCHEMA public OWNER TO "admin";',
    ]);
    expect(statements({ databases: [database({ owner: "postgres", ownerIsSuperuser: true })] })).toEqual([
      'ALTER DATABASE "shop" OWNER TO "admin";',
    ]);
    expect(statements({ databases: [database()], inherit: false })).toEqual([
      'GRANT "ana" TO "admin" WITH INHERIT TRUE;',
    ]);
    expect(statements({ databases: [database({ owned: true })] })).toEqual([]);
  });

  it("include a database of PostgreSQL 14 whose schema public is not a superuser's", () => {
    expect(statements({ version: 140_000 })).toEqual([
      'CREATE DATABASE "shop" OWNER "admin";',
      'shop: ALTER SCHEMA public OWNER TO "admin";',
    ]);
    expect(statements({ version: 140_000, databases: [database({ owned: true })] })).toEqual([]);
  });
});

describe("extensions that only a superuser can create", () => {
  const required = [{ name: "postgis", optional: false }];

  it("are missing rights, and optional ones are left out", () => {
    expect(statements({}, required)).toEqual([
      'CREATE DATABASE "shop" OWNER "admin";',
      'shop: CREATE EXTENSION "postgis";',
    ]);
    expect(statements({ databases: [database({ owned: true })] }, required)).toEqual([
      'shop: CREATE EXTENSION "postgis";',
    ]);
    expect(
      statements({ databases: [database({ owned: true })] }, [{ name: "postgis", optional: false, schema: "gis" }]),
    ).toEqual(['shop: CREATE EXTENSION "postgis" SCHEMA "gis";']);
    expect(plan({}, [{ name: "postgis", optional: true }])).toEqual({
      missing: [],
      leftOut: [{ database: "shop", extension: "postgis" }],
    });
  });

  it("are no missing rights if they exist, if the database cannot be read, or if a provider's role may create them", () => {
    const content = { foreign: [], extensions: ["postgis"] };
    expect(statements({ databases: [database({ owned: true, content })] }, required)).toEqual([]);
    const { content: _, ...closed } = database({ owner: "shop_owner" });
    expect(statements({ databases: [closed] }, required)).toEqual([]);
    expect(plan({ databases: [closed] }, [{ name: "postgis", optional: true }]).leftOut).toHaveLength(1);
    expect(statements({ hasProviderRole: true }, required)).toEqual([]);
    expect(statements({ allowLists: { "supautils.privileged_extensions": "pg_cron, PostGIS" } }, required)).toEqual([]);
  });

  it("are named with the server's parameter if a list of allowed extensions lacks them", () => {
    const trusted = [{ name: "citext", optional: false }];
    const facts = { hasProviderRole: true, allowLists: { "azure.extensions": "HSTORE,PG_TRGM" } };
    expect(describeRights("admin", plan(facts, trusted).missing)).toContain(
      '- Extension citext of database "shop" is not on the server\'s list of allowed extensions.\n' +
        "    Add citext to the server's parameter azure.extensions.",
    );
    expect(plan({ allowLists: { "azure.extensions": "hstore,CITEXT" } }, trusted).missing).toEqual([]);
    expect(plan({ allowLists: { "rds.allowed_extensions": "*" } }, trusted).missing).toEqual([]);
  });
});
