import { describe, expect, it } from "vitest";
import type { Contents, DatabaseObject } from "../../../../scripts/adopt/contents.ts";
import { planAdoption } from "../../../../scripts/adopt/plan.ts";

const wish = {
  database: "shop",
  owner: "shop_owner",
  members: ["shop_migrator"],
  schema: "public",
  privileges: {
    table: { shop_app: "SELECT, INSERT", shop_readonly: "SELECT" },
    sequence: { shop_app: "USAGE" },
    function: {},
  },
};

const object = (type: string, name: string, changed: Partial<DatabaseObject> = {}): DatabaseObject => ({
  kind: type === "SEQUENCE" ? "sequence" : type === "ROUTINE" ? "function" : type === "SCHEMA" ? "schema" : "table",
  type,
  name,
  schema: "public",
  owner: "shop_owner",
  attached: false,
  isPublic: false,
  ...changed,
});

const plan = (contents: Partial<Contents>) =>
  planAdoption(
    { managed: false, objects: [], bookkeeping: [], owners: [], settings: [], members: [], ...contents },
    wish,
    (name) => `"${name}"`,
  );

const shelf = object("TABLE", "public.shelf");

describe("the plan to adopt a database", () => {
  it("is empty if the kit has managed the database before, or if there are no objects", () => {
    const nothing = { opened: [], closed: [], handedOver: [], statements: [], warnings: [] };
    expect(plan({})).toEqual(nothing);
    expect(plan({ objects: [object("SCHEMA", "public", { owner: "pg_database_owner" })] })).toEqual(nothing);
    const objects = [object("TABLE", "public.shelf", { owner: "ana" })];
    expect(plan({ managed: true, objects, owners: [{ name: "ana", reassignable: true }] })).toEqual(nothing);
  });

  it("grants the privileges for each kind of object at once, role by role", () => {
    const objects = [shelf, object("VIEW", 'public."Odd one"'), object("SEQUENCE", "public.number")];
    expect(plan({ objects }).statements).toEqual([
      'GRANT SELECT, INSERT ON TABLE public.shelf, public."Odd one" TO "shop_app"',
      'GRANT SELECT ON TABLE public.shelf, public."Odd one" TO "shop_readonly"',
      'GRANT USAGE ON SEQUENCE public.number TO "shop_app"',
    ]);
    expect(plan({ objects }).opened).toEqual(["table public.shelf", 'view public."Odd one"', "sequence public.number"]);
  });

  it("warns of objects that migrations cannot change, with a statement that transfers them", () => {
    const objects = [
      shelf,
      object("TABLE", "public.rack", { owner: "ana" }),
      object("SEQUENCE", "public.rack_id_seq", { owner: "ana", attached: true }),
    ];
    const owners = [
      { name: "ana", reassignable: true },
      { name: "shop_owner", reassignable: true },
    ];
    expect(plan({ objects, owners }).warnings).toEqual([
      "ana owns an object that migrations cannot change: table public.rack. " +
        'To change the owner, run as a superuser in this database: REASSIGN OWNED BY "ana" TO "shop_owner";',
    ]);
  });

  it("transfers objects one by one if REASSIGN OWNED would transfer more or is refused", () => {
    const objects = ["a", "b", "c", "d"].map((name) => object("TABLE", `public.${name}`, { owner: "postgres" }));
    expect(plan({ objects, owners: [{ name: "postgres", reassignable: false }] }).warnings).toEqual([
      "postgres owns 4 objects that migrations cannot change: table public.a, table public.b, table public.c, 1 more. " +
        'To change the owner, run as a superuser in this database: ALTER TABLE public.a OWNER TO "shop_owner"; ' +
        'ALTER TABLE public.b OWNER TO "shop_owner"; ALTER TABLE public.c OWNER TO "shop_owner"; and so on',
    ]);
  });

  it("leaves other schemas alone, and reports it", () => {
    const elsewhere = { schema: "old" };
    const objects = [object("TABLE", "old.shelf", elsewhere), object("VIEW", "old.seen", elsewhere)];
    expect(plan({ objects })).toEqual({
      opened: [],
      closed: [],
      handedOver: [],
      statements: [],
      warnings: [
        'Schema "old" with 2 tables stays unchanged: only objects in schema "public" are granted to shop_app and shop_readonly. ' +
          "Grant what they need in a migration.",
      ],
    });
  });

  it("revokes the privileges of PUBLIC before it grants any, and reports the objects", () => {
    const open = { isPublic: true };
    const objects = [
      shelf,
      object("TABLE", "public.rack", open),
      object("VIEW", "public.seen", open),
      object("ROUTINE", "public.count()", open),
      object("TABLE", "old.rack", { ...open, schema: "old" }),
    ];
    const { statements, closed } = plan({ objects });
    expect(statements.slice(0, 3)).toEqual([
      "REVOKE ALL ON TABLE public.rack, public.seen FROM PUBLIC",
      "REVOKE ALL ON ROUTINE public.count() FROM PUBLIC",
      'GRANT SELECT, INSERT ON TABLE public.shelf, public.rack, public.seen TO "shop_app"',
    ]);
    expect(closed).toEqual(["table public.rack", "view public.seen", "function public.count()"]);
  });

  it("transfers the tables that record migrations if another role owns them", () => {
    const place = { schema: "graphile_migrate", owner: "ana" };
    const bookkeeping = [
      object("SCHEMA", "graphile_migrate", place),
      object("TABLE", "graphile_migrate.migrations", place),
      object("SEQUENCE", "graphile_migrate.migrations_id_seq", { ...place, attached: true }),
      object("SCHEMA", "pgroundwork", { schema: "pgroundwork" }),
    ];
    expect(plan({ bookkeeping })).toMatchObject({
      opened: [],
      handedOver: ["schema graphile_migrate (ana's)", "table graphile_migrate.migrations (ana's)"],
      statements: [
        'ALTER SCHEMA graphile_migrate OWNER TO "shop_owner"',
        'ALTER TABLE graphile_migrate.migrations OWNER TO "shop_owner"',
      ],
    });
  });

  it("warns of the database's own settings and other members of the owner, with statements to reset them", () => {
    const settings = [
      { name: "search_path", role: null },
      { name: "app.tenant", role: "shop_app" },
    ];
    expect(plan({ settings, members: ["ana", "shop_migrator"] }).warnings).toEqual([
      "This database has settings that the stack does not declare: search_path, app.tenant (for shop_app). " +
        'To reset them, run as a superuser: ALTER DATABASE "shop" RESET "search_path"; ' +
        'ALTER ROLE "shop_app" IN DATABASE "shop" RESET "app"."tenant";',
      "ana is a member of shop_owner and can change what migrations create. To revoke the membership, run as a superuser: " +
        'REVOKE "shop_owner" FROM "ana";',
    ]);
  });
});
