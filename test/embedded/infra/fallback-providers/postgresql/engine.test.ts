import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { recordedDeployment, recordedResourcesOf, sealedInState } from "../../../../recorded-resources.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { sql } from "./sql.ts";
import { projectName, stackName, startStack, type TestStack } from "./stack.ts";

let server: TestServer;
let test: TestStack;

/** Password of the recorded role in the fixture. */
const password = "recorded-password";

/** True if the program imports existing objects that have a name. */
let imports = false;

/**
 * The program whose state under the official plugin was recorded, without the GrantRole that conflicts with its Role.
 */
async function program(): Promise<void> {
  const { host, port, user, password: adminPassword } = server.connection();
  const settings = { host, port, username: user, password: pulumi.secret(adminPassword ?? ""), sslmode: "disable" };
  const provider = new postgresql.Provider("pg", { ...settings, superuser: true });
  const options = { provider };
  const named = (id: string) => ({ provider, ...(imports ? { import: id } : {}) });
  const readers = new postgresql.Role("readers", { name: "readers" }, named("readers"));
  new postgresql.Role("autorole", {}, options);
  const login = { name: "app", login: true, password: pulumi.secret(password), roles: [readers.name] };
  const app = new postgresql.Role("app", login, named("app"));
  const locale = { lcCollate: "C.UTF-8", lcCtype: "C.UTF-8" };
  new postgresql.Database("plaindb", { name: "plaindb", ...locale }, named("plaindb"));
  const database = new postgresql.Database("appdb", { name: "appdb", owner: app.name, ...locale }, named("appdb")).name;
  const schema = new postgresql.Schema("appschema", { name: "appschema", database, owner: app.name }, options).name;
  new postgresql.Extension("pgcrypto", { name: "pgcrypto", database }, options);
  const of = { database, role: readers.name };
  new postgresql.Grant("g-db", { ...of, objectType: "database", privileges: ["CONNECT"] }, options);
  new postgresql.Grant("g-sch", { ...of, schema, objectType: "schema", privileges: ["USAGE"] }, options);
  new postgresql.Grant("g-tab", { ...of, schema: "public", objectType: "table", privileges: ["SELECT"] }, options);
  new postgresql.DefaultPrivileges(
    "dp",
    { ...of, schema, owner: app.name, objectType: "table", privileges: ["SELECT"] },
    options,
  );
}

beforeAll(async () => {
  server = await startServer();
  test = await startStack(program);
});
afterAll(async () => {
  await test?.remove();
  await server?.stop();
});

const everything = 13;

describe("a stack with the fallback provider under the real engine", () => {
  it("previews no changes to a state that the official plugin wrote", async () => {
    const deployment = await test.stack.exportStack();
    const recorded = await official();
    await test.stack.importStack({ ...deployment, deployment: { ...deployment.deployment, ...recorded } });
    // None of these objects exist on this server, so that a provider that asks it would see a difference.
    expect((await test.stack.preview()).changeSummary).toEqual({ same: everything });
    await test.stack.importStack({ ...deployment, deployment: { ...deployment.deployment, resources: [] } });
  });

  it("comes up, and then has no changes at the next up or after a refresh", async () => {
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ create: everything });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything });
    expect((await test.stack.refresh()).summary.resourceChanges).toEqual({ same: everything });
    expect((await test.stack.preview()).changeSummary).toEqual({ same: everything });
  });

  it("keeps passwords out of its state", async () => {
    const state = await test.stateOnDisk();
    expect(state).toContain('"postgresql:index/role:Role"');
    expect(state.includes(password)).toBe(false);
    expect(state.includes(server.connection().password ?? "")).toBe(false);
  });

  it("previews the drift that a refresh found, and up corrects it", async () => {
    await sql(
      server.connection(),
      "alter role app connection limit 3",
      "revoke connect on database appdb from readers",
    );
    await sql(server.connection("appdb"), "drop extension pgcrypto");
    await test.stack.refresh();
    expect((await test.stack.preview()).changeSummary).toEqual({ create: 1, same: everything - 3, update: 2 });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ create: 1, same: everything - 3, update: 2 });
    await test.stack.refresh();
    expect((await test.stack.preview()).changeSummary).toEqual({ same: everything });
  });

  it("adopts its objects after the state was lost if the program imports them", async () => {
    const deployment = await test.stack.exportStack();
    await test.stack.importStack({ ...deployment, deployment: { ...deployment.deployment, resources: [] } });
    await expect(test.stack.up()).rejects.toThrow('role "readers" already exists (SQLSTATE 42710)');

    imports = true;
    await sql(server.connection(), "alter role readers createdb");
    const { resourceChanges } = (await test.stack.up()).summary;
    expect(resourceChanges).toMatchObject({ import: 4 });
    expect((await test.stack.preview()).changeSummary).toEqual({ same: everything });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything });
    expect(await sql(server.connection(), "select rolcreatedb from pg_roles where rolname = 'readers'")).toEqual([
      { rolcreatedb: false },
    ]);
    imports = false;
    expect((await test.stack.preview()).changeSummary).toEqual({ same: everything });
  });

  it("leaves nothing on the server after destroy", async () => {
    await test.stack.destroy();
    const left =
      "select datname as name from pg_database where datname like '%db' union select rolname from pg_roles where rolname in ('app', 'readers')";
    expect(await sql(server.connection(), left)).toEqual([]);
  });
});

/** Returns the recorded resources as a state of this stack, on a provider for this server. */
async function official() {
  const records = (await recordedResourcesOf("postgresql")).filter(({ stack }) => stack === "pg");
  const { host, port, user, password: adminPassword } = server.connection();
  const configuration = {
    connectTimeout: "180",
    host,
    password: sealedInState(adminPassword),
    port: String(port),
    sslmode: "disable",
    superuser: "true",
    username: user,
    version: "3.18.1",
  };
  const provider = {
    package: "postgresql",
    name: "pg",
    id: "9aa4b9f0-d556-46db-93db-8f68c468cc0c",
    inputs: { __internal: {}, ...configuration },
    outputs: configuration,
    isDeclared: true,
  };
  return recordedDeployment(
    { projectName, stackName, provider },
    records.map((record) => {
      const { name, type, inputs, outputs } = record;
      const declared = type.endsWith(":Role") && name === "app" ? { ...inputs, roles: ["readers"] } : inputs;
      return { ...record, inputs: withSecrets(declared), outputs: withSecrets(outputs) };
    }),
  );
}

function withSecrets(values: Properties): Properties {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      key.startsWith("password") && key !== "passwordWoVersion" ? sealedInState(value) : value,
    ]),
  );
}
