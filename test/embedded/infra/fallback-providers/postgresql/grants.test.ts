import { describe, expect, it } from "vitest";
import { type Made, PluginProcess } from "./plugin-process.ts";
import { sql } from "./sql.ts";
import { useTradeDatabase } from "./trade-database.ts";

const trade = useTradeDatabase();
const { asOwner, may, expectSettled } = trade;

const within = { database: "trade" };

describe("a grant", () => {
  it("gives exactly the declared privileges, on every kind of object", async () => {
    await asOwner(
      "create schema kinds",
      "create table kinds.t (a int, b int)",
      "create view kinds.v as select 1",
      "create sequence kinds.s",
      "create function kinds.f(int) returns int language sql return 1",
      "create function kinds.f(text) returns int language sql return 1",
      "create procedure kinds.p() language sql begin atomic select 1; end",
    );
    const on = { ...within, role: "app", schema: "kinds" };
    const made = [
      await trade.plugin.create("Grant", "db", {
        ...within,
        role: "app",
        objectType: "database",
        privileges: ["TEMPORARY"],
      }),
      await trade.plugin.create("Grant", "schema", { ...on, objectType: "schema", privileges: ["USAGE"] }),
      await trade.plugin.create("Grant", "tables", { ...on, objectType: "table", privileges: ["SELECT", "INSERT"] }),
      await trade.plugin.create("Grant", "sequences", { ...on, objectType: "sequence", privileges: ["ALL"] }),
      await trade.plugin.create("Grant", "function", {
        ...on,
        objectType: "function",
        privileges: ["EXECUTE"],
        objects: ["f(text)"],
      }),
      await trade.plugin.create("Grant", "procedures", { ...on, objectType: "procedure", privileges: ["EXECUTE"] }),
      await trade.plugin.create("Grant", "columns", {
        ...on,
        role: "other",
        objectType: "column",
        objects: ["t"],
        columns: ["b"],
        privileges: ["UPDATE"],
      }),
    ];
    expect(made.map(({ id }) => id)).toEqual([
      "app_trade_database",
      "app_trade_kinds_schema",
      "app_trade_kinds_table",
      "app_trade_kinds_sequence",
      "app_trade_kinds_function_f(text)",
      "app_trade_kinds_procedure",
      "other_trade_kinds_column_t_b",
    ]);
    for (const grant of made) await expectSettled(grant);
    expect(await may("app", "table", "kinds.v", "INSERT")).toBe(true);
    expect(await may("app", "table", "kinds.t", "DELETE")).toBe(false);
    expect(await may("app", "sequence", "kinds.s", "UPDATE")).toBe(true);
    const [acls] = await sql(
      trade.server.connection("trade"),
      `select (select proacl::text from pg_proc where oid = 'kinds.f(int)'::regprocedure) as untouched,
              (select attacl::text from pg_attribute where attrelid = 'kinds.t'::regclass and attname = 'b') as granted,
              (select attacl::text from pg_attribute where attrelid = 'kinds.t'::regclass and attname = 'a') as other`,
    );
    expect(acls).toEqual({ untouched: null, granted: "{other=w/trade_owner}", other: null });

    for (const grant of made) await trade.plugin.delete(grant);
    expect(await may("app", "table", "kinds.v", "SELECT")).toBe(false);
    expect(await may("app", "schema", "kinds", "USAGE")).toBe(false);
    expect(await may("other", "table", "kinds.t", "UPDATE")).toBe(false);
  });

  it("on a database that accepts no connections is made, read and removed from another one", async () => {
    await sql(trade.server.connection(), "create database shut", "alter database shut allow_connections false");
    const on = { database: "shut", role: "app", objectType: "database" };
    const made = await trade.plugin.create("Grant", "shut", { ...on, privileges: ["TEMPORARY"] });
    await expectSettled(made);
    const updated = await trade.plugin.update(made, { ...on, privileges: ["CREATE"] });
    expect(updated.outputs.privileges).toEqual(["CREATE"]);
    const granted = "select has_database_privilege('app', 'shut', 'create') as granted";
    expect(await sql(trade.server.connection(), granted)).toEqual([{ granted: true }]);
    await trade.plugin.delete(updated);
    expect(await sql(trade.server.connection(), granted)).toEqual([{ granted: false }]);
  });

  it("revokes privileges that are not declared, but keeps those of a column", async () => {
    await asOwner(
      "create schema less",
      "create table less.t (a int)",
      "grant all on less.t to reader",
      "grant select (a), update (a) on less.t to other",
    );
    const on = { ...within, schema: "less" };
    await trade.plugin.create("Grant", "less", { ...on, role: "reader", objectType: "table", privileges: ["SELECT"] });
    expect(await may("reader", "table", "less.t", "SELECT")).toBe(true);
    expect(await may("reader", "table", "less.t", "INSERT")).toBe(false);
    const column = { ...on, role: "other", objectType: "column", objects: ["t"], columns: ["a"] };
    const made = await trade.plugin.create("Grant", "column", { ...column, privileges: ["INSERT"] });
    const updated = await trade.plugin.update(made, { ...column, privileges: ["REFERENCES"] });
    expect(updated.outputs.privileges).toEqual(["REFERENCES"]);
    const acl = "select attacl::text as acl from pg_attribute where attrelid = 'less.t'::regclass and attname = 'a'";
    expect(await sql(trade.server.connection("trade"), acl)).toEqual([{ acl: "{other=rwx/trade_owner}" }]);
  });

  it("revokes the defaults of PUBLIC if it has no privileges, and then shows no changes", async () => {
    await asOwner("create schema closed", "create function closed.f() returns int language sql return 1");
    const everyone = { ...within, role: "public", privileges: [] };
    const made = [
      await trade.plugin.create("Grant", "db", { ...everyone, objectType: "database" }),
      await trade.plugin.create("Grant", "schema", { ...everyone, schema: "public", objectType: "schema" }),
      await trade.plugin.create("Grant", "functions", { ...everyone, schema: "closed", objectType: "function" }),
    ];
    for (const grant of made) await expectSettled(grant);
    expect(await may("reader", "database", "trade", "CONNECT")).toBe(false);
    expect(await may("reader", "schema", "public", "USAGE")).toBe(false);
    expect(await may("reader", "function", "closed.f()", "EXECUTE")).toBe(false);
  });

  it("detects privileges changed by hand or missing on a later object, and the next up corrects them", async () => {
    await asOwner("create schema drifting", "create table drifting.t (a int)");
    const news = { ...within, role: "reader", schema: "drifting", objectType: "table", privileges: ["SELECT"] };
    const made = await trade.plugin.create("Grant", "drifting", news);
    for (const [byHand, privileges] of [
      ["revoke select on drifting.t from reader", []],
      ["grant update on drifting.t to reader", ["SELECT", "UPDATE"]],
      ["create table drifting.later (a int)", []],
      ["create materialized view drifting.view as select 1", []],
    ] as const) {
      await asOwner(byHand);
      const refreshed = (await trade.plugin.read(made)) as Made;
      expect(refreshed.outputs.privileges, byHand).toEqual(privileges);
      expect(await trade.plugin.diff(refreshed, news), byHand).toEqual(["privileges"]);
      expect((await trade.plugin.update(refreshed, news)).outputs, byHand).toEqual(made.outputs);
    }
    await asOwner(
      "grant select on drifting.t to reader with grant option",
      "grant select on drifting.later to reader with grant option",
    );
    expect(await trade.plugin.diff((await trade.plugin.read(made)) as Made, news)).toEqual([]);
    await asOwner("grant select on drifting.view to reader with grant option");
    expect(await trade.plugin.diff((await trade.plugin.read(made)) as Made, news)).toEqual(["withGrantOption!"]);
  });

  it("detects a privilege that was granted to PUBLIC by hand", async () => {
    const news = { ...within, role: "public", objectType: "database", privileges: [] };
    const made = await trade.plugin.create("Grant", "back", news);
    await sql(trade.server.connection(), "grant connect on database trade to public");
    const refreshed = (await trade.plugin.read(made)) as Made;
    expect(refreshed.outputs.privileges).toEqual(["CONNECT"]);
    await expectSettled(await trade.plugin.update(refreshed, news));
  });

  it("can be passed on with the grant option, and not after the option is removed", async () => {
    await asOwner("create schema passing", "create table passing.t (a int)");
    const news = {
      ...within,
      role: "app",
      schema: "passing",
      objectType: "table",
      privileges: ["SELECT"],
      withGrantOption: true,
    };
    const made = await trade.plugin.create("Grant", "passing", news);
    await expectSettled(made);
    expect(await may("app", "table", "passing.t", "SELECT WITH GRANT OPTION")).toBe(true);
    const without = await trade.plugin.create("Grant", "passing", { ...news, withGrantOption: false });
    await expectSettled(without);
    expect(await may("app", "table", "passing.t", "SELECT WITH GRANT OPTION")).toBe(false);
    expect(await may("app", "table", "passing.t", "SELECT")).toBe(true);
  });

  it("keeps the id that the official plugin gave it, whatever the order of its objects", async () => {
    await asOwner("create schema several", "create table several.a (x int)", "create table several.b (x int)");
    const news = { ...within, role: "app", schema: "several", objectType: "table", privileges: ["SELECT"] };
    const made = await trade.plugin.create("Grant", "several", { ...news, objects: ["b", "a"] });
    expect(made.id).toBe("app_trade_several_table_a_b");
    const officialId = "app_trade_several_table_b_a";
    expect((await trade.plugin.read({ ...made, id: officialId }))?.id).toBe(officialId);
    await asOwner("drop table several.b");
    expect((await trade.plugin.read(made))?.outputs.privileges).toEqual([]);
  });

  it("fails with the name of the missing role, schema, object or database", async () => {
    const news = { ...within, role: "app", schema: "public", objectType: "table", privileges: ["SELECT"] };
    await expect(trade.plugin.create("Grant", "x", { ...news, role: "nobody", privileges: [] })).rejects.toThrow(
      'Role "nobody" does not exist, so privileges in database "trade" cannot be set.\n  Create the role first (dependsOn), or correct its name.',
    );
    await expect(trade.plugin.create("Grant", "x", { ...news, schema: "nowhere" })).rejects.toThrow(
      'Schema "nowhere" does not exist in database "trade".\n  Create the schema first (dependsOn), or correct its name.',
    );
    await expect(trade.plugin.create("Grant", "x", { ...news, objects: ["nothing"] })).rejects.toThrow(
      'refused: relation "public.nothing" does not exist (SQLSTATE 42P01).',
    );
    await expect(trade.plugin.create("Grant", "x", { ...news, database: "none" })).rejects.toThrow(
      'the database "none" does not exist.',
    );
  });

  it("succeeds in parallel with a hundred others on the same objects, from four providers", async () => {
    await asOwner("create schema busy", "create function busy.f() returns int language sql return 1");
    const roles = Array.from({ length: 50 }, (_, index) => `busy_${index}`);
    for (const name of roles) await trade.plugin.create("Role", name, { name });
    const others = await Promise.all([1, 2, 3].map(() => PluginProcess.start(trade.server.connection())));
    try {
      const plugins = [trade.plugin, ...others];
      const made = roles.flatMap((role, index) => {
        const by = plugins[index % plugins.length] ?? trade.plugin;
        const on = { ...within, role, schema: "busy" };
        return [
          by.create("Grant", role, { ...on, objectType: "schema", privileges: ["USAGE"] }),
          by.create("Grant", role, { ...on, objectType: "function", privileges: ["EXECUTE"] }),
        ];
      });
      expect(await Promise.all(made)).toHaveLength(100);
    } finally {
      for (const other of others) await other.stop();
    }
    const holders = await sql(
      trade.server.connection("trade"),
      `select count(distinct n.grantee)::int as schema, count(distinct f.grantee)::int as function
         from aclexplode((select nspacl from pg_namespace where nspname = 'busy')) n,
              aclexplode((select proacl from pg_proc where oid = 'busy.f()'::regprocedure)) f`,
    );
    // Fifty roles and the owner; the function also has PUBLIC.
    expect(holders).toEqual([{ schema: 51, function: 52 }]);
  });
});
