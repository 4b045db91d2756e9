import { describe, expect, it } from "vitest";
import type { DatabaseOutput, StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { connectionTo } from "../../../../scripts/stack/outputs.ts";

const login = (user: string) => ({ user, password: `password of ${user}` });
const database = (name: string): DatabaseOutput => ({
  logins: { migrator: login(`${name}_migrator`), app: login(`${name}_app`), readonly: login(`${name}_readonly`) },
  migrations: [],
  seeds: [],
});
const outputs: StackOutputs = {
  protected: false,
  server: {
    kind: "embedded",
    host: "127.0.0.1",
    port: 20_123,
    sslmode: "disable",
    version: "17.10",
    dataDirectory: "/data",
    logDirectory: "/log",
    logins: { superuser: login("postgres"), monitor: login("monitor"), backup: login("backup") },
  },
  databases: { shop: database("shop"), kyb: database("kyb") },
};

describe("a connection to a stack's database", () => {
  it("has the server's address and the role's login", () => {
    const { host, port, sslmode } = outputs.server;
    expect(connectionTo(outputs, "local", "shop", "app")).toEqual({
      host,
      port,
      sslmode,
      database: "shop",
      ...login("shop_app"),
    });
  });

  it.each([
    ["superuser", "postgres"],
    ["monitor", "monitor"],
    ["backup", "backup"],
  ])("can use the server's role %s", (role, user) => {
    expect(connectionTo(outputs, "local", "kyb", role)).toMatchObject({ database: "kyb", ...login(user) });
  });

  it("to a missing database names the existing ones", () => {
    expect(() => connectionTo(outputs, "local", "pend", "app")).toThrow(
      expect.objectContaining({ message: 'Stack "local" has no database "pend". It has: shop, kyb.', exitCode: 2 }),
    );
  });

  it("as a role that cannot log in names those that can", () => {
    expect(() => connectionTo(outputs, "local", "shop", "owner")).toThrow(
      expect.objectContaining({
        message:
          'The role "owner" does not exist. Roles with a login: migrator, app, readonly, superuser, monitor, backup.',
        exitCode: 2,
      }),
    );
  });
});
