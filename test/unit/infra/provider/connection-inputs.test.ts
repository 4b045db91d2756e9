import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../infra/plugin/values.ts";
import { checkConnection, connectionOf } from "../../../../infra/provider/connection-inputs.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "secret" };
const pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

describe("the connection that a resource's inputs describe", () => {
  it("has sslmode disable unless they say otherwise", () => {
    expect(connectionOf(inputs)).toEqual({ ...inputs, sslmode: "disable" });
    expect(connectionOf({ ...inputs, sslmode: "verify-full" })).toEqual({ ...inputs, sslmode: "verify-full" });
  });

  it("has the authorities to trust", () => {
    expect(connectionOf({ ...inputs, caCertificate: pem })).toEqual({ ...inputs, sslmode: "disable", ca: pem });
    expect(connectionOf({ ...inputs, caCertificate: unknownValue })).toBeUndefined();
  });

  it("may have no password", () => {
    const { password: _, ...without } = inputs;
    expect(connectionOf(without)?.password).toBeUndefined();
  });

  it.each(Object.keys(inputs))("is none while its %s is not known", (key) => {
    expect(connectionOf({ ...inputs, [key]: unknownValue })).toBeUndefined();
  });
});

describe("faults of a connection's inputs", () => {
  it("are none where all is well, or not known yet", () => {
    expect(checkConnection(inputs)).toEqual([]);
    expect(
      checkConnection({ host: unknownValue, port: unknownValue, database: unknownValue, user: unknownValue }),
    ).toEqual([]);
  });

  it("are reported together", () => {
    expect(checkConnection({ port: 65_536, user: "", database: 7, sslmode: "prefer" })).toEqual([
      { property: "host", reason: "host has to be a text that is not empty" },
      { property: "database", reason: "database has to be a text that is not empty" },
      { property: "user", reason: "user has to be a text that is not empty" },
      { property: "port", reason: "port has to be a whole number from 1 to 65535, and is 65536" },
      {
        property: "sslmode",
        reason: 'sslmode has to be one of disable, require, verify-ca, verify-full, and is "prefer"',
      },
    ]);
  });

  it.each(["", "/etc/ca.pem", 7])("are found in authorities that are no PEM text: %j", (caCertificate) => {
    expect(checkConnection({ ...inputs, caCertificate: pem })).toEqual([]);
    expect(checkConnection({ ...inputs, caCertificate })).toEqual([
      { property: "caCertificate", reason: "caCertificate has to hold at least one certificate (PEM)" },
    ]);
  });

  it.each([0, 1.5, "5432", null])("are found in the port %j", (port) => {
    expect(checkConnection({ ...inputs, port })).toEqual([
      { property: "port", reason: `port has to be a whole number from 1 to 65535, and is ${JSON.stringify(port)}` },
    ]);
  });
});
