import { describe, expect, it } from "vitest";
import { checkConnection, connectionOf } from "../../../../../infra/provider/inputs/connection-inputs.ts";
import { unknownValue } from "../../../../../infra/provider-protocol/values.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "secret" };
const pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

describe("the connection of a resource's inputs", () => {
  it("has sslmode disable by default", () => {
    expect(connectionOf(inputs)).toEqual({ ...inputs, sslmode: "disable" });
    expect(connectionOf({ ...inputs, sslmode: "verify-full" })).toEqual({ ...inputs, sslmode: "verify-full" });
  });

  it("has the CA certificate to trust", () => {
    expect(connectionOf({ ...inputs, caCertificate: pem })).toEqual({ ...inputs, sslmode: "disable", ca: pem });
    expect(connectionOf({ ...inputs, caCertificate: unknownValue })).toBeUndefined();
  });

  it("can have no password", () => {
    const { password: _, ...without } = inputs;
    expect(connectionOf(without)?.password).toBeUndefined();
  });

  it.each(Object.keys(inputs))("is undefined while its %s is unknown", (key) => {
    expect(connectionOf({ ...inputs, [key]: unknownValue })).toBeUndefined();
  });
});

describe("the errors of a connection's inputs", () => {
  it("are none if the inputs are valid or unknown", () => {
    expect(checkConnection(inputs)).toEqual([]);
    expect(
      checkConnection({ host: unknownValue, port: unknownValue, database: unknownValue, user: unknownValue }),
    ).toEqual([]);
  });

  it("are reported together", () => {
    expect(checkConnection({ port: 65_536, user: "", database: 7, sslmode: "prefer" })).toEqual([
      { property: "host", reason: "host must be a non-empty string" },
      { property: "database", reason: "database must be a non-empty string" },
      { property: "user", reason: "user must be a non-empty string" },
      { property: "port", reason: "port must be a whole number from 1 to 65535, but is 65536" },
      {
        property: "sslmode",
        reason: 'sslmode must be one of disable, require, verify-ca, verify-full, but is "prefer"',
      },
    ]);
  });

  it.each(["", "/etc/ca.pem", 7])("report a CA certificate that is not PEM: %j", (caCertificate) => {
    expect(checkConnection({ ...inputs, caCertificate: pem })).toEqual([]);
    expect(checkConnection({ ...inputs, caCertificate })).toEqual([
      { property: "caCertificate", reason: "caCertificate must contain at least one certificate (PEM)" },
    ]);
  });

  it.each([0, 1.5, "5432", null])("report the port %j", (port) => {
    expect(checkConnection({ ...inputs, port })).toEqual([
      { property: "port", reason: `port must be a whole number from 1 to 65535, but is ${JSON.stringify(port)}` },
    ]);
  });
});
