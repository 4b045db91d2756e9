import { describe, expect, it } from "vitest";
import { environmentSource, fromEnvironment, rootFromEnvironment } from "../../../../scripts/connection/environment.ts";
import { exitCode, OperationError } from "../../../../scripts/core/operation-error.ts";
import { redact } from "../../../../scripts/core/redact.ts";

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

describe("the connection target in the environment", () => {
  it.each([
    ["nothing set", {}],
    ["empty values", { DATABASE_URL: "", DB_HOST: "", PGHOST: "" }],
    ["only a user and a password", { PGUSER: "me", PGPASSWORD: "x", PGSSLMODE: "require" }],
    ["only pool settings", { DB_MAX_OPEN_CONNS: "10", DB_PORT: "5433" }],
  ])("is undefined with %s", (_, env) => {
    expect(fromEnvironment(env)).toBeUndefined();
  });

  it.each([
    [{ PGDATABASE: "shop", PGUSER: "me" }, "The environment (PG*)", "PGHOST"],
    [{ PGHOST: "localhost", PGUSER: "me" }, "The environment (PG*)", "PGDATABASE"],
    [{ DB_NAME: "shop", DB_USER: "me" }, "The environment (DB_*)", "DB_HOST"],
    [{ DB_HOST: "localhost", DB_USER: "me" }, "The environment (DB_*)", "DB_NAME"],
  ])("is asked for with only a host or only a database, and then incomplete: %j", (env, source, missing) => {
    expect(errorOf(env).message).toBe(`${source} does not say which database to use:\n- ${missing} is missing`);
    expect(environmentSource(env)).toBe(source.replace(/^.*\((.*)\)$/, "$1"));
  });

  it("is DATABASE_URL before DB_* before PG*", () => {
    const libpq = { PGHOST: "localhost", PGDATABASE: "c", PGUSER: "me" };
    const url = { DATABASE_URL: "postgresql://u:p@localhost:6000/a" };
    expect(fromEnvironment({ ...libpq, ...kit, ...url })?.database).toBe("a");
    expect(fromEnvironment({ ...libpq, ...kit })?.database).toBe("shop");
    expect(fromEnvironment(libpq)?.database).toBe("c");
  });

  it("has every part of DB_*, with port 5432 and TLS to other machines by default", () => {
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
  ])("with host %s and sslmode %s uses %s", (host, sslmode, expected) => {
    expect(fromEnvironment({ ...kit, DB_HOST: host, DB_SSLMODE: sslmode })?.sslmode).toBe(expected);
  });

  it("with require and a CA file uses verify-ca, as libpq does", () => {
    expect(fromEnvironment({ ...kit, DB_SSLMODE: "require", DB_SSLROOTCERT: "/ca.pem" })?.sslmode).toBe("verify-ca");
  });

  it("is refused as wrong usage with all errors of its source", () => {
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
    expect(error.hint).toBe("Set DB_HOST, DB_NAME and DB_USER, or unset DB_HOST and DB_NAME to use a stack.");
  });

  it.each(["0", "-1", "5432x", "65536", "5e3", " 1"])("is refused with the port %j", (port) => {
    expect(errorOf({ ...kit, DB_PORT: port }).message).toContain(
      `- DB_PORT is "${port}", expected a number from 1 to 65535`,
    );
  });

  it("is refused with an invalid DATABASE_URL, without trying other sources or showing the password", () => {
    const error = errorOf({ ...kit, DATABASE_URL: "mysql://root:hunter2@localhost/x" });
    expect(error.text).toBe(
      "DATABASE_URL does not say which database to use:\n" +
        "- DATABASE_URL does not start with postgresql://\n" +
        "  Write it as postgresql://user@host:5432/database, with the password after the user and a colon, or unset it.",
    );
  });

  it("is refused with a hint that redaction does not change, even if it mentions a password", () => {
    const { text } = errorOf({ DATABASE_URL: "localhost" });
    expect(redact(text)).toBe(text);
  });

  it("takes from PGPASSWORD and PGSSLMODE what DATABASE_URL leaves out", () => {
    const env = { DATABASE_URL: "postgres://me@db.example/shop", PGPASSWORD: "pw", PGSSLMODE: "verify-full" };
    expect(fromEnvironment(env)).toMatchObject({ password: "pw", sslmode: "verify-full" });
  });
});

describe("ROOT_DATABASE_URL", () => {
  it("names a role that can create databases", () => {
    const ROOT_DATABASE_URL = "postgresql://admin:secret@127.0.0.1:5433/postgres";
    expect(rootFromEnvironment({ ROOT_DATABASE_URL })).toMatchObject({ user: "admin", port: 5433, password: "secret" });
  });

  it("is undefined if it is not set or empty", () => {
    expect(rootFromEnvironment({})).toBeUndefined();
    expect(rootFromEnvironment({ ROOT_DATABASE_URL: "" })).toBeUndefined();
  });

  it("is refused as wrong usage if it is invalid, without showing its password", () => {
    expect(() => rootFromEnvironment({ ROOT_DATABASE_URL: "http://admin:hunter22@host/x" })).toThrow(
      /ROOT_DATABASE_URL does not start with postgresql:\/\//,
    );
    expect(() => rootFromEnvironment({ ROOT_DATABASE_URL: "http://admin:hunter22@host/x" })).not.toThrow(/hunter22/);
  });
});
