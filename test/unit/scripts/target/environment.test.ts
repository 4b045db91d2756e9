import { describe, expect, it } from "vitest";
import { exitCode, OperationError } from "../../../../scripts/errors/operation-error.ts";
import { redact } from "../../../../scripts/errors/redact.ts";
import { fromEnvironment, rootFromEnvironment } from "../../../../scripts/target/environment.ts";

const kit = { DB_HOST: "db.example", DB_NAME: "shop", DB_USER: "shop_migrator", DB_PASSWORD: "s3cret" };

function errorOf(env: NodeJS.ProcessEnv): OperationError {
  try {
    fromEnvironment(env);
  } catch (error) {
    if (error instanceof OperationError) return error;
    throw error;
  }
  throw new Error("no error was thrown");
}

describe("the target that the environment names", () => {
  it.each([
    ["nothing set", {}],
    ["empty values", { DATABASE_URL: "", DB_HOST: "", PGHOST: "" }],
    [
      "a user and a password alone, which say nothing of where",
      { PGUSER: "me", PGPASSWORD: "x", PGSSLMODE: "require" },
    ],
    ["pool settings alone", { DB_MAX_OPEN_CONNS: "10", DB_PORT: "5433" }],
  ])("is none with %s", (_, env) => {
    expect(fromEnvironment(env)).toBeUndefined();
  });

  it("takes DATABASE_URL before DB_* before PG*", () => {
    const libpq = { PGHOST: "localhost", PGDATABASE: "c", PGUSER: "me" };
    const url = { DATABASE_URL: "postgresql://u:p@localhost:6000/a" };
    expect(fromEnvironment({ ...libpq, ...kit, ...url })?.database).toBe("a");
    expect(fromEnvironment({ ...libpq, ...kit })?.database).toBe("shop");
    expect(fromEnvironment(libpq)?.database).toBe("c");
  });

  it("reads every part of DB_* and uses port 5432 and TLS beyond this machine when they are not named", () => {
    expect(fromEnvironment(kit)).toEqual({
      host: "db.example",
      port: 5432,
      database: "shop",
      user: "shop_migrator",
      password: "s3cret",
      sslmode: "require",
    });
    expect(
      fromEnvironment({ ...kit, DB_PORT: "6432", DB_SSLMODE: "verify-full", DB_SSLROOTCERT: "/ca.pem" }),
    ).toMatchObject({
      port: 6432,
      sslmode: "verify-full",
      sslrootcert: "/ca.pem",
    });
  });

  it.each([
    ["localhost", undefined, "disable"],
    ["127.0.0.1", undefined, "disable"],
    ["127.8.9.10", undefined, "disable"],
    ["::1", undefined, "disable"],
    ["/var/run/postgresql", undefined, "disable"],
    ["127.0.0.1.example", undefined, "require"],
    ["10.0.0.1", undefined, "require"],
    ["10.0.0.1", "prefer", "require"],
    ["localhost", "prefer", "disable"],
    ["localhost", "allow", "disable"],
    ["10.0.0.1", "disable", "disable"],
    ["localhost", "require", "require"],
  ])("on host %s with sslmode %s means %s", (host, sslmode, expected) => {
    expect(fromEnvironment({ ...kit, DB_HOST: host, DB_SSLMODE: sslmode })?.sslmode).toBe(expected);
  });

  it("reads require with a file of authorities as verify-ca, as libpq does", () => {
    expect(fromEnvironment({ ...kit, DB_SSLMODE: "require", DB_SSLROOTCERT: "/ca.pem" })?.sslmode).toBe("verify-ca");
  });

  it("reports every fault of the chosen source at once, as wrong usage", () => {
    const error = errorOf({
      DB_HOST: "localhost",
      DB_PORT: "70000",
      DB_SSLMODE: "on",
      PGDATABASE: "other",
      PGUSER: "me",
    });
    expect(error.message).toBe(
      [
        "The environment (DB_*) does not say which database to use:",
        "- DB_NAME is missing",
        "- DB_USER is missing",
        '- DB_PORT is "70000", expected a number from 1 to 65535',
        '- DB_SSLMODE is "on", expected one of disable, require, verify-ca, verify-full, allow, prefer',
      ].join("\n"),
    );
    expect(error.exitCode).toBe(exitCode.usage);
    expect(error.remedy).toBe("Set DB_HOST, DB_NAME and DB_USER, or unset DB_HOST and DB_NAME to use a stack.");
  });

  it.each(["0", "-1", "5432x", "65536", "5e3", " 1"])("refuses %j as a port", (port) => {
    expect(errorOf({ ...kit, DB_PORT: port }).message).toContain(
      `- DB_PORT is "${port}", expected a number from 1 to 65535`,
    );
  });

  it("does not let a wrong DATABASE_URL fall through to the next source, and keeps its password out of the message", () => {
    const error = errorOf({ ...kit, DATABASE_URL: "mysql://root:hunter2@localhost/x" });
    expect(error.text).toBe(
      "DATABASE_URL does not say which database to use:\n" +
        "- DATABASE_URL does not begin with postgresql://\n" +
        "  Write it as postgresql://user@host:5432/database, with the password behind the user and a colon, or unset it.",
    );
  });

  it("says what to write in words that are shown as they are, although they name a password", () => {
    const { text } = errorOf({ DATABASE_URL: "localhost" });
    expect(redact(text)).toBe(text);
  });

  it("fills what DATABASE_URL leaves out from PGPASSWORD and PGSSLMODE", () => {
    const env = { DATABASE_URL: "postgres://me@db.example/shop", PGPASSWORD: "pw", PGSSLMODE: "verify-full" };
    expect(fromEnvironment(env)).toMatchObject({ password: "pw", sslmode: "verify-full" });
  });
});

describe("ROOT_DATABASE_URL", () => {
  it("names who may make databases", () => {
    const ROOT_DATABASE_URL = "postgresql://admin:secret@127.0.0.1:5433/postgres";
    expect(rootFromEnvironment({ ROOT_DATABASE_URL })).toMatchObject({ user: "admin", port: 5433, password: "secret" });
  });

  it("is none where it is unset or empty", () => {
    expect(rootFromEnvironment({})).toBeUndefined();
    expect(rootFromEnvironment({ ROOT_DATABASE_URL: "" })).toBeUndefined();
  });

  it("that cannot be read is wrong usage, and its password is not in the message", () => {
    expect(() => rootFromEnvironment({ ROOT_DATABASE_URL: "http://admin:hunter22@host/x" })).toThrow(
      /ROOT_DATABASE_URL does not begin with postgresql:\/\//,
    );
    expect(() => rootFromEnvironment({ ROOT_DATABASE_URL: "http://admin:hunter22@host/x" })).not.toThrow(/hunter22/);
  });
});
