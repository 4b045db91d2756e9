import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { EmbeddedServer } from "../../../../infra/components/embedded-server.ts";
import { declareServerRoles, type ServerRoles } from "../../../../infra/components/server-roles.ts";
import { recordResources, registered, value } from "./recorded-resources.ts";

let resources: Awaited<ReturnType<typeof recordResources>>;
let roles: ServerRoles;

const declare = async (name: string, changed: { existing?: string[]; protect?: boolean } = {}) => {
  const args = { settings: {}, passwordKeeper: "1", readyTimeout: 60 };
  const server = await registered((options) => new EmbeddedServer(name, args, options));
  const declared = declareServerRoles(name, {
    server,
    existing: { known: true, roles: new Set(changed.existing ?? []), databases: new Set() },
    passwordKeeper: "1",
    protect: changed.protect ?? false,
  });
  await Promise.all(declared.roles.map(({ urn }) => value(urn)));
  return declared;
};

beforeAll(async () => {
  resources = await recordResources();
  roles = await declare("server");
});

describe("a server's own roles", () => {
  it("are one that watches and one that copies, which outlive their declaration", () => {
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

  it("may take connections that a server keeps free for them", async () => {
    const server = await registered((options) =>
      Object.assign(new EmbeddedServer("reserving", { settings: {}, passwordKeeper: "1", readyTimeout: 60 }, options), {
        reservesConnections: true,
      }),
    );
    const existing = { known: true as const, roles: new Set<string>(), databases: new Set<string>() };
    const declared = declareServerRoles("reserving", { server, existing, passwordKeeper: "1", protect: false });
    await Promise.all(declared.roles.map(({ urn }) => value(urn)));
    expect(resources.one("reserving-monitor").inputs.roles).toEqual(["pg_monitor", "pg_use_reserved_connections"]);
    expect(resources.one("reserving-backup").inputs.roles).toEqual([
      "pg_read_all_settings",
      "pg_use_reserved_connections",
    ]);
  });

  it("generate their passwords with the server's keeper", () => {
    for (const name of ["server-monitor-password", "server-backup-password"]) {
      expect(resources.one(name)).toMatchObject({
        inputs: { keeper: "1" },
        secretOutputs: ["result"],
        parent: "server",
      });
    }
  });

  it("log in with secrets, and are what databases wait for", async () => {
    expect([roles.logins.monitor.user, roles.logins.backup.user]).toEqual(["monitor", "backup"]);
    for (const { password } of Object.values(roles.logins)) expect(await pulumi.isSecret(password)).toBe(true);
    expect(await Promise.all(roles.roles.map(({ urn }) => value(urn)))).toEqual([
      expect.stringMatching(/::server-monitor$/),
      expect.stringMatching(/::server-backup$/),
    ]);
  });

  it("are taken over where the server has them, and protected where the stack is", async () => {
    await declare("other", { existing: ["backup"], protect: true });
    expect(resources.one("other-backup")).toMatchObject({ imported: "backup", protect: true });
    expect(resources.one("other-monitor")).toMatchObject({ imported: "", protect: true });
  });
});
