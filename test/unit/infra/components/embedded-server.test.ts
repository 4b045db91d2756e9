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
      new EmbeddedServer("server", { settings: { work_mem: "4MB" }, passwordVersion: "1", readyTimeout: 45 }, options),
  );
});

describe("the component of an embedded server", () => {
  it("declares exactly these resources, all of them its children", () => {
    const all = resources.recorded();
    expect(all.map(({ type, name }) => `${name}: ${type}`).sort()).toEqual([
      "server-admin: pulumi:providers:postgresql",
      "server-postgres: pgroundwork:index:EmbeddedServer",
      "server-ready: pgroundwork:index:Ready",
      "server-superuser-password: pgroundwork:index:Password",
      "server: pgroundwork:components:EmbeddedServer",
    ]);
    expect(all.filter(({ name }) => name !== "server").map(({ parent }) => parent)).toEqual(Array(4).fill("server"));
  });

  it("has a generated superuser password, and no port or data directory by default", () => {
    expect(resources.one("server-postgres")).toMatchObject({
      inputs: { superuserPassword: "result of server-superuser-password", settings: { work_mem: "4MB" } },
      secrets: ["superuserPassword"],
    });
    expect(Object.keys(resources.one("server-postgres").inputs).sort()).toEqual(["settings", "superuserPassword"]);
  });

  it("waits for the server as the superuser, again after its process changes", () => {
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

  it("declares the admin provider only after the server is ready", () => {
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

  it("outputs the address after SQL ran, and a secret login", async () => {
    expect(await value(server.host)).toBe("127.0.0.1");
    expect(await value(server.port)).toBe(20_123);
    expect(await value(server.version)).toBe("17.10");
    expect(server.superuser.user).toBe("postgres");
    expect(await pulumi.isSecret(server.superuser.password)).toBe(true);
  });
});

it("an embedded server has the port and data directory of its arguments", async () => {
  await registered(
    (options) =>
      new EmbeddedServer(
        "other",
        { port: 5_433, dataDirectory: "/srv/pg", settings: {}, passwordVersion: "2", readyTimeout: 1 },
        options,
      ),
  );
  expect(resources.one("other-postgres").inputs).toMatchObject({ port: 5_433, dataDirectory: "/srv/pg" });
});
