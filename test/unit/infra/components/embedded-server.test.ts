import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { EmbeddedServer } from "../../../../infra/components/embedded-server.ts";
import { recordResources, registered, value } from "./recorded-resources.ts";

let resources: Awaited<ReturnType<typeof recordResources>>;
let server: EmbeddedServer;
beforeAll(async () => {
  resources = await recordResources();
  server = await registered(
    (options) =>
      new EmbeddedServer(
        "server",
        { settings: { work_mem: "4MB" }, passwordKeeper: "1", readyTimeout: 45, protect: false },
        options,
      ),
  );
});

describe("an embedded server", () => {
  it("is made of these resources and no other, all of them its children", () => {
    const all = resources.recorded();
    expect(all.map(({ type, name }) => `${name}: ${type}`).sort()).toEqual([
      "server-admin: pulumi:providers:postgresql",
      "server-backup-password: pgroundwork:index:Password",
      "server-backup: postgresql:index/role:Role",
      "server-monitor-password: pgroundwork:index:Password",
      "server-monitor: postgresql:index/role:Role",
      "server-postgres: pgroundwork:index:EmbeddedServer",
      "server-ready: pgroundwork:index:Ready",
      "server-superuser-password: pgroundwork:index:Password",
      "server: pgroundwork:components:EmbeddedServer",
    ]);
    expect(all.filter(({ name }) => name !== "server").map(({ parent }) => parent)).toEqual(Array(8).fill("server"));
  });

  it("has a generated superuser password, and neither port nor data directory unless asked for", () => {
    expect(resources.one("server-postgres")).toMatchObject({
      inputs: { superuserPassword: "result of server-superuser-password", settings: { work_mem: "4MB" } },
      secrets: ["superuserPassword"],
    });
    expect(Object.keys(resources.one("server-postgres").inputs).sort()).toEqual(["settings", "superuserPassword"]);
  });

  it("is waited for as the superuser, again whenever its process is another", () => {
    expect(resources.one("server-ready")).toMatchObject({
      inputs: {
        host: "127.0.0.1",
        port: 20_123,
        database: "postgres",
        user: "postgres",
        password: "result of server-superuser-password",
        sslmode: "disable",
        trigger: 42,
        timeoutSeconds: 45,
        logDirectory: "/log",
      },
      secrets: ["password"],
    });
  });

  it("is administered only once it is ready", () => {
    const admin = resources.one("server-admin");
    expect(admin.dependsOn).toContain("server-ready");
    expect(admin.inputs).toEqual({
      host: "127.0.0.1",
      port: "20123",
      username: "postgres",
      password: "result of server-superuser-password",
      superuser: "true",
      sslmode: "disable",
      // The SDK's own default.
      connectTimeout: "180",
    });
    expect(admin.secrets).toEqual(["password"]);
  });

  it("has a role that watches and one that copies, which outlive their declaration", () => {
    const common = {
      secrets: ["password"],
      provider: "server-admin",
      deletedWith: "server-postgres",
      retainOnDelete: true,
      protect: false,
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
      password: "result of server-backup-password",
    });
  });

  it("generates every password with the one keeper", () => {
    const passwords = resources.recorded().filter(({ type }) => type === "pgroundwork:index:Password");
    expect(passwords.map(({ inputs }) => inputs)).toEqual(Array(3).fill({ keeper: "1" }));
    expect(passwords.map(({ secretOutputs }) => secretOutputs)).toEqual(Array(3).fill(["result"]));
  });

  it("hands on an address that is known once SQL ran, and logins that are secret", async () => {
    expect(await value(server.host)).toBe("127.0.0.1");
    expect(await value(server.port)).toBe(20_123);
    expect(await value(server.version)).toBe("17.10");
    for (const { password } of [server.superuser, server.roles.monitor, server.roles.backup]) {
      expect(await pulumi.isSecret(password)).toBe(true);
    }
    expect([server.superuser.user, server.roles.monitor.user, server.roles.backup.user]).toEqual([
      "postgres",
      "monitor",
      "backup",
    ]);
    expect(await Promise.all(server.rolesReady.map(({ urn }) => value(urn)))).toEqual([
      expect.stringMatching(/::server-monitor$/),
      expect.stringMatching(/::server-backup$/),
    ]);
  });
});

it("an embedded server takes port, data directory and protection from its arguments", async () => {
  await registered(
    (options) =>
      new EmbeddedServer(
        "other",
        { port: 5_433, dataDirectory: "/srv/pg", settings: {}, passwordKeeper: "2", readyTimeout: 1, protect: true },
        options,
      ),
  );
  expect(resources.one("other-postgres").inputs).toMatchObject({ port: 5_433, dataDirectory: "/srv/pg" });
  const protectedOnes = resources.recorded().filter(({ name, protect }) => name.startsWith("other") && protect);
  expect(protectedOnes.map(({ name }) => name).sort()).toEqual(["other-backup", "other-monitor"]);
});
