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
} from "../../../../scripts/connection/connection.ts";

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

  it("differs only in the database if it goes to another one of the server", () => {
    expect(inDatabase(connection, "kyb")).toEqual({ ...connection, database: "kyb" });
  });

  it("has an application name", () => {
    expect(clientConfig(connection)).toMatchObject({ application_name: "pgroundwork", password: "hunter2" });
    expect(clientConfig(connection, "pgroundwork status").application_name).toBe("pgroundwork status");
  });
});

const caCertificates = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

function checkOf(ssl: unknown): (host: string, certificate: object) => unknown {
  return (ssl as { checkServerIdentity: (host: string, certificate: object) => unknown }).checkServerIdentity;
}

describe("TLS of a connection", () => {
  const sslOf = (changed: Partial<Connection>) => clientConfig({ ...connection, ...changed }).ssl;

  it("is off, on, or on with a verified server certificate", () => {
    expect(sslOf({ sslmode: "disable" })).toBe(false);
    expect(sslOf({ sslmode: "require" })).toEqual({ rejectUnauthorized: false });
    expect(sslOf({ sslmode: "verify-full" })).toEqual({
      rejectUnauthorized: true,
      checkServerIdentity: expect.any(Function),
    });
  });

  it.each([
    ["db.example.org", "DNS:db.example.org"],
    ["127.0.0.1", "IP Address:127.0.0.1"],
    ["2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1"],
  ])("with verify-full checks %s, not the host that the driver passes", (host, subjectaltname) => {
    const check = checkOf(sslOf({ sslmode: "verify-full", host }));
    expect(check("localhost", { subjectaltname })).toBeUndefined();
    for (const other of ["DNS:localhost", "DNS:127.0.0.1", "IP Address:127.0.0.2", "DNS:example.org"])
      expect(check("localhost", { subjectaltname: other })).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("is off on a socket, whatever is requested", () => {
    for (const sslmode of ["require", "verify-full"] as const)
      expect(sslOf({ sslmode, host: "/var/run/postgresql" })).toBe(false);
  });

  it("with verify-ca checks the CA and not the name", () => {
    const ssl = sslOf({ sslmode: "verify-ca" });
    expect(ssl).toEqual({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function) });
    expect(checkOf(ssl)("another.example.org", {})).toBeUndefined();
  });

  it("with require and a CA certificate checks the CA, as libpq does", () => {
    const ssl = sslOf({ sslmode: "require", ca: caCertificates });
    expect(ssl).toEqual({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function), ca: caCertificates });
    expect(checkOf(ssl)("another.example.org", {})).toBeUndefined();
  });

  it("trusts the given CA certificates rather than those of a file", () => {
    const ssl = sslOf({ sslmode: "verify-full", ca: caCertificates, sslrootcert: "/no/such/file" });
    expect(ssl).toMatchObject({ rejectUnauthorized: true, ca: caCertificates });
  });

  it("trusts the CA certificates of the named file, and names a file that cannot be read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-ca-"));
    const sslrootcert = join(folder, "ca.pem");
    await writeFile(sslrootcert, caCertificates);
    expect(sslOf({ sslmode: "verify-full", sslrootcert })).toMatchObject({
      rejectUnauthorized: true,
      ca: caCertificates,
    });
    await writeFile(sslrootcert, "the CAs");
    expect(() => sslOf({ sslmode: "verify-full", sslrootcert })).toThrow(
      `The CA file "${sslrootcert}" contains no certificate (PEM).`,
    );
    await rm(folder, { recursive: true });
    expect(() => sslOf({ sslmode: "verify-full", sslrootcert })).toThrow(
      expect.objectContaining({
        message: `Cannot read the CA file "${sslrootcert}".`,
        hint: "Correct sslrootcert, or remove it to trust Node's own list of CAs.",
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
