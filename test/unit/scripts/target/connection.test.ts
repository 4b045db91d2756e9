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

const authorities = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

function checkOf(ssl: unknown): (host: string, certificate: object) => unknown {
  return (ssl as { checkServerIdentity: (host: string, certificate: object) => unknown }).checkServerIdentity;
}

describe("TLS of a connection", () => {
  const sslOf = (changed: Partial<Connection>) => clientConfig({ ...connection, ...changed }).ssl;

  it("is off, on, or on with the server's certificate checked", () => {
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
  ])("as verify-full checks %s, and not what the driver says of it", (host, subjectaltname) => {
    const check = checkOf(sslOf({ sslmode: "verify-full", host }));
    expect(check("localhost", { subjectaltname })).toBeUndefined();
    for (const other of ["DNS:localhost", "DNS:127.0.0.1", "IP Address:127.0.0.2", "DNS:example.org"])
      expect(check("localhost", { subjectaltname: other })).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("is none on a socket, whatever is asked for", () => {
    for (const sslmode of ["require", "verify-full"] as const)
      expect(sslOf({ sslmode, host: "/var/run/postgresql" })).toBe(false);
  });

  it("as verify-ca checks the authority and not the name", () => {
    const ssl = sslOf({ sslmode: "verify-ca" });
    expect(ssl).toEqual({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function) });
    expect(checkOf(ssl)("another.example.org", {})).toBeUndefined();
  });

  it("as require with an authority checks the authority, as libpq does", () => {
    const ssl = sslOf({ sslmode: "require", ca: authorities });
    expect(ssl).toEqual({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function), ca: authorities });
    expect(checkOf(ssl)("another.example.org", {})).toBeUndefined();
  });

  it("trusts the authorities given, before those of a file", () => {
    const ssl = sslOf({ sslmode: "verify-full", ca: authorities, sslrootcert: "/no/such/file" });
    expect(ssl).toMatchObject({ rejectUnauthorized: true, ca: authorities });
  });

  it("trusts the authorities of the file that is named, and names the file that cannot be read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-ca-"));
    const sslrootcert = join(folder, "ca.pem");
    await writeFile(sslrootcert, authorities);
    expect(sslOf({ sslmode: "verify-full", sslrootcert })).toMatchObject({ rejectUnauthorized: true, ca: authorities });
    await writeFile(sslrootcert, "the authorities");
    expect(() => sslOf({ sslmode: "verify-full", sslrootcert })).toThrow(
      `The certificate authorities' file "${sslrootcert}" holds no certificate (PEM).`,
    );
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
