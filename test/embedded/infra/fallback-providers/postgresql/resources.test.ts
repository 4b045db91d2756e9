import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { hostileSettings } from "../../../../hostile-settings.ts";
import { recordedResourcesOf } from "../../../../recorded-resources.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { type Made, PluginProcess } from "./plugin-process.ts";
import { sql } from "./sql.ts";

let server: TestServer;
let plugin: PluginProcess;

beforeAll(async () => {
  server = await startServer({ ...hostileSettings, statement_timeout: "1s", transaction_timeout: "1200ms" });
  plugin = await PluginProcess.start(server.connection());
});
afterAll(async () => {
  await plugin?.stop();
  await server?.stop();
});

/** Expects no changes now and after a refresh. */
async function expectSettled(made: Made): Promise<void> {
  expect(await plugin.diff(made), `${made.type} ${made.name}`).toEqual([]);
  expect(await plugin.read(made)).toEqual(made);
}

async function outputKeysOf(type: string): Promise<string[]> {
  const record = (await recordedResourcesOf("postgresql")).find((resource) => resource.type.endsWith(`:${type}`));
  return Object.keys(record?.outputs ?? {})
    .filter((key) => !key.startsWith("__"))
    .sort();
}

describe("every resource type", () => {
  it("waits for the changes of another run longer than statement_timeout", async () => {
    const role = await withClient(server.connection(), async (other) => {
      // What every change of the plugin takes first.
      await other.query("select pg_advisory_lock(7032170041)");
      const creating = plugin.create("Role", "waiting", { name: "waiting" });
      await sleep(2_000);
      await other.query("select pg_advisory_unlock(7032170041)");
      return creating;
    });
    expect(role.id).toBe("waiting");
  });

  it("creates what is declared, with the official outputs and ids, and then shows no changes", async () => {
    const made = [
      await plugin.create("Role", "owner", { name: "all_owner" }),
      await plugin.create("Role", "readers", { name: "all_readers" }),
      await plugin.create("Database", "db", { name: "all", owner: "all_owner" }),
      await plugin.create("Extension", "ext", { name: "pgcrypto", database: "all" }),
      await plugin.create("Schema", "schema", { name: "layer", database: "all", owner: "all_owner" }),
      await plugin.create("Grant", "db", {
        role: "all_readers",
        database: "all",
        objectType: "database",
        privileges: ["CONNECT"],
      }),
      await plugin.create("Grant", "schema", {
        role: "all_readers",
        database: "all",
        schema: "layer",
        objectType: "schema",
        privileges: ["USAGE"],
      }),
      await plugin.create("DefaultPrivileges", "defaults", {
        role: "all_readers",
        database: "all",
        schema: "layer",
        owner: "all_owner",
        objectType: "table",
        privileges: ["SELECT"],
      }),
    ];
    expect(made.map(({ id }) => id)).toEqual([
      "all_owner",
      "all_readers",
      "all",
      "all.pgcrypto",
      "all.layer",
      "all_readers_all_database",
      "all_readers_all_layer_schema",
      "all_readers_all_layer_all_owner_table",
    ]);
    for (const resource of made) {
      expect(Object.keys(resource.outputs).sort(), resource.type).toEqual(await outputKeysOf(resource.type));
      expect(resource.outputs.id).toBe(resource.id);
      await expectSettled(resource);
    }
    expect(made[2]?.outputs).toMatchObject({
      owner: "all_owner",
      encoding: "UTF8",
      template: "template0",
      tablespaceName: "pg_default",
      isTemplate: false,
    });
    expect(made[3]?.outputs).toMatchObject({ schema: "public", createCascade: false, dropCascade: false });
  });

  it("refuses to create an existing role or database, and does not change it", async () => {
    await sql(
      server.connection(),
      "create role there_before nologin connection limit 3",
      "create database there_before connection limit 7",
    );
    await expect(plugin.create("Role", "before", { name: "there_before", login: true })).rejects.toThrow(
      'refused: role "there_before" already exists (SQLSTATE 42710).',
    );
    await expect(plugin.create("Database", "before", { name: "there_before" })).rejects.toThrow(
      'refused: database "there_before" already exists (SQLSTATE 42P04).',
    );
    const attributes =
      "select rolcanlogin, rolconnlimit, datconnlimit from pg_roles join pg_database on datname = rolname where rolname = 'there_before'";
    expect(await sql(server.connection(), attributes)).toEqual([
      { rolcanlogin: false, rolconnlimit: 3, datconnlimit: 7 },
    ]);
  });

  it("adopts an existing extension or schema", async () => {
    await sql(server.connection(), "create role layer_owner", "create database furnished");
    await sql(server.connection("furnished"), "create extension citext", "create schema layer");
    const extension = await plugin.create("Extension", "citext", {
      name: "citext",
      database: "furnished",
      schema: "layer",
    });
    const schema = await plugin.create("Schema", "layer", {
      name: "layer",
      database: "furnished",
      owner: "layer_owner",
    });
    expect(extension.outputs).toMatchObject({ schema: "layer" });
    expect(schema.outputs).toMatchObject({ owner: "layer_owner" });
    for (const made of [extension, schema]) await expectSettled(made);
  });

  it("leaves the state after it was dropped, alone or with its database", async () => {
    await plugin.create("Database", "gone", { name: "gone" });
    const owner = await plugin.create("Role", "gone_owner", { name: "gone_owner" });
    const within = { database: "gone" };
    const extension = await plugin.create("Extension", "gone", { ...within, name: "pgcrypto" });
    const schema = await plugin.create("Schema", "gone", { ...within, name: "layer" });
    const grant = await plugin.create("Grant", "gone", {
      ...within,
      role: "gone_owner",
      schema: "layer",
      objectType: "schema",
      privileges: ["USAGE"],
    });
    const defaults = await plugin.create("DefaultPrivileges", "gone", {
      ...within,
      role: "public",
      owner: "gone_owner",
      objectType: "function",
      privileges: [],
    });
    await sql(server.connection("gone"), "drop extension pgcrypto", "drop schema layer cascade");
    for (const made of [extension, schema, grant]) expect(await plugin.read(made), made.type).toBeUndefined();
    expect(await plugin.read(defaults)).toEqual(defaults);
    await sql(server.connection(), "drop database gone with (force)", "drop role gone_owner");
    for (const made of [owner, extension, schema, grant, defaults])
      expect(await plugin.read(made), made.type).toBeUndefined();
    for (const made of [owner, extension, schema, grant, defaults]) await plugin.delete(made);
  });

  it("is removed by delete despite connections and owned objects", async () => {
    const role = await plugin.create("Role", "end", { name: "ending" });
    const database = await plugin.create("Database", "end", { name: "ending", owner: "ending", isTemplate: true });
    const extension = await plugin.create("Extension", "end", { name: "citext", database: "ending" });
    const schema = await plugin.create("Schema", "end", { name: "layer", database: "ending", dropCascade: true });
    await sql(server.connection("ending"), "create table layer.t (a citext)");
    await expect(plugin.delete(extension)).rejects.toThrow(
      `${server.connection().host}:${server.connection().port}/ending refused: cannot drop extension citext because other objects depend on it (SQLSTATE 2BP01).`,
    );
    await plugin.delete(schema);
    await plugin.delete(extension);
    await plugin.delete(database);
    await plugin.delete(role);
    expect(await sql(server.connection(), "select datname from pg_database where datname = 'ending'")).toEqual([]);
    expect(await sql(server.connection(), "select rolname from pg_roles where rolname = 'ending'")).toEqual([]);
  });

  it("is renamed in place if the official plugin does so", async () => {
    const role = await plugin.create("Role", "r", { name: "old_role", login: true, password: "password-of-old" });
    const database = await plugin.create("Database", "r", { name: "old_db", owner: "old_role" });
    const schema = await plugin.create("Schema", "r", { name: "old_schema", database: "old_db" });
    const renamedSchema = await plugin.update(schema, { name: "new_schema", database: "old_db" });
    const renamedDatabase = await plugin.update(database, { name: "new_db", owner: "old_role" });
    const renamedRole = await plugin.update(role, { name: "new_role", login: true, password: "password-of-old" });
    expect([renamedSchema, renamedDatabase, renamedRole].map(({ outputs }) => outputs.name)).toEqual([
      "new_schema",
      "new_db",
      "new_role",
    ]);
    // The engine keeps the old id until the next refresh, which finds the object by its name.
    expect((await plugin.read(renamedRole))?.id).toBe("new_role");
    expect((await plugin.read(renamedDatabase))?.outputs.owner).toBe("new_role");
  });
});

describe("import", () => {
  it("finds a role, database, extension or schema by its id alone", async () => {
    await plugin.create("Database", "imp", { name: "imp" });
    await plugin.create("Extension", "imp", { name: "citext", database: "imp" });
    const blank = { name: "x", inputs: {}, outputs: {} };
    expect((await plugin.read({ ...blank, type: "Role", id: "postgres" }))?.outputs).toMatchObject({ superuser: true });
    expect((await plugin.read({ ...blank, type: "Database", id: "imp" }))?.inputs).toMatchObject({
      name: "imp",
      encoding: "UTF8",
    });
    expect((await plugin.read({ ...blank, type: "Extension", id: "imp.citext" }))?.inputs).toMatchObject({
      name: "citext",
      database: "imp",
    });
    expect((await plugin.read({ ...blank, type: "Schema", id: "imp.public" }))?.inputs).toMatchObject({
      name: "public",
    });
    await expect(plugin.read({ ...blank, type: "Grant", id: "a_b_database" })).rejects.toThrow(
      'A Grant cannot be imported: its id "a_b_database" does not contain all its properties.',
    );
  });

  it("is followed by an update that corrects a role and a database", async () => {
    await sql(
      server.connection(),
      "create role found_owner",
      "create role found superuser login connection limit 3 valid until '2001-01-01' password 'known-before'",
      "alter role found set statement_timeout = '5s'",
      "create database found connection limit 7",
    );
    const blank = { name: "found", id: "found", inputs: {}, outputs: {} };
    const role = await plugin.read({ ...blank, type: "Role" });
    const database = await plugin.read({ ...blank, type: "Database" });
    if (role === undefined || database === undefined) throw new Error("They are not found.");
    expect(role.outputs).toMatchObject({ superuser: true, connectionLimit: 3, statementTimeout: 5_000 });
    // A password must not be in a state, not even as a hash.
    expect(role.outputs.password).toBeNull();
    expect(Object.keys(role.outputs).sort()).toEqual(await outputKeysOf("Role"));
    expect(Object.keys(database.outputs).sort()).toEqual(await outputKeysOf("Database"));
    expect(database.outputs).toMatchObject({ owner: "postgres", connectionLimit: 7, template: "template0" });

    const wanted = { name: "found", login: true, roles: ["found_owner"], password: "new-password" };
    expect((await plugin.diff(role, wanted)).sort()).toEqual(
      ["connectionLimit", "password", "roles", "statementTimeout", "superuser", "validUntil"].sort(),
    );
    const declaredRole = await plugin.update(role, wanted);
    const declaredDatabase = await plugin.update(database, { name: "found", owner: "found_owner" });
    expect(declaredRole.outputs).toMatchObject({ superuser: false, connectionLimit: -1, roles: ["found_owner"] });
    expect(declaredDatabase.outputs).toMatchObject({ owner: "found_owner", connectionLimit: -1 });
    for (const made of [declaredRole, declaredDatabase]) await expectSettled(made);
  });
});
