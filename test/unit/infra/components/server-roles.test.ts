import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Existing } from "../../../../infra/components/checks/existing-objects.ts";
import { EmbeddedServer } from "../../../../infra/components/embedded-server.ts";
import { declareServerRoles, type ServerRoles } from "../../../../infra/components/server-roles.ts";
import { recordResources, registered, value } from "./recorded-resources.ts";

let resources: Awaited<ReturnType<typeof recordResources>>;
let roles: ServerRoles;

const declare = async (
  name: string,
  changed: { existing?: string[]; protect?: boolean; postgres?: Existing["postgres"] } = {},
) => {
  const args = { settings: {}, passwordVersion: "1", readyTimeout: 60 };
  const server = await registered((options) => new EmbeddedServer(name, args, options));
  const declared = declareServerRoles(name, {
    server,
    existing: {
      known: true,
      roles: new Set(changed.existing ?? []),
      databases: new Set(),
      undeclared: [],
      ...(changed.postgres === undefined ? {} : { postgres: changed.postgres }),
    },
    passwordVersion: "1",
    protect: changed.protect ?? false,
  });
  await Promise.all(declared.roles.map(({ urn }) => value(urn)));
  return declared;
};

const onPostgres = { database: "postgres", objectType: "database" };

beforeAll(async () => {
  resources = await recordResources();
  roles = await declare("server");
});

describe("the roles of a server", () => {
  it("are monitor and backup, which stay on the server when they are no longer declared", () => {
    const common = {
      secrets: ["password"],
      parent: "server",
      provider: "server-admin",
      deletedWith: "server-postgres",
      retainOnDelete: true,
      protect: false,
      imported: "",
    };
    expect(resources.one("server-monitor")).toMatchObject(common);
    expect(resources.one("server-monitor").inputs).toEqual({
      name: "monitor",
      login: true,
      roles: ["pg_monitor"],
      password: "result of server-monitor-password",
    });
    expect(resources.one("server-backup")).toMatchObject(common);
    expect(resources.one("server-backup").inputs).toEqual({
      name: "backup",
      login: true,
      replication: true,
      roles: ["pg_read_all_settings"],
      password: "result of server-backup-password",
    });
  });

  it("can use connections that a server reserves for them", async () => {
    const server = await registered((options) =>
      Object.assign(
        new EmbeddedServer("reserving", { settings: {}, passwordVersion: "1", readyTimeout: 60 }, options),
        {
          reservesConnections: true,
        },
      ),
    );
    const existing = { known: true as const, roles: new Set<string>(), databases: new Set<string>(), undeclared: [] };
    const declared = declareServerRoles("reserving", { server, existing, passwordVersion: "1", protect: false });
    await Promise.all(declared.roles.map(({ urn }) => value(urn)));
    expect(resources.one("reserving-monitor").inputs.roles).toEqual(["pg_monitor", "pg_use_reserved_connections"]);
    expect(resources.one("reserving-backup").inputs.roles).toEqual([
      "pg_read_all_settings",
      "pg_use_reserved_connections",
    ]);
  });

  it("need no superuser if the server's admin is none: backup is an ordinary login", async () => {
    const server = await registered((options) =>
      Object.assign(new EmbeddedServer("limited", { settings: {}, passwordVersion: "1", readyTimeout: 60 }, options), {
        limitedAdmin: true,
      }),
    );
    const existing = { known: true as const, roles: new Set<string>(), databases: new Set<string>(), undeclared: [] };
    const declared = declareServerRoles("limited", { server, existing, passwordVersion: "1", protect: false });
    await Promise.all(declared.roles.map(({ urn }) => value(urn)));
    expect(resources.one("limited-monitor").inputs.roles).toEqual(["pg_monitor"]);
    const { inputs } = resources.one("limited-backup");
    expect([inputs.login, inputs.replication, inputs.roles]).toEqual([true, undefined, undefined]);
  });

  it("generate their passwords with the server's rotation trigger", () => {
    for (const name of ["server-monitor-password", "server-backup-password"]) {
      expect(resources.one(name)).toMatchObject({
        inputs: { keeper: "1" },
        secretOutputs: ["result"],
        parent: "server",
      });
    }
  });

  it("have secret logins, and databases depend on them", async () => {
    expect([roles.logins.monitor.user, roles.logins.backup.user]).toEqual(["monitor", "backup"]);
    for (const { password } of Object.values(roles.logins)) expect(await pulumi.isSecret(password)).toBe(true);
    expect(await Promise.all(roles.roles.map(({ urn }) => value(urn)))).toEqual([
      expect.stringMatching(/::server-monitor$/),
      expect.stringMatching(/::server-backup$/),
    ]);
  });

  it("are imported if the server has them, and protected if the stack is", async () => {
    await declare("other", { existing: ["backup"], protect: true });
    expect(resources.one("other-backup")).toMatchObject({ imported: "backup", protect: true });
    expect(resources.one("other-monitor")).toMatchObject({ imported: "", protect: true });
  });

  const grants = () =>
    resources.recorded().filter(({ type, parent }) => type === "postgresql:index/grant:Grant" && parent === "server");

  it("get access to the database postgres, one after the other, before PUBLIC loses it", async () => {
    await vi.waitFor(() => expect(grants()).toHaveLength(3));
    expect(grants().map(({ name, inputs, dependsOn }) => [name, inputs, dependsOn.includes("server-backup")])).toEqual([
      ["server-connect-monitor", { ...onPostgres, role: "monitor", privileges: ["CONNECT"] }, true],
      ["server-connect-backup", { ...onPostgres, role: "backup", privileges: ["CONNECT"] }, false],
      ["server-connect-public", { ...onPostgres, role: "public", privileges: [] }, false],
    ]);
    expect(grants().map(({ dependsOn }) => dependsOn.filter((each) => each.startsWith("server-connect-")))).toEqual([
      [],
      ["server-connect-monitor"],
      ["server-connect-backup"],
    ]);
    for (const grant of grants()) expect(grant).toMatchObject({ retainOnDelete: true, deletedWith: "server-postgres" });
  });

  it("get no grants on the database postgres if the login does not own it", async () => {
    await declare("guest", { postgres: { ownsPostgres: false, publicConnects: true, connectingByPublic: [] } });
    expect(resources.recorded().filter(({ name }) => name.startsWith("guest-connect-"))).toEqual([]);
  });
});
