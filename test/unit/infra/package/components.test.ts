import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { BackupDrill, type BackupDrillArgs } from "../../../../infra/package/backup-drill.ts";
import { Backups } from "../../../../infra/package/backups.ts";
import { Database } from "../../../../infra/package/database.ts";
import { DockerServer, type DockerServerArgs } from "../../../../infra/package/docker-server.ts";
import { EmbeddedServer } from "../../../../infra/package/embedded-server.ts";
import { ExternalServer } from "../../../../infra/package/external-server.ts";
import { Monitoring } from "../../../../infra/package/monitoring.ts";
import { Pooler } from "../../../../infra/package/pooler.ts";
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
    expect(resources.one("monitoring-volume-exporter").inputs.volumes).toHaveLength(4);
    expect(() => new Monitoring("port", { server: bare, exporterPort: 70_000 })).toThrow(
      "expected a port from 1 to 65535",
    );
  });

  it("are refused for a server in no container, and with components of another server", async () => {
    const server = await registered((options) => new EmbeddedServer("outside", {}, options));
    const args = { server } as unknown as { server: DockerServer };
    expect(() => new Backups("outside", args)).toThrow("the server outside is no DockerServer");
    expect(() => new Monitoring("outside", args)).toThrow("the server outside is no DockerServer");
    const backups = new Backups("elsewhere", { server: await declare("elsewhere", { backups: true }) });
    const other = await declare("unmonitored");
    expect(() => new Monitoring("mixed", { server: other, backups })).toThrow(
      "Monitoring mixed: `backups` belongs to the server elsewhere, and not to unmonitored.",
    );
    await value(backups.container);
  });

  it("sends alerts to receivers whose secrets are outputs of others", async () => {
    const server = await declare("alerting");
    const token = pulumi.secret("a-secret-token");
    const alerts = { webhook: { url: pulumi.output("https://hook.example.com"), token } };
    await registered((options) => new Monitoring("sending", { server, alerts }, options));
    const { inputs, secrets } = resources.one("sending-alertmanager-files");
    expect(inputs.files).toMatchObject({ "secrets/webhook-token": "a-secret-token" });
    expect(secrets).toEqual(["files"]);
  });

  it("gives limits to the health server, and refuses those that are not valid", async () => {
    const server = await declare("limited");
    const healthLimits = { interval: "1m", slowQuery: 500, connections: [60, 80] } as const;
    await registered((options) => new Monitoring("limiting", { server, health: true, healthLimits }, options));
    expect(resources.one("limiting-health").inputs.envs).toEqual([
      "MONITORING_INTERVAL=1m",
      "SLOW_QUERY_THRESHOLD=500",
      "CONNECTION_LIMITS=60,80",
    ]);
    expect(() => new Monitoring("wrong", { server, health: true, healthLimits: { storage: [95, 80] } })).toThrow(
      /healthLimits\.storage: expected two percentages.* got '95,80'/,
    );
  });
});

describe("a pooler in a program of others", () => {
  const folder = "test/fixtures/versions/shop";

  it("has a URL for the applications of its databases, and an exporter once monitoring has it", async () => {
    const server = await declare("pooled");
    const shop = new Database("shop", { server, folder });
    const pooler = new Pooler("pooler", { server, databases: [shop], poolSize: 7 }, { protect: true });
    const url = pooler.urlOf(shop, "readonly");
    const { inputs } = await value(pooler.container).then(() => resources.one("pooler-files"));
    expect((inputs.files as Record<string, string>)["pgbouncer.ini"]).toContain("\nmax_db_connections = 7\n");
    expect([resources.one("pooler-login").protect, resources.one("pooler-pooler").protect]).toEqual([true, false]);
    expect(await pulumi.isSecret(url)).toBe(true);
    expect(await value(url)).toMatch(/^postgresql:\/\/shop_readonly:.*\/shop\?sslmode=verify-full$/);
    expect(() => resources.one("pooler-pooler-exporter")).toThrow("0 resources");
    const { prometheus } = new Monitoring("scraping", { server, pooler });
    await value(prometheus);
    await expect.poll(() => resources.one("pooler-pooler-exporter").parent).toBe("pooler");
    pooler.declareExporter();
    expect(resources.one("scraping-prometheus-files").inputs.files as object).toHaveProperty("rules/pooler-alerts.yml");
    const other = new Database("other", { server, folder });
    expect(() => pooler.urlOf(other)).toThrow("Pooler pooler has no database other. Add it to `databases`.");
    expect(() => pooler.urlOf(shop, "migrator" as "app")).toThrow("The role migrator cannot log in through");
    expect(() => new Pooler("again", { server, databases: [shop] })).toThrow("has Pooler twice");
    await value(other.url());
    expect(resources.one("pooler-pooler-exporter").type).toBe("docker:index/container:Container");
  });

  it("refuses a server in no container, databases of another server, and connections that its server lacks", async () => {
    const server = await declare("narrow", { maxConnections: 20 });
    const shop = new Database("shop", { server, folder });
    const embedded = await registered((options) => new EmbeddedServer("no-container", {}, options));
    const pooler = (args: object) => () => new Pooler("wrong", { server, databases: [shop], ...args });
    expect(pooler({ server: embedded })).toThrow("Pooler wrong: the server no-container is no DockerServer.");
    expect(pooler({ databases: [] })).toThrow("`databases` is empty. List the databases");
    expect(pooler({ server: await declare("unrelated") })).toThrow(
      "`databases` belongs to the server narrow, and not to unrelated.",
    );
    expect(pooler({ maxClients: 0 })).toThrow("maxClients: expected a whole number from 1 to 20000, got '0'");
    expect(pooler({ poolSize: 50 })).toThrow(/would use up to 52 connections .*Increase `maxConnections`/);
    await value(shop.url());
  });
});

describe("restore drills in a program of others", () => {
  it("have the objectives, the checks of files and folders, and a location with their plan", async () => {
    const server = await declare("restored", { backups: true });
    const backups = await registered((options) => new Backups("restored-backups", { server }, options));
    const folder = "migrations/trading/checks";
    const args: BackupDrillArgs = {
      ...{ server, backups, schedule: "0 3 * * 0", maxAge: "20d" },
      objectives: { rto: "1h", rpo: "24h" },
      checks: { trading: folder, copy: [`${folder}/050-no-orphaned-audit.sql`] },
    };
    const drill = await registered((options) => new BackupDrill("restoring", args, options));
    const objectives = { rtoSeconds: 3_600, rpoSeconds: 86_400 };
    expect(await value(drill.location)).toMatchObject({
      drillContainer: resources.one("restoring-container").inputs.name,
      ...{ drill: { schedule: "0 3 * * 0", maxAgeSeconds: 20 * 86_400 }, objectives },
    });
    const { inputs } = resources.one("restoring-files");
    const plan = JSON.parse((inputs.files as Record<string, string>)["plan.json"] ?? "");
    expect(plan.objectives).toEqual(objectives);
    expect(plan.checks.trading).toHaveLength(5);
    expect(plan.checks.copy).toMatchObject([
      { file: `${folder}/050-no-orphaned-audit.sql`, query: expect.stringMatching(/^select/i) },
    ]);
    await registered((options) => new Monitoring("drilling", { server, drill }, options));
    expect(resources.one("drilling-volume-exporter").inputs.volumes).toHaveLength(4);
    const { files } = resources.one("drilling-prometheus-files").inputs as { files: Record<string, string> };
    expect(files["rules/schedule.yml"]).toContain(String(20 * 86_400));
  });

  it("are refused without backups of their server, and with wrong arguments, all in one message", async () => {
    const server = await declare("undrilled", { backups: true });
    const backups = await registered((options) => new Backups("undrilled-backups", { server }, options));
    const drill = (args: object) => () => new BackupDrill("wrong", { server, backups, ...args });
    const bare = await declare("unarchived");
    expect(drill({ server: bare })).toThrow("the server unarchived archives no WAL");
    expect(drill({ backups: undefined })).toThrow("`backups` is missing. Declare Backups of undrilled");
    const other = await declare("archived", { backups: true });
    expect(drill({ server: other })).toThrow("`backups` belongs to the server undrilled, and not to archived.");
    const checks = { shop: ["nowhere.sql", "infra/package"] };
    const wrong = { schedule: "every day", objectives: { rto: "soon", rpx: "1h" }, checks };
    const lines = [
      "Arguments of BackupDrill wrong are wrong:",
      "- checks.shop: nowhere.sql does not exist. Paths are relative to the project directory.",
      "- checks.shop: infra/package has no SQL file. Add a check to the folder, or leave it out.",
      "- schedule: 'every day' is not a schedule: it has 2 fields instead of 5 (minute, hour, day, month, weekday)",
      "- objectives.rpx: is not a setting; did you mean 'rpo'?",
      "- objectives.rto: expected a duration such as 90s, 30m, 24h or 45d, got 'soon'",
    ];
    expect(drill(wrong)).toThrow(lines.join("\n"));
    expect(drill({ maxAge: "1d" })).toThrow("- maxAge: 1d is shorter than");
    await registered((options) => new BackupDrill("once", { server, backups }, options));
    expect(drill({})).toThrow("has BackupDrill twice");
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
