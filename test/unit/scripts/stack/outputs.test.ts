import { describe, expect, it } from "vitest";
import {
  connectionTo,
  type DatabaseOutput,
  onlyDatabase,
  type StackOutputs,
} from "../../../../scripts/stack/outputs.ts";

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
  it("is made of the server's address and the role's login", () => {
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
  ])("may be the server's own %s", (role, user) => {
    expect(connectionTo(outputs, "local", "kyb", role)).toMatchObject({ database: "kyb", ...login(user) });
  });

  it("to one that there is not names those that there are", () => {
    expect(() => connectionTo(outputs, "local", "pend", "app")).toThrow(
      expect.objectContaining({ message: 'Stack "local" has no database "pend". It has: shop, kyb.', exitCode: 2 }),
    );
  });

  it("as a role that cannot log in names those that can", () => {
    expect(() => connectionTo(outputs, "local", "shop", "owner")).toThrow(
      expect.objectContaining({
        message:
          'There is no role "owner" to log in as. There are: migrator, app, readonly, superuser, monitor, backup.',
        exitCode: 2,
      }),
    );
  });
});

describe("the database that is meant where none is named", () => {
  it("is the only one", () => {
    expect(onlyDatabase({ ...outputs, databases: { kyb: database("kyb") } }, "local")).toBe("kyb");
  });

  it("is asked for where there are several", () => {
    expect(() => onlyDatabase(outputs, "local")).toThrow(
      expect.objectContaining({
        message: 'Stack "local" has 2 databases: shop, kyb.',
        remedy: "Say which with --database.",
        exitCode: 2,
      }),
    );
  });
});
