import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Connection,
  clientConfig,
  describeConnection,
  inDatabase,
  isLocalHost,
} from "../../../../scripts/target/connection.ts";

const connection: Connection = {
  host: "db.example.org",
  port: 5432,
  database: "shop",
  user: "ann",
  password: "hunter2",
  sslmode: "disable",
};

describe("a connection", () => {
  it("is described without its password", () => {
    expect(describeConnection(connection)).toBe("ann@db.example.org:5432/shop");
    expect(describeConnection({ ...connection, host: "::1" })).toBe("ann@[::1]:5432/shop");
  });

  it("to another database of the server differs in nothing else", () => {
    expect(inDatabase(connection, "kyb")).toEqual({ ...connection, database: "kyb" });
  });

  it("says who it is", () => {
    expect(clientConfig(connection)).toMatchObject({ application_name: "pgroundwork", password: "hunter2" });
    expect(clientConfig(connection, "pgroundwork status").application_name).toBe("pgroundwork status");
  });
});

describe("TLS of a connection", () => {
  const sslOf = (changed: Partial<Connection>) => clientConfig({ ...connection, ...changed }).ssl;

  it("is off, on, or on with the server's certificate checked", () => {
    expect(sslOf({ sslmode: "disable" })).toBe(false);
    expect(sslOf({ sslmode: "require" })).toEqual({ rejectUnauthorized: false });
    expect(sslOf({ sslmode: "verify-full" })).toEqual({ rejectUnauthorized: true });
  });

  it("as verify-ca checks the authority and not the name", () => {
    const ssl = sslOf({ sslmode: "verify-ca" });
    expect(ssl).toEqual({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function) });
    const check = (ssl as { checkServerIdentity: (host: string, certificate: object) => unknown }).checkServerIdentity;
    expect(check("another.example.org", {})).toBeUndefined();
  });

  it("trusts the authorities of the file that is named, and names the file that cannot be read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-ca-"));
    const sslrootcert = join(folder, "ca.pem");
    await writeFile(sslrootcert, "the authorities");
    expect(sslOf({ sslmode: "verify-full", sslrootcert })).toEqual({ rejectUnauthorized: true, ca: "the authorities" });
    await rm(folder, { recursive: true });
    expect(() => sslOf({ sslmode: "verify-full", sslrootcert })).toThrow(
      expect.objectContaining({
        message: `The certificate authorities' file "${sslrootcert}" cannot be read.`,
        remedy: "Correct sslrootcert, or leave it out to trust Node's own list.",
      }),
    );
  });
});

it.each([
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["::1", true],
  ["/run/postgresql", true],
  ["127.0.0.1.example.org", false],
  ["10.0.0.1", false],
  ["db", false],
])("the host %s is on this machine: %s", (host, expected) => {
  expect(isLocalHost(host)).toBe(expected);
});
