import { describe, expect, it } from "vitest";
import { type Properties, unknownValue } from "../../../../../infra/provider-protocol/values.ts";
import { declared } from "../../../../fallback-provider-process.ts";
import { callContext, recorded, recordedResources, typeOf } from "./recorded-states.ts";

const types = {
  role: "postgresql:index/role:Role",
  database: "postgresql:index/database:Database",
  extension: "postgresql:index/extension:Extension",
  schema: "postgresql:index/schema:Schema",
  grant: "postgresql:index/grant:Grant",
  defaults: "postgresql:index/defaultPrivileges:DefaultPrivileges",
};

/** Returns changes as the engine shows them: `+key`, `-key`, `~key`, with `!` for a replacement. */
async function changesOf(type: string, name: string, altered: Record<string, unknown>, dropped: string[] = []) {
  const resource = await recorded(type, name);
  const resourceType = await typeOf(type);
  const news = { ...declared(resource.inputs), ...altered };
  for (const key of dropped) delete news[key];
  const context = callContext(name);
  const checked = await resourceType.check(context, news, resource.inputs);
  expect(checked.failures).toEqual([]);
  const diff = await resourceType.diff(context, resource, checked.inputs);
  const signs = { add: "+", delete: "-", update: "~" };
  return {
    changes: diff.changes.map(({ kind, path, replace }) => `${signs[kind]}${path}${replace ? "!" : ""}`),
    deleteBeforeReplace: diff.deleteBeforeReplace,
  };
}

describe("a state of the official postgresql plugin", async () => {
  const unchanged = (await recordedResources()).filter(({ stack, name }) => !(stack === "pg" && name === "app"));

  it.each(unchanged)("gets the same inputs for $stack/$name ($type) and shows no changes", async (resource) => {
    const type = await typeOf(resource.type);
    const context = callContext(resource.name);
    const checked = await type.check(context, declared(resource.inputs), resource.inputs);
    expect(checked).toEqual({ inputs: { __defaults: [], ...resource.inputs }, failures: [] });
    expect(await type.diff(context, resource, checked.inputs)).toEqual({ changes: [], deleteBeforeReplace: false });
  });

  it("loses a membership that the program does not declare, as with the official plugin", async () => {
    expect((await changesOf(types.role, "app", {})).changes).toEqual(["-roles"]);
  });

  it("shows no changes without the official delta and with outputs of another version", async () => {
    const resource = await recorded(types.grant, "g-db");
    const type = await typeOf(types.grant);
    const outputs: Properties = { ...resource.outputs, outputOfLater: 1 };
    for (const key of ["__pulumi_raw_state_delta", "columns", "objects", "schema", "withGrantOption"])
      delete outputs[key];
    const diff = await type.diff(callContext("g-db"), { ...resource, outputs }, resource.inputs);
    expect(diff.changes).toEqual([]);
  });
});

describe("one changed input", () => {
  it.each([
    [types.role, "readers", { name: "viewers" }, ["~name"]],
    [types.role, "readers", { login: true }, ["~login"]],
    [types.role, "readers", { password: "new-password" }, ["+password"]],
    [types.role, "readers", { roles: ["app"] }, ["+roles"]],
    [types.role, "readers", { assumeRole: "app" }, ["+assumeRole"]],
    [types.role, "readers", { inherit: false }, ["~inherit"]],
    [types.role, "readers", { connectionLimit: 5 }, ["~connectionLimit"]],
    [types.role, "readers", { validUntil: "2030-01-01" }, ["~validUntil"]],
    [types.role, "readers", { replication: true }, ["~replication"]],
    [types.role, "readers", { superuser: true }, ["~superuser"]],
    [types.role, "readers", { createDatabase: true }, ["~createDatabase"]],
    [types.role, "readers", { createRole: true }, ["~createRole"]],
    [types.role, "readers", { bypassRowLevelSecurity: true }, ["~bypassRowLevelSecurity"]],
    [types.role, "readers", { searchPaths: ["app"] }, ["+searchPaths"]],
    [types.role, "readers", { statementTimeout: 5000 }, ["~statementTimeout"]],
    [types.role, "readers", { idleInTransactionSessionTimeout: 5000 }, ["~idleInTransactionSessionTimeout"]],
    [types.role, "readers", { skipDropRole: true }, ["~skipDropRole"]],
    [types.role, "readers", { skipReassignOwned: true }, ["~skipReassignOwned"]],
    [types.database, "appdb", { name: "other" }, ["~name"]],
    [types.database, "appdb", { owner: "readers" }, ["~owner"]],
    [types.database, "appdb", { template: "template1" }, ["~template!"]],
    [types.database, "appdb", { encoding: "LATIN1" }, ["~encoding!"]],
    [types.database, "appdb", { lcCollate: "C" }, ["~lcCollate!"]],
    [types.database, "appdb", { lcCtype: "C" }, ["~lcCtype!"]],
    [types.database, "appdb", { tablespaceName: "fast" }, ["~tablespaceName"]],
    [types.database, "appdb", { connectionLimit: 9 }, ["~connectionLimit"]],
    [types.database, "appdb", { allowConnections: false }, ["~allowConnections"]],
    [types.database, "appdb", { isTemplate: true }, ["~isTemplate"]],
    [types.database, "appdb", { alterObjectOwnership: true }, ["~alterObjectOwnership"]],
    [types.extension, "pgcrypto", { name: "citext" }, ["~name!"]],
    [types.extension, "pgcrypto", { database: "plaindb" }, ["~database!"]],
    [types.extension, "pgcrypto", { schema: "appschema" }, ["~schema"]],
    [types.extension, "pgcrypto", { version: "1.4" }, ["~version"]],
    [types.extension, "pgcrypto", { createCascade: true }, ["~createCascade"]],
    [types.extension, "pgcrypto", { dropCascade: true }, ["~dropCascade"]],
    [types.schema, "appschema", { name: "other" }, ["~name"]],
    [types.schema, "appschema", { database: "plaindb" }, ["~database!"]],
    [types.schema, "appschema", { owner: "readers" }, ["~owner"]],
    [types.schema, "appschema", { ifNotExists: false }, ["~ifNotExists"]],
    [types.schema, "appschema", { dropCascade: true }, ["~dropCascade"]],
    [types.grant, "g-tab", { role: "app" }, ["~role!"]],
    [types.grant, "g-tab", { database: "plaindb" }, ["~database!"]],
    [types.grant, "g-tab", { schema: "appschema" }, ["~schema!"]],
    [types.grant, "g-tab", { objectType: "sequence" }, ["~objectType!"]],
    [types.grant, "g-tab", { objects: ["accounts"] }, ["+objects!"]],
    [types.grant, "g-tab", { privileges: ["SELECT", "INSERT"] }, ["~privileges"]],
    [types.grant, "g-tab", { privileges: [] }, ["-privileges"]],
    [types.grant, "g-tab", { withGrantOption: true }, ["~withGrantOption!"]],
    [types.defaults, "dp", { role: "app" }, ["~role!"]],
    [types.defaults, "dp", { database: "plaindb" }, ["~database!"]],
    [types.defaults, "dp", { owner: "readers" }, ["~owner!"]],
    [types.defaults, "dp", { schema: "public" }, ["~schema!"]],
    [types.defaults, "dp", { objectType: "sequence" }, ["~objectType!"]],
    [types.defaults, "dp", { privileges: ["INSERT"] }, ["~privileges"]],
    [types.defaults, "dp", { withGrantOption: true }, ["~withGrantOption!"]],
  ] as [string, string, Record<string, unknown>, string[]][])(
    "of %s %s, %o, is shown as that change",
    async (type, name, altered, changes) => {
      expect((await changesOf(type, name, altered)).changes).toEqual(changes);
    },
  );

  it("that is left out again keeps values that the server computed, and resets the others", async () => {
    expect((await changesOf(types.database, "appdb", {}, ["owner"])).changes).toEqual([]);
    expect((await changesOf(types.role, "app", { roles: ["readers"] }, ["login"])).changes).toEqual(["-login"]);
    expect((await changesOf(types.defaults, "dp", {}, ["schema"])).changes).toEqual(["-schema!"]);
  });

  it("that is unknown is shown as a change", async () => {
    expect((await changesOf(types.database, "appdb", { owner: unknownValue })).changes).toEqual(["~owner"]);
    expect((await changesOf(types.grant, "g-tab", { role: unknownValue })).changes).toEqual(["~role!"]);
  });

  it("deletes an object with a given name before its replacement", async () => {
    expect((await changesOf(types.database, "appdb", { lcCollate: "C" })).deleteBeforeReplace).toBe(true);
    expect((await changesOf(types.grant, "g-db", { role: "app" })).deleteBeforeReplace).toBe(true);
    expect((await changesOf(types.defaults, "dp", { withGrantOption: true })).deleteBeforeReplace).toBe(true);
  });

  it("replaces an object with a generated name in the engine's usual order", async () => {
    const type = await typeOf(types.database);
    const { inputs } = await type.check(callContext("made"), { lcCollate: "C" }, undefined);
    const old = { id: String(inputs.name), inputs, outputs: { ...inputs, lcCollate: "C.UTF-8" } };
    expect(await type.diff(callContext("made"), old, inputs)).toEqual({
      changes: [{ path: "lcCollate", kind: "update", replace: true, input: false }],
      deleteBeforeReplace: false,
    });
  });
});

describe("equivalent values", () => {
  it("are no change: sets in any order, privileges [] and null, timeouts 0 and none", async () => {
    const grant = await recorded(types.grant, "g-db");
    const type = await typeOf(types.grant);
    const stored = { ...grant, outputs: { ...grant.outputs, privileges: ["CONNECT", "TEMPORARY"] } };
    const diff = (outputs: unknown, inputs: unknown) =>
      type.diff(
        callContext("g-db"),
        { ...grant, outputs: { ...grant.outputs, privileges: outputs } },
        { ...grant.inputs, privileges: inputs },
      );
    expect(
      await type.diff(callContext("g-db"), stored, { ...grant.inputs, privileges: ["TEMPORARY", "CONNECT"] }),
    ).toEqual({
      changes: [],
      deleteBeforeReplace: false,
    });
    expect((await diff(null, [])).changes).toEqual([]);
    expect((await diff([], [])).changes).toEqual([]);
    expect(
      (await changesOf(types.role, "readers", { statementTimeout: 0, roles: [], assumeRole: "" })).changes,
    ).toEqual([]);
  });

  it("do not include a search path in another order", async () => {
    const role = await recorded(types.role, "readers");
    const type = await typeOf(types.role);
    const old = { ...role, outputs: { ...role.outputs, searchPaths: ["a", "b"] } };
    const { changes } = await type.diff(callContext("readers"), old, { ...role.inputs, searchPaths: ["b", "a"] });
    expect(changes).toEqual([{ path: "searchPaths", kind: "update", input: false }]);
  });
});

describe("a preview of the postgresql fallback provider", () => {
  it("answers creates and updates without a server, with the known values", async () => {
    const type = await typeOf(types.database);
    const context = callContext("appdb");
    const database = await recorded(types.database, "appdb");
    const created = await type.create(context, { ...database.inputs, owner: unknownValue }, true);
    expect(created.id).toBe("");
    expect(created.outputs).toMatchObject({
      name: "appdb",
      owner: unknownValue,
      encoding: unknownValue,
      connectionLimit: -1,
    });
    const updated = await type.update(context, database, { ...database.inputs, connectionLimit: 7 }, true);
    const { __pulumi_raw_state_delta: _, ...outputs } = database.outputs;
    expect(updated).toEqual({ ...outputs, connectionLimit: 7 });
  });
});
