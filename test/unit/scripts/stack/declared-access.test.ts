import { describe, expect, it } from "vitest";
import type { SocketServer } from "../../../../scripts/backup/restore/contents.ts";
import { restoreAccess } from "../../../../scripts/backup/restore/in-place/access.ts";
import { passwordsOf } from "../../../../scripts/backup/restore/in-place/logins.ts";
import type { ServerOutput } from "../../../../scripts/model/stack-outputs.ts";
import { declaredAccess } from "../../../../scripts/stack/declared-access.ts";

const resource = (type: string, inputs: Record<string, unknown>) => ({ urn: `urn:${type}`, type, inputs });
const secret = (text: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(text),
});
const role = "postgresql:index/role:Role";
const grant = "postgresql:index/grant:Grant";
const defaults = "postgresql:index/defaultPrivileges:DefaultPrivileges";

describe("the access that a state declares", () => {
  const access = declaredAccess([
    resource(role, { name: "shop_owner", login: false }),
    resource(role, {
      ...{ name: "shop_migrator", login: true, roles: ["shop_owner"], assumeRole: "shop_owner" },
      idleInTransactionSessionTimeout: 60_000,
      password: secret("of the state"),
    }),
    resource(role, { name: "shop_app", login: true, password: { ciphertext: "v1:" } }),
    resource("pulumi:providers:postgresql", { username: "postgres", password: secret("of the provider") }),
    { ...resource(role, { name: "gone", login: true }), delete: true },
    resource(grant, { database: "shop", role: "public", objectType: "database", privileges: [] }),
    resource(grant, {
      ...{ database: "shop", role: "shop_app", objectType: "schema", schema: "public" },
      privileges: ["USAGE"],
    }),
    resource(grant, { database: "shop", role: "shop_app", objectType: "table", privileges: ["SELECT"] }),
    resource(grant, { database: "absent", role: "shop_app", objectType: "database", privileges: ["CONNECT"] }),
    resource(defaults, {
      ...{ database: "shop", role: "shop_app", owner: "shop_owner", objectType: "table", schema: "public" },
      privileges: ["SELECT", "INSERT"],
    }),
  ]);

  it("has the passwords of a state with its secrets, which win over those of older outputs", () => {
    const login = (user: string) => ({ user, password: `of the outputs: ${user}` });
    const logins = { migrator: login("shop_migrator"), app: login("shop_app") };
    const server = { logins: { superuser: login("postgres") } } as unknown as ServerOutput;
    const databases = { shop: { logins, migrations: [], seeds: [] } };
    expect([...passwordsOf({ server, databases }, access)]).toEqual([
      ["postgres", "of the provider"],
      ["shop_migrator", "of the state"],
      ["shop_app", "of the outputs: shop_app"],
    ]);
  });

  it("is created where a cluster lacks it: roles with attributes and settings, memberships, privileges", async () => {
    const executed: string[] = [];
    const answers: Record<string, unknown[]> = {
      pg_auth_members: [],
      pg_database: [{ name: "shop" }],
      "from pg_roles": [{ name: "shop_owner" }, { name: "shop_app" }],
    };
    const server: SocketServer = {
      query: async <Row>(sql: string) =>
        (Object.entries(answers).find(([part]) => sql.includes(part))?.[1] ?? []) as Row[],
      execute: async (sql, database = "postgres") => void executed.push(`${database}: ${sql}`),
    };
    await restoreAccess(server, access, () => undefined);
    expect(executed).toEqual([
      [
        "postgres: set lock_timeout = '20s';",
        'create role "shop_migrator" LOGIN;',
        'alter role "shop_migrator" set role to "shop_owner";',
        'alter role "shop_migrator" set idle_in_transaction_session_timeout to 60000;',
        'grant "shop_owner" to "shop_migrator";',
      ].join("\n"),
      [
        "shop: set lock_timeout = '20s';",
        "begin;",
        'revoke all on database "shop" from public;',
        'grant USAGE on schema "public" to "shop_app";',
        'alter default privileges for role "shop_owner" in schema "public" grant SELECT, INSERT on tables to "shop_app";',
        "commit;",
      ].join("\n"),
    ]);
  });
});
