import { Client, type ClientConfig } from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { withRequestContext } from "../../../../scripts/client/context.ts";
import { createPool } from "../../../../scripts/client/create-pool.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import { type Connection, clientConfig, connectionUrl, inDatabase } from "../../../../scripts/connection/connection.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { lastLogLines } from "../../../../scripts/docker/container-log.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type { StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { commit, shopDrafts } from "../../../embedded/infra/program/shop.ts";
import { type Prometheus, prometheusAt } from "../../prometheus.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";
import { describePoolerAlerts, makePoolerAlertsImpatient } from "./describe-pooler-alerts.ts";

const docker = dockerClient();
const poolSize = 4;

describe("the pooler of a stack", () => {
  let shop: DockerStack;
  let outputs: StackOutputs;
  let prometheus: Prometheus;

  const settings = { pooler: { maxClients: 300, poolSize }, monitoring: true };
  beforeAll(async () => {
    // A host could have loaded the program before this test edits it.
    shop = await makeDockerStack({ ownPlugins: true });
    await makePoolerAlertsImpatient(shop.clone, settings.pooler.maxClients);
    await shop.configure(settings);
    await shop.succeed("up");
    outputs = JSON.parse((await shop.succeed("outputs", "--json")).stdout) as StackOutputs;
    prometheus = prometheusAt(outputs.monitoring?.prometheus ?? "");
  });

  /** Connection of a role through the pooler, with the stack's current password. */
  const pooled = async (role: string): Promise<Connection> => ({
    ...(await shop.login(role)),
    port: outputs.server.pooler?.port ?? 0,
  });
  const open = async (connection: Connection, more: ClientConfig = {}) => {
    const client = new Client({ ...clientConfig(connection, "shop"), ...more });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const withPooled = async <T>(role: string, work: (client: Client) => Promise<T>, more: ClientConfig = {}) => {
    const client = await open(await pooled(role), more);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  /** Runs statements as the superuser in the database `postgres`. Returns the rows of the last one. */
  const inPostgres = async (sql: string): Promise<unknown[]> =>
    withClient(inDatabase(await shop.login("superuser"), "postgres"), async (client) => {
      const results = [await client.query(sql)].flat();
      return results.at(-1)?.rows ?? [];
    });
  const startedAt = async () => {
    const { Id, State } = await shop.inspected("pooler");
    return `${Id} ${State.StartedAt}`;
  };

  it("serves the URL that `url --pooled` prints, and a second up changes nothing", async () => {
    const url = new URL((await shop.succeed("url", "--pooled")).stdout.trim());
    expect([url.port, url.username, url.searchParams.get("sslmode")]).toEqual([
      String(outputs.server.pooler?.port),
      "shop_app",
      "verify-full",
    ]);
    const names = await withPooled("app", (client) => client.query("select name from product order by id"));
    expect(names.rows).toEqual([{ name: "tea" }, { name: "coffee" }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
  });

  it("shares a few server connections among many clients", async () => {
    const connection = await pooled("app");
    const clients = await Promise.all(Array.from({ length: 60 }, () => open(connection)));
    const answers = await Promise.all(
      clients.map((client) => client.query<{ pid: number }>("select pg_backend_pid() as pid, pg_sleep(0.2)")),
    );
    await Promise.all(clients.map((client) => client.end()));
    const sessions = new Set(answers.map(({ rows }) => rows[0]?.pid));
    expect(sessions.size).toBeLessThanOrEqual(poolSize);
    expect(sessions.size).toBeGreaterThan(1);
  });

  it("runs prepared statements on whatever server connection a transaction gets", async () => {
    const connection = await pooled("app");
    const clients = await Promise.all(Array.from({ length: poolSize + 1 }, () => open(connection)));
    const price = async (client: Client) => {
      const { rows } = await client.query<{ price: string; pid: number }>({
        name: "price",
        text: "select price::text as price, pg_backend_pid() as pid from product where id = $1",
        values: [1],
      });
      return rows[0];
    };
    const [client, ...others] = clients as [Client, ...Client[]];
    const before = await price(client);
    // Transactions take server connections until one has that of the client, which therefore gets another.
    const waiting = [...others];
    const held: Client[] = [];
    let holder: Client | undefined;
    while (holder === undefined) {
      const other = waiting.pop();
      if (!other) throw new Error("no transaction got the client's server connection");
      await other.query("begin");
      if ((await price(other))?.pid === before?.pid) holder = other;
      else held.push(other);
    }
    await Promise.all(held.map((other) => other.query("commit")));
    const after = await price(client);
    expect([before?.price, after?.price]).toEqual(["3.50", "3.50"]);
    expect(after?.pid).not.toBe(before?.pid);
    await Promise.all(clients.map((one) => one.end()));
  });

  it("serves a pool of the kit, with the context of each request", async () => {
    const connection = connectionUrl(await pooled("app"));
    const pool = createPool({ env: {}, connection, pooled: true, max: 20 });
    const who = async () => {
      const { rows } = await pool.query<{ who: string | null }>("select current_setting('app.user_id', true) as who");
      return rows[0]?.who || undefined;
    };
    const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
    expect(await Promise.all(users.map((userId) => withRequestContext({ userId }, who)))).toEqual(users);
    const without = await Promise.all(Array.from({ length: 20 }, who));
    expect(new Set(without)).toEqual(new Set([undefined]));
    await pool.end();
  });

  it("prepares statements again after a migration has changed their table", async () => {
    const client = await open(await pooled("app"));
    const statement = { name: "everything", text: "select * from product where id = $1" };
    expect(Object.keys((await client.query(statement, [1])).rows[0])).toEqual(["id", "name", "price"]);
    await commit(shop.clone, [...shopDrafts, { name: "stock", body: "alter table product add column stock integer;" }]);
    await shop.succeed("migrate", "up");
    const other = await withPooled("app", (second) => second.query(statement, [1]));
    expect(Object.keys(other.rows[0])).toEqual(["id", "name", "price", "stock"]);
    await client.end();
    // `up` sees that the migration was applied elsewhere, and records it.
    await shop.succeed("up");
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("is a subject of health, with the logins at the server that fail", async () => {
    const subject = async () => {
      const { stdout } = await shop.pgw("health", "check", "--json");
      const { subjects } = JSON.parse(stdout) as { subjects: { name: string; level: string; detail: string }[] };
      return subjects.find(({ name }) => name === "pooler");
    };
    expect(await subject()).toEqual({
      name: "pooler",
      level: "ok",
      detail: expect.stringMatching(/^\d+ of 300 clients, 0 wait, \d+ server connections$/),
    });
    const client = await open(await pooled("readonly"));
    await client.query("select 1");
    await inPostgres("alter role shop_readonly nologin");
    try {
      await runInContainer(docker, `${shop.prefix}-pooler`, { command: ["pooler-console", "RECONNECT"] });
      client.query("select 1").catch(() => {});
      const failing =
        /\d+ failed logins at the server in the last 5 min: role "shop_readonly" is not permitted to log in$/;
      await expect
        .poll(subject, { timeout: 30_000, interval: 1_000 })
        .toMatchObject({ level: "warning", detail: expect.stringMatching(failing) });
    } finally {
      await inPostgres("alter role shop_readonly login");
      await client.end().catch(() => {});
    }
  });

  it("accepts only the roles of applications, over TLS, with their own password, in the stack's databases", async () => {
    const app = await pooled("app");
    const refusals: [string, Connection][] = [
      ["superuser", await pooled("superuser")],
      ["migrator", await pooled("migrator")],
      ["monitor", await pooled("monitor")],
      ["backup", await pooled("backup")],
      ["another password", { ...app, password: "wrong" }],
      ["an unknown role", { ...app, user: "nobody_app" }],
      ["the database postgres", { ...app, database: "postgres" }],
      ["the console", { ...app, database: "pgbouncer" }],
      ["an unknown database", { ...app, database: "other" }],
      ["no TLS", { ...app, sslmode: "disable" }],
    ];
    for (const [what, connection] of refusals) {
      const refused = open(connection).then(async (client) => {
        // A login to the database postgres is accepted, and the server refuses the first statement.
        await client.query("select 1");
        await client.end();
      });
      await expect(refused, what).rejects.toThrow(
        /SASL|authentication|permission denied|no such (user|database)|SSL required|not allowed/,
      );
    }
    const { code, stderr } = await shop.pgw("url", "--pooled", "--role", "migrator");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('The role "migrator" cannot log in through the pooler.'),
    ]);
  });

  it("has a login that a restore in place can set, and that no URL has", async () => {
    expect((await shop.clone.outputs(shop.stack)).server.logins).toHaveProperty("pooler.user", "pooler");
    expect((await shop.pgw("url", "--role", "pooler")).stderr).toContain('The role "pooler" does not exist.');
  });

  it("looks up logins with a role that can do nothing else", async () => {
    const found = async (name: string) =>
      (await inPostgres(`set role pooler; select * from pgroundwork_pooler.find_login('${name}')`)).length;
    expect([await found("shop_app"), await found("shop_readonly")]).toEqual([1, 1]);
    for (const other of ["postgres", "shop_migrator", "shop_owner", "monitor", "backup", "pooler"])
      expect(await found(other), other).toBe(0);
    await expect(inPostgres("set role pooler; select * from pg_authid")).rejects.toThrow(/permission denied/);
    await expect(
      inPostgres("set role shop_app; select * from pgroundwork_pooler.find_login('shop_app')"),
    ).rejects.toThrow(/permission denied/);
    await inPostgres("alter role shop_readonly valid until '2020-01-01'");
    expect(await found("shop_readonly")).toBe(0);
    await inPostgres("alter role shop_readonly valid until 'infinity'");
  });

  it("creates the function again if it was dropped, and revokes what others were granted", async () => {
    await inPostgres("drop function pgroundwork_pooler.find_login(text)");
    const preview = await shop.succeed("preview");
    expect(preview.stdout + preview.stderr).toContain("function pgroundwork_pooler.find_login");
    await shop.succeed("up");
    await inPostgres("grant execute on function pgroundwork_pooler.find_login(text) to public");
    await shop.succeed("up");
    const { rows } = await withPooled("app", (client) => client.query("select 1 as one"));
    expect(rows).toEqual([{ one: 1 }]);
    expect(
      await inPostgres(
        "select has_function_privilege('shop_app', 'pgroundwork_pooler.find_login(text)', 'execute') as may",
      ),
    ).toEqual([{ may: false }]);
  });

  it("uses new passwords without a restart, and sessions stay open", async () => {
    const before = await startedAt();
    const old = await pooled("app");
    const session = await open(old);
    await session.query("select 1");
    await shop.configure({ ...settings, passwordVersion: "2" });
    await shop.succeed("up");
    expect(await startedAt()).toBe(before);
    expect((await session.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    const changed = await pooled("app");
    expect(changed.password).not.toBe(old.password);
    // More clients than server connections that are open: new ones need the new password.
    const clients = await Promise.all(Array.from({ length: poolSize }, () => open(changed)));
    await Promise.all(clients.map((client) => client.query("select pg_sleep(0.2)")));
    expect((await session.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await Promise.all([...clients, session].map((client) => client.end()));
    await expect(open(old)).rejects.toThrow(/SASL|authentication/);
  });

  it("serves again after the server was restarted", async () => {
    const client = await open(await pooled("app"));
    await client.query("select 1");
    await docker.getContainer(shop.server).restart();
    await client.end().catch(() => {});
    await expect
      .poll(() => withPooled("app", (each) => each.query("select 1 as one")).then(({ rows }) => rows, String), {
        timeout: 60_000,
      })
      .toEqual([{ one: 1 }]);
  });

  it("is measured, and none of its alerts fires", async () => {
    await expect.poll(() => prometheus.query("pgbouncer_up == 1"), { timeout: 60_000 }).toHaveLength(1);
    for (const metric of [
      "pgbouncer_pools_client_maxwait_seconds",
      "pgbouncer_pools_client_active_connections",
      "pgbouncer_pools_client_waiting_connections",
      "pgbouncer_pools_server_active_connections",
      "pgbouncer_pools_server_idle_connections",
      "pgbouncer_pools_server_used_connections",
      "pgbouncer_config_max_client_connections",
    ])
      expect((await prometheus.query(metric)).length, metric).toBeGreaterThan(0);
    // The restart of the server was seen, because the rules of this stack do not wait.
    const firing = async () => (await prometheus.firing()).filter((name) => name.startsWith("Pooler"));
    await expect.poll(firing, { timeout: 60_000 }).toEqual([]);
  });

  describePoolerAlerts(() => ({
    ...{ shop, prometheus, poolSize },
    open: async (role) => open(await pooled(role)),
  }));

  it("runs with only the privileges it needs, and shows no secret", async () => {
    const known = JSON.stringify(await shop.clone.outputs(shop.stack));
    const secrets = [...known.matchAll(/"([\w-]{43})"/g)].map(([, secret = ""]) => secret);
    expect(secrets.length).toBeGreaterThan(5);
    for (const role of ["pooler", "pooler-exporter"]) {
      const { Config, HostConfig } = await shop.inspected(role);
      expect(HostConfig, role).toMatchObject({ ReadonlyRootfs: true, CapDrop: ["ALL"], Init: true, PidsLimit: 512 });
      expect(Config.User, role).toBe("999:999");
      const health = async () => (await shop.inspected(role)).State.Health?.Status;
      await expect.poll(health, { message: role, timeout: 100_000, interval: 500 }).toBe("healthy");
      const log = await lastLogLines(docker, `${shop.prefix}-${role}`, 10_000);
      const shown = JSON.stringify([Config, HostConfig]) + log;
      expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
    }
    const { HostConfig } = await shop.inspected("pooler");
    expect(HostConfig.PortBindings).toEqual({
      "6432/tcp": [{ HostIp: "127.0.0.1", HostPort: String(outputs.server.pooler?.port) }],
    });
    expect((await shop.inspected("pooler-exporter")).HostConfig.PortBindings ?? {}).toEqual({});
    const list = await runInContainer(docker, `${shop.prefix}-pooler-exporter`, {
      command: ["ls", "/etc/pgroundwork"],
    });
    expect(list.stdout).toBe("");
  });

  it("is named by each command that changed tables and could not make it replace its connections", async () => {
    await docker.getContainer(`${shop.prefix}-pooler`).stop();
    await commit(shop.clone, [
      ...shopDrafts,
      { name: "stock", body: "alter table product add column stock integer;" },
      { name: "color", body: "alter table product add column color text;" },
    ]);
    const { stderr } = await shop.succeed("migrate", "up");
    expect(stderr).toContain("The pooler has kept its server connections, on which prepared statements can fail:");
    expect(stderr).toContain(`npm run up -- --stack ${shop.stack}`);
    const note = "The pooler has kept its server connections";
    await shop.clone.write(
      "migrations/shop/current.sql",
      "--! Message: weight\n\nalter table product add weight integer;\n",
    );
    await shop.clone.write("migrations/shop/current.down.sql", "alter table product drop weight;\n");
    await shop.clone.write("teas.json", JSON.stringify({ teas: [{ id: 1, name: "green" }] }));
    await shop.succeed("backup", "dump");
    for (const command of [
      ["migrate", "commit"],
      ["migrate", "uncommit", "--yes"],
      ["dumps", "load", "--yes"],
    ])
      expect((await shop.succeed(...command)).stderr, command.join(" ")).toContain(note);
    for (const file of ["current.sql", "current.down.sql"]) await shop.clone.write(`migrations/shop/${file}`, "");
    const created = await shop.succeed("import", "json", "teas.json", "--infer", "--create");
    expect(created.stderr).toContain(note);
  });

  it("is removed with its setting, and comes back with it", async () => {
    await shop.configure({ passwordVersion: "2", monitoring: true });
    await shop.succeed("up");
    await expect(shop.inspected("pooler")).rejects.toThrow(/no such container/i);
    const { code, stderr } = await shop.pgw("url", "--pooled");
    expect([code, stderr]).toEqual([2, expect.stringContaining("has no pooler")]);
    await shop.configure({ ...settings, passwordVersion: "2" });
    expect((await shop.succeed("up")).stdout).toMatch(/^ {2}pooler {5}PgBouncer on 127\.0\.0\.1:\d+$/m);
    outputs = JSON.parse((await shop.succeed("outputs", "--json")).stdout) as StackOutputs;
    expect((await withPooled("readonly", (client) => client.query("select 1 as one"))).rows).toEqual([{ one: 1 }]);
  });
});
