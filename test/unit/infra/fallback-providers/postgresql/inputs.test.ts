import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../../infra/provider-protocol/values.ts";
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

describe("the inputs of the postgresql fallback provider", () => {
  it("are refused if unknown, with the names of those that exist", async () => {
    expect(await faults("postgresql:index/extension:Extension", { name: "citext", shema: "public" })).toEqual([
      ["shema", 'Extension has no input "shema"; it has name, database, schema, version, createCascade, dropCascade'],
    ]);
  });

  it("are refused if only the official plugin supports them, with the reason", async () => {
    expect(await faults(role, { name: "app", passwordWo: "x", passwordWoVersion: "1", encrypted: "true" })).toEqual([
      ["passwordWo", "Role.passwordWo is not supported here: use password, which is stored as a secret"],
      ["passwordWoVersion", "Role.passwordWoVersion is not supported here: use password, which is stored as a secret"],
      ["encrypted", "Role.encrypted is deprecated: remove it, since passwords are always stored encrypted"],
    ]);
    expect(
      await faults("postgresql:index/schema:Schema", { name: "s", policies: [{ role: "app", usage: true }] }),
    ).toEqual([
      ["policies", 'Schema.policies is deprecated and not supported here: use a Grant with objectType "schema"'],
    ]);
    expect(await faults("postgresql:index/schema:Schema", { name: "s", policies: [] })).toEqual([]);
  });

  it("have all their errors reported together", async () => {
    expect(await faults(role, { name: "", login: "yes", connectionLimit: -2, roles: "readers" })).toEqual([
      ["name", "Role.name must not be empty"],
      ["login", "Role.login must be true or false"],
      ["connectionLimit", "Role.connectionLimit must be -1 or more, but is -2"],
      ["roles", "Role.roles must be a list of strings"],
    ]);
    expect(await faults(grant, {})).toEqual([
      ["role", 'Grant needs "role"'],
      ["database", 'Grant needs "database"'],
      ["objectType", 'Grant needs "objectType"'],
      ["privileges", 'Grant needs "privileges"'],
    ]);
  });

  it("are refused for passwords and names with another meaning in PostgreSQL", async () => {
    expect(await faults(role, { name: "public", password: "null", encryptedPassword: false })).toEqual([
      [
        "encryptedPassword",
        "Role.encryptedPassword cannot be false: PostgreSQL has not stored plain passwords since version 10",
      ],
      ["password", 'Role.password "NULL" means "no password" to the official plugin: remove password instead'],
      ["name", 'Role.name "public" is reserved by PostgreSQL'],
    ]);
  });

  it.each([
    [
      { ...onTables, objectType: "view" },
      "objectType",
      'Grant.objectType must be one of database, schema, table, sequence, function, procedure, routine, foreign_data_wrapper, foreign_server, column, but is "view"',
    ],
    [
      { ...onTables, privileges: ["USAGE"] },
      "privileges",
      'Grant.privileges: "USAGE" is not a privilege of a table; the privileges are ALL, SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN',
    ],
    [{ ...onTables, schema: "" }, "schema", 'Grant.schema is needed with objectType "table"'],
    [
      { ...onTables, objectType: "schema", privileges: [], objects: ["a"] },
      "objects",
      'Grant.objects cannot be set with objectType "schema"',
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
      'Grant.objects must contain exactly one name with objectType "column"',
    ],
    [
      { ...onTables, role: "public", withGrantOption: true },
      "withGrantOption",
      'Grant.withGrantOption cannot be true for the role "public": grant options can only be granted to roles',
    ],
    [
      { ...onTables, objectType: "function", privileges: [], objects: ["f(int); drop"] },
      "objects",
      'Grant.objects contains "f(int); drop", which is neither a name nor name(types)',
    ],
  ] as [Record<string, unknown>, string, string][])("exclude the grant %o", async (inputs, property, reason) => {
    expect(await faults(grant, inputs)).toEqual([[property, reason]]);
  });

  it("exclude default privileges on schemas within a schema", async () => {
    const inputs = { ...onTables, owner: "owner", objectType: "schema", privileges: ["USAGE"] };
    expect(await faults(defaults, inputs)).toEqual([
      ["schema", 'DefaultPrivileges.schema cannot be set with objectType "schema": schemas cannot contain schemas'],
    ]);
  });

  it("are accepted if their values are unknown", async () => {
    const unknown = unknownValue;
    const inputs = { role: unknown, database: unknown, schema: unknown, objectType: "table", privileges: [unknown] };
    expect(await faults(grant, inputs)).toEqual([]);
    expect(await faults(role, { name: unknown, connectionLimit: unknown, roles: unknown })).toEqual([]);
  });

  it("get a name made of the logical one if none is given, and keep it", async () => {
    const type = await typeOf(role);
    const first = await type.check(callContext("reporting"), {}, undefined);
    expect(first.inputs.name).toMatch(/^reporting-[0-9a-f]{7}$/);
    expect(first.inputs.__defaults).toEqual(["connectionLimit", "encryptedPassword", "inherit", "name", "validUntil"]);
    const second = await type.check(callContext("reporting"), {}, first.inputs);
    expect(second.inputs).toEqual(first.inputs);
  });
});
