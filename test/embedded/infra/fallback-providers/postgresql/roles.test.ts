import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Connection } from "../../../../../scripts/connection/connection.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { type Made, PluginProcess } from "./plugin-process.ts";
import { sql } from "./sql.ts";

let server: TestServer;
let plugin: PluginProcess;

beforeAll(async () => {
  server = await startServer({ log_statement: "all" });
  plugin = await PluginProcess.start(server.connection());
});
afterAll(async () => {
  await plugin?.stop();
  await server?.stop();
});

function login(user: string, password: string): Connection {
  return { ...server.connection(), user, password };
}

async function serverLog(): Promise<string> {
  const files = await readdir(server.logDirectory, { recursive: true, withFileTypes: true });
  const texts = files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}

describe("a role's password", () => {
  it("works for login, and only its verifier is sent and logged", async () => {
    const password = "a-secret-that-no-log-may-hold";
    await plugin.create("Role", "app", { name: "app", login: true, password });
    expect(await sql(login("app", password), "select current_user as user")).toEqual([{ user: "app" }]);
    await expect(sql(login("app", "another"), "select 1")).rejects.toThrow("password authentication failed");
    const log = await serverLog();
    expect(log).toMatch(/ALTER ROLE "app" PASSWORD 'SCRAM-SHA-256\$4096:/);
    expect(log).not.toContain(password);
  });

  it("can have characters beyond ASCII, normalized as other clients do it", async () => {
    const password = "pässwörd ½ Ⅸ";
    await plugin.create("Role", "umlaut", { name: "umlaut", login: true, password });
    expect(await sql(login("umlaut", password), "select 1 as one")).toEqual([{ one: 1 }]);
    expect(await sql(login("umlaut", password.normalize("NFKC")), "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("is a secret output, and null if there is none", async () => {
    const inputs = { name: "sealed", password: "sealed-password" };
    expect(await plugin.sealedOutputs("Role", "sealed", inputs)).toEqual(["password", "passwordWo"]);
    const made = await plugin.create("Role", "bare", { name: "bare" });
    expect([made.outputs.password, made.outputs.passwordWo]).toEqual([null, null]);
  });

  it("is set again by the next up after it was changed or removed by hand", async () => {
    const news = { name: "drifting", login: true, password: "declared-password" };
    const made = await plugin.create("Role", "drifting", news);
    expect(await plugin.read(made)).toEqual(made);
    for (const byHand of ["password 'by-hand'", "password null"]) {
      await sql(server.connection(), `alter role drifting ${byHand}`);
      const refreshed = (await plugin.read(made)) as Made;
      expect(refreshed.outputs.password).toBe("");
      expect(await plugin.diff(refreshed, news)).toEqual(["password"]);
      const mended = await plugin.update(refreshed, news);
      expect(mended.outputs).toEqual(made.outputs);
      expect(await sql(login("drifting", "declared-password"), "select 1 as one")).toEqual([{ one: 1 }]);
    }
  });

  it("is left alone if the server already stores it, as md5 or with another salt", async () => {
    await sql(server.connection(), "set password_encryption = md5", "create role before login password 'known-before'");
    const stored = "select rolpassword from pg_authid where rolname = 'before'";
    const form = await sql(server.connection(), stored);
    const found = await plugin.read({ type: "Role", name: "before", id: "before", inputs: {}, outputs: {} });
    if (found === undefined) throw new Error("It is not found.");
    await plugin.update(found, { name: "before", login: true, password: "known-before" });
    expect(await sql(server.connection(), stored)).toEqual(form);
  });

  it("is not read without superuser rights, and fails with a hint if the provider claims them", async () => {
    await sql(server.connection(), "create role deputy login createrole password 'deputy-password'");
    const honest = await PluginProcess.start(login("deputy", "deputy-password"), { superuser: "false" });
    const claiming = await PluginProcess.start(login("deputy", "deputy-password"));
    try {
      const news = { name: "by_deputy", login: true, password: "set-by-deputy" };
      const made = await honest.create("Role", "by_deputy", news);
      expect(await honest.read(made)).toEqual(made);
      expect(await sql(login("by_deputy", "set-by-deputy"), "select 1 as one")).toEqual([{ one: 1 }]);
      await expect(claiming.read(made)).rejects.toThrow(
        'The password of role "by_deputy" cannot be compared: only a superuser may read stored passwords.\n' +
          "  Set superuser: false in the provider's configuration, or connect as a superuser.",
      );
    } finally {
      await honest.stop();
      await claiming.stop();
    }
  });
});

describe("a role's attributes", () => {
  const everything = {
    name: "everything",
    login: true,
    roles: ["group_b", "group_a"],
    assumeRole: "group_a",
    inherit: false,
    connectionLimit: 3,
    validUntil: "2031-02-03 04:05:06+00",
    replication: true,
    superuser: true,
    createDatabase: true,
    createRole: true,
    bypassRowLevelSecurity: true,
    searchPaths: ["$user", "odd, name", "public"],
    statementTimeout: 1500,
    idleInTransactionSessionTimeout: 2500,
  };

  it("are all set, read back the same, and reset when they are left out", async () => {
    for (const name of ["group_a", "group_b"]) await plugin.create("Role", name, { name });
    const made = await plugin.create("Role", "everything", everything);
    expect(made.outputs).toMatchObject({ ...everything, roles: ["group_a", "group_b"] });
    expect(await plugin.diff(made, everything)).toEqual([]);
    expect((await plugin.read(made))?.outputs).toEqual(made.outputs);
    const plain = await plugin.update(made, { name: "everything" });
    const { outputs } = await plugin.create("Role", "plain", { name: "plain" });
    expect(plain.outputs).toEqual({ ...outputs, id: "everything", name: "everything" });
    expect(await sql(server.connection(), "select rolconfig from pg_roles where rolname = 'everything'")).toEqual([
      { rolconfig: null },
    ]);
  });

  it("are corrected one by one after they were changed by hand", async () => {
    for (const name of ["group_c", "group_d"]) await plugin.create("Role", name, { name });
    const news = { name: "changed", login: true, roles: ["group_c"], statementTimeout: 1500, searchPaths: ["public"] };
    const made = await plugin.create("Role", "changed", news);
    const changes: [string, string][] = [
      ["alter role changed nologin", "login"],
      ["alter role changed createdb", "createDatabase"],
      ["alter role changed superuser", "superuser"],
      ["alter role changed connection limit 2", "connectionLimit"],
      ["alter role changed valid until '2030-01-01'", "validUntil"],
      ["revoke group_c from changed", "roles"],
      ["grant group_d to changed", "roles"],
      ["alter role changed set statement_timeout = '2min'", "statementTimeout"],
      ["alter role changed reset search_path", "searchPaths"],
      ["alter role changed set role = 'group_c'", "assumeRole"],
    ];
    for (const [statement, property] of changes) {
      await sql(server.connection(), statement);
      const refreshed = (await plugin.read(made)) as Made;
      expect(await plugin.diff(refreshed, news), statement).toEqual([property]);
      expect((await plugin.update(refreshed, news)).outputs, statement).toEqual(made.outputs);
    }
  });

  it("keep the notation of a date that means the same moment", async () => {
    const made = await plugin.create("Role", "dated", { name: "dated", validUntil: "2031-02-03T04:05:06Z" });
    expect(made.outputs.validUntil).toBe("2031-02-03T04:05:06Z");
    expect(await plugin.read(made)).toEqual(made);
  });

  it("revoke a membership that another role granted", async () => {
    await sql(
      server.connection(),
      "create role granted_group",
      "create role granting login createrole password 'x'",
      "grant granted_group to granting with admin option",
    );
    const made = await plugin.create("Role", "member", { name: "member" });
    await sql(server.connection(), "set role granting", "grant granted_group to member");
    const refreshed = (await plugin.read(made)) as Made;
    expect(refreshed.outputs.roles).toEqual(["granted_group"]);
    expect((await plugin.update(refreshed, { name: "member" })).outputs.roles).toEqual([]);
  });
});

describe("deleting a role", () => {
  it("transfers its objects to the connected user, or keeps both the role and its objects on request", async () => {
    const made = await plugin.create("Role", "owning", { name: "owning" });
    await sql(server.connection(), "create table owned_by_role (a int)", "alter table owned_by_role owner to owning");
    const kept = await plugin.update(made, { name: "owning", skipDropRole: true, skipReassignOwned: true });
    await plugin.delete(kept);
    expect(await sql(server.connection(), "select 1 from pg_roles where rolname = 'owning'")).toHaveLength(1);
    await plugin.delete(made);
    expect(
      await sql(server.connection(), "select tableowner from pg_tables where tablename = 'owned_by_role'"),
    ).toEqual([{ tableowner: "postgres" }]);
  });

  it("names the database that still needs it", async () => {
    const made = await plugin.create("Role", "needed", { name: "needed" });
    await plugin.create("Database", "needing", { name: "needing" });
    await sql(server.connection("needing"), "create schema s authorization needed");
    await expect(plugin.delete(made)).rejects.toThrow(
      'role "needed" cannot be dropped because some objects depend on it (SQLSTATE 2BP01).\n  1 object in database needing',
    );
  });
});
