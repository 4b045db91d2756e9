import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { Backups } from "../../../../infra/package/backups.ts";
import { Database } from "../../../../infra/package/database.ts";
import { DockerServer, type DockerServerArgs } from "../../../../infra/package/docker-server.ts";
import { EmbeddedServer } from "../../../../infra/package/embedded-server.ts";
import { ExternalServer } from "../../../../infra/package/external-server.ts";
import { Monitoring } from "../../../../infra/package/monitoring.ts";
import { recordResources, registered, value } from "../components/recorded-resources.ts";

/** Answers of the plugin: a new Docker engine, and a server that has everything that is declared on it. */
function answer({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  if (token === "pgroundwork:index:dockerState") return { known: true, imageTriggers: [] };
  if (token !== "pgroundwork:index:existingObjects") return {};
  const { roles, databases } = inputs as { roles: string[]; databases: string[] };
  return { known: true, roles, databases, undeclared: [], ownsPostgres: false };
}

let resources: Awaited<ReturnType<typeof recordResources>>;
beforeAll(async () => {
  resources = await recordResources(answer);
});

const declare = (name: string, args: DockerServerArgs = {}) =>
  registered((options) => new DockerServer(name, args, options));

describe("a server in a container, in a program of others", () => {
  it("has objects with its own name, and labels that tell it from other servers of the stack", async () => {
    const server = await declare("first", { memory: 512 });
    expect(await value(server.container)).toBeDefined();
    const { inputs } = resources.one("first-docker-names");
    expect(inputs).toMatchObject({ server: "first" });
    expect(resources.one("first-data").inputs).toMatchObject({
      name: "project-stack-first-data",
      labels: expect.arrayContaining([{ label: "pgroundwork.server", value: "first" }]),
    });
    expect(resources.one("first-postgres").parent).toBe("first");
  });

  it("protects what holds data, also if a parent is protected, but no container", async () => {
    const parent = new pulumi.ComponentResource("acme:index:Platform", "platform", {}, { protect: true });
    await registered((options) => new DockerServer("kept", { backups: true }, { ...options, protect: true }));
    await registered((options) => new DockerServer("below", {}, { ...options, parent }));
    for (const name of ["kept-data", "kept-backups-volume", "kept-backups-passphrase", "below-data"])
      expect(resources.one(name).protect, name).toBe(true);
    for (const name of ["kept-postgres", "kept-files", "kept-network", "below-postgres"])
      expect(resources.one(name).protect, name).toBe(false);
  });

  it("has the names of the kit's own program if it is called server", async () => {
    await declare("server");
    expect(resources.one("server-docker-names").inputs).not.toHaveProperty("server");
  });

  it("refuses wrong arguments, all in one message", () => {
    const wrong = { memory: 100, bindAddress: "here", postgresql: { port: 1 }, extensions: ["hstore"] };
    const lines = [
      "Arguments of DockerServer wrong are wrong:",
      "- memory: expected a whole number of at least 256 (MB), got '100'",
      "- postgresql.port: is set by the kit: use the setting 'port'",
      "- bindAddress: expected an IP address, got 'here'",
      "- extensions[0]: expected a list of pg_cron, pg_stat_statements, pgaudit, got '[\"hstore\"]'",
    ];
    expect(() => new DockerServer("wrong", wrong)).toThrow(lines.join("\n"));
  });

  it.each([
    [
      "settings that give up durability, if it is protected",
      { postgresql: { fsync: false } },
      "postgresql.fsync: 'off'",
    ],
    [
      "an archive command of its own, with backups",
      { backups: true, postgresql: { archive_command: "" } },
      "is set by the kit",
    ],
    ["shared buffers that do not fit into its memory", { postgresql: { shared_buffers: "2GB" } }, "does not fit"],
  ])("refuses %s", (_what, args, message) => {
    expect(() => new DockerServer("risky", args, { protect: true })).toThrow(message);
  });

  it.each([
    ["has a character that Docker refuses", "a server", "use only letters"],
    ["makes host names too long", "a".repeat(60), "Use a shorter name."],
    ["another server has", "first", "two servers of the name first"],
  ])("refuses a name that %s", (_why, name, message) => {
    expect(() => new DockerServer(name)).toThrow(message);
  });
});

describe("backups and monitoring in a program of others", () => {
  it("are refused for a server that archives no WAL, and twice on one server", async () => {
    const bare = await declare("bare");
    expect(() => new Backups("none", { server: bare })).toThrow("Backups none: the server bare archives no WAL.");
    const server = await declare("archiving", { backups: true });
    expect(() => new Backups("odd", { server, full: "every day" })).toThrow("Backups odd: full: 'every day'");
    const backups = await registered((options) => new Backups("backups", { server }, options));
    expect(() => new Backups("again", { server })).toThrow("has Backups twice");
    expect(await pulumi.isSecret(backups.passphrase)).toBe(true);
    expect(await pulumi.isSecret(backups.location)).toBe(false);
    expect(await value(backups.location)).toMatchObject({
      schedule: { full: "0 2 * * *", incremental: "0 */6 * * *" },
    });
    await registered((options) => new Monitoring("monitoring", { server, backups }, options));
    expect(resources.one("monitoring-volume-exporter").inputs.volumes).toHaveLength(3);
    expect(() => new Monitoring("port", { server: bare, exporterPort: 70_000 })).toThrow(
      "expected a port from 1 to 65535",
    );
  });
});

describe("a server that others run, in a program of others", () => {
  it("takes outputs of other resources, and verifies the certificate if it has a CA", async () => {
    const host = pulumi.output("db.example.org");
    const password = "a-secret-password";
    const plain = await registered(
      (options) => new ExternalServer("plain", { host, user: "admin", password }, options),
    );
    expect(plain.sslmode).toBe("require");
    expect(resources.one("plain-ready")).toMatchObject({
      inputs: { host: "db.example.org", port: 5432, database: "postgres", user: "admin", sslmode: "require" },
      secrets: ["password"],
    });
    const args = {
      host,
      user: "admin",
      password,
      superuser: false,
      caCertificate: "PEM",
      sslmode: "verify-ca",
    } as const;
    const checked = await registered((options) => new ExternalServer("checked", args, options));
    expect([checked.sslmode, checked.limitedAdmin]).toEqual(["verify-ca", true]);
  });
});

describe("a database in a program of others", () => {
  it("refuses a name that PostgreSQL or the kit cannot use, and one that its server has already", async () => {
    const server = await registered((options) => new EmbeddedServer("local", {}, options));
    for (const name of ["Shop", "pg_shop", "postgres"])
      expect(() => new Database("shop", { server, name })).toThrow("Set its argument `name`.");
    const orders = new Database("orders", { server, folder: "test/fixtures/versions/shop" });
    expect(() => new Database("copy", { server, name: "orders" })).toThrow("the database orders twice");
    // Its resources are declared later. The next test file in this process has other mocks.
    await value(orders.url("app"));
  });
});
