import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { accessOf, configurationDefaults } from "../../../../../infra/fallback-providers/postgresql/configuration.ts";
import { plugin } from "../../../../../infra/fallback-providers/postgresql/plugin.ts";
import { cloneRoot } from "../../../../clone-root.ts";

describe("the postgresql fallback provider", () => {
  it("has the version of the SDK that uses it", async () => {
    const file = join(cloneRoot, "node_modules/@pulumi/postgresql/package.json");
    expect(plugin.version).toBe((JSON.parse(await readFile(file, "utf8")) as { version: string }).version);
  });
});

describe("the postgresql provider's configuration", () => {
  it("accepts the strings that the engine stores", async () => {
    const access = accessOf(
      {
        host: "db.example",
        port: "6432",
        username: "admin",
        password: "pw",
        sslmode: "require",
        superuser: "false",
        connectTimeout: "7",
      },
      {},
    );
    expect(access.superuser).toBe(false);
    expect(await access.client("appdb")).toMatchObject({
      host: "db.example",
      port: 6432,
      user: "admin",
      password: "pw",
      database: "appdb",
      ssl: { rejectUnauthorized: false },
      connectionTimeoutMillis: 7000,
    });
  });

  it("falls back to PG* variables, then to PostgreSQL's defaults with TLS required", () => {
    expect(accessOf({}, {}).connection).toEqual({
      host: "localhost",
      port: 5432,
      database: "postgres",
      user: "postgres",
      password: undefined,
      sslmode: "require",
    });
    const environment = {
      PGHOST: "h",
      PGPORT: "1",
      PGUSER: "u",
      PGPASSWORD: "p",
      PGDATABASE: "d",
      PGSSLMODE: "disable",
    };
    expect(accessOf({}, environment).connection).toEqual({
      host: "h",
      port: 1,
      database: "d",
      user: "u",
      password: "p",
      sslmode: "disable",
    });
  });

  it("is completed as by the official plugin", () => {
    expect(configurationDefaults({})).toEqual({ connectTimeout: "180" });
    expect(configurationDefaults({ PGSSLMODE: "disable", PGCONNECT_TIMEOUT: "5" })).toEqual({
      connectTimeout: "5",
      sslmode: "disable",
    });
  });

  it("is refused if it is not supported", async () => {
    expect(() => accessOf({ sslmode: "prefer" }, {})).toThrow(
      `The postgresql provider's sslmode "prefer" is not one of disable, require, verify-ca, verify-full.`,
    );
    expect(() => accessOf({ scheme: "awspostgres" }, {})).toThrow(
      'The postgresql fallback provider does not support the scheme "awspostgres".',
    );
    await expect(accessOf({ clientcert: '{"cert":"a"}' }, {}).client("d")).rejects.toThrow(
      "The postgresql provider's clientcert is not an object with cert and key.",
    );
  });
});
