import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../../infra/plugin/values.ts";
import { callContext, typeOf } from "./recorded-states.ts";

async function faults(token: string, inputs: Record<string, unknown>) {
  const type = await typeOf(token);
  const { failures = [] } = await type.check(callContext("x"), inputs, undefined);
  return failures.map(({ property, reason }) => [property, reason]);
}

const role = "postgresql:index/role:Role";
const grant = "postgresql:index/grant:Grant";
const defaults = "postgresql:index/defaultPrivileges:DefaultPrivileges";
const onTables = { role: "app", database: "appdb", schema: "public", objectType: "table", privileges: ["SELECT"] };

describe("inputs", () => {
  it("refuses an unknown one by name, with those there are", async () => {
    expect(await faults("postgresql:index/extension:Extension", { name: "citext", shema: "public" })).toEqual([
      ["shema", 'Extension has no input "shema"; it has name, database, schema, version, createCascade, dropCascade'],
    ]);
  });

  it("refuses what the official plugin has and this one has not, with the reason", async () => {
    expect(await faults(role, { name: "app", passwordWo: "x", passwordWoVersion: "1", encrypted: "true" })).toEqual([
      ["passwordWo", "Role.passwordWo is not supported here: give password, which is kept as a secret"],
      ["passwordWoVersion", "Role.passwordWoVersion is not supported here: give password, which is kept as a secret"],
      ["encrypted", "Role.encrypted is deprecated: leave it out, passwords are always stored encrypted"],
    ]);
    expect(
      await faults("postgresql:index/schema:Schema", { name: "s", policies: [{ role: "app", usage: true }] }),
    ).toEqual([
      ["policies", 'Schema.policies is deprecated and not supported here: use a Grant with objectType "schema"'],
    ]);
    expect(await faults("postgresql:index/schema:Schema", { name: "s", policies: [] })).toEqual([]);
  });

  it("reports every fault at once", async () => {
    expect(await faults(role, { name: "", login: "yes", connectionLimit: -2, roles: "readers" })).toEqual([
      ["name", "Role.name must not be empty"],
      ["login", "Role.login must be true or false"],
      ["connectionLimit", "Role.connectionLimit must be -1 or more, and is -2"],
      ["roles", "Role.roles must be a list of strings"],
    ]);
    expect(await faults(grant, {})).toEqual([
      ["role", 'Grant needs "role"'],
      ["database", 'Grant needs "database"'],
      ["objectType", 'Grant needs "objectType"'],
      ["privileges", 'Grant needs "privileges"'],
    ]);
  });

  it("refuses passwords and names that PostgreSQL would take for something else", async () => {
    expect(await faults(role, { name: "public", password: "null", encryptedPassword: false })).toEqual([
      [
        "encryptedPassword",
        "Role.encryptedPassword cannot be false: PostgreSQL stores no plain passwords since version 10",
      ],
      ["password", 'Role.password "NULL" means no password to the official plugin: leave password out for that'],
      ["name", 'Role.name "public" is reserved by PostgreSQL'],
    ]);
  });

  it.each([
    [
      { ...onTables, objectType: "view" },
      "objectType",
      'Grant.objectType must be one of database, schema, table, sequence, function, procedure, routine, foreign_data_wrapper, foreign_server, column, and is "view"',
    ],
    [
      { ...onTables, privileges: ["USAGE"] },
      "privileges",
      'Grant.privileges: "USAGE" is no privilege of a table; there are ALL, SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN',
    ],
    [{ ...onTables, schema: "" }, "schema", 'Grant.schema is needed with objectType "table"'],
    [
      { ...onTables, objectType: "schema", privileges: [], objects: ["a"] },
      "objects",
      'Grant.objects cannot be given with objectType "schema"',
    ],
    [{ ...onTables, columns: ["a"] }, "columns", 'Grant.columns needs objectType "column"'],
    [
      { ...onTables, objectType: "column", objects: ["t"] },
      "columns",
      'Grant.columns is needed with objectType "column"',
    ],
    [
      { ...onTables, objectType: "column", columns: ["a"] },
      "objects",
      'Grant.objects must name exactly one with objectType "column"',
    ],
    [
      { ...onTables, role: "public", withGrantOption: true },
      "withGrantOption",
      'Grant.withGrantOption cannot be true for the role "public": PostgreSQL gives no grant options to everyone',
    ],
    [
      { ...onTables, objectType: "function", privileges: [], objects: ["f(int); drop"] },
      "objects",
      'Grant.objects has "f(int); drop", which is neither name nor name(types)',
    ],
  ] as [Record<string, unknown>, string, string][])("refuses the grant %o", async (inputs, property, reason) => {
    expect(await faults(grant, inputs)).toEqual([[property, reason]]);
  });

  it("refuses default privileges on schemas within a schema", async () => {
    const inputs = { ...onTables, owner: "owner", objectType: "schema", privileges: ["USAGE"] };
    expect(await faults(defaults, inputs)).toEqual([
      ["schema", 'DefaultPrivileges.schema cannot be given with objectType "schema": schemas lie in no schema'],
    ]);
  });

  it("accepts values that are not known yet", async () => {
    const unknown = unknownValue;
    const inputs = { role: unknown, database: unknown, schema: unknown, objectType: "table", privileges: [unknown] };
    expect(await faults(grant, inputs)).toEqual([]);
    expect(await faults(role, { name: unknown, connectionLimit: unknown, roles: unknown })).toEqual([]);
  });

  it("makes up a name of the logical one where none is given, and keeps it", async () => {
    const type = await typeOf(role);
    const first = await type.check(callContext("reporting"), {}, undefined);
    expect(first.inputs.name).toMatch(/^reporting-[0-9a-f]{7}$/);
    expect(first.inputs.__defaults).toEqual(["connectionLimit", "encryptedPassword", "inherit", "name", "validUntil"]);
    const second = await type.check(callContext("reporting"), {}, first.inputs);
    expect(second.inputs).toEqual(first.inputs);
  });
});
