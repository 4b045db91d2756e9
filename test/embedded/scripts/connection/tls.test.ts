import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { type Connection, connectionUrl } from "../../../../scripts/connection/connection.ts";
import type { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import { type CertifiedKey, makeCa, makeServerCertificate } from "../../../../scripts/tls/certificates.ts";
import { trustedCertificates } from "../../../../scripts/tls/term.ts";
import { startTlsServer, type TlsServer } from "../../tls-server.ts";

const run = promisify(execFile);
const day = 24 * 60 * 60_000;
const noPsql = await run("psql", ["--version"]).then(
  () => false,
  () => true,
);

let authority: CertifiedKey;
let stranger: CertifiedKey;
let good: CertifiedKey;
let server: TlsServer;
let connection: Connection;

const signed = (hosts: string[], from = new Date(), by = authority) =>
  makeServerCertificate(by, { hosts, validityDays: 10, from });

beforeAll(async () => {
  [authority, stranger] = await Promise.all([
    makeCa({ commonName: "shop dev", validityDays: 100, from: new Date(Date.now() - 50 * day) }),
    makeCa({ commonName: "shop dev", validityDays: 100 }),
  ]);
  good = await signed(["127.0.0.1", "localhost"]);
  server = await startTlsServer(good);
  connection = { ...server.connection(), sslmode: "verify-full", ca: authority.certificate };
});
afterAll(() => server?.stop());

/** Returns the TLS version of a session, or undefined without TLS. */
async function tlsOf(of: Connection): Promise<string | undefined> {
  return withClient(of, async (client) => {
    const { rows } = await client.query<{ version: string | null }>(
      "select version from pg_stat_ssl where pid = pg_backend_pid()",
    );
    return rows[0]?.version ?? undefined;
  });
}

async function refusal(of: Connection): Promise<{ failure: string; reason: string; hint: string | undefined }> {
  const error = (await tlsOf(of).then(
    (version) => {
      throw new Error(`it connected with ${version ?? "no TLS"}`);
    },
    (caught: unknown) => caught,
  )) as ConnectionError;
  const start = `Cannot connect to ${of.user}@${of.host}:${of.port}/${of.database}: `;
  expect(error.message.slice(0, start.length)).toBe(start);
  return { failure: error.failure, reason: error.message.slice(start.length), hint: error.hint };
}

const untrusted = {
  failure: "tls",
  reason: "the server's certificate is signed by a CA that is not trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE).",
  hint: "Set sslrootcert to the CA certificate (for a stack, the URL from `npm run -s pgw -- url` contains the file).",
};

describe("a server whose certificate comes from a trusted CA", () => {
  beforeAll(() => server.show(good));

  it.each(["127.0.0.1", "localhost"])("is accepted by its address and by its name: %s", async (host) => {
    expect(await tlsOf({ ...connection, host })).toMatch(/^TLSv1\.[23]$/);
  });

  it("is accepted by the Node.js driver, which gets only the URL", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-ca-"));
    const sslrootcert = join(folder, "ca.pem");
    await writeFile(sslrootcert, authority.certificate);
    const client = new pg.Client({ connectionString: connectionUrl({ ...connection, sslrootcert }) });
    try {
      await client.connect();
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    } finally {
      await client.end();
      await rm(folder, { recursive: true });
    }
  });

  it("is refused if another CA of the same name is trusted", async () => {
    const certificate = stranger.certificate;
    for (const sslmode of ["verify-full", "verify-ca", "require"] as const)
      expect((await refusal({ ...connection, sslmode, ca: certificate })).failure).toBe("tls");
  });

  it("is refused if no CA is given, because no other CA vouches for it", async () => {
    for (const sslmode of ["verify-full", "verify-ca"] as const)
      expect(await refusal({ ...connection, sslmode, ca: undefined })).toEqual(untrusted);
  });

  it("is not verified if sslmode does not require it", async () => {
    expect(await tlsOf({ ...connection, sslmode: "require", ca: undefined })).toMatch(/^TLSv1/);
    expect(await tlsOf({ ...connection, sslmode: "disable" })).toBeUndefined();
  });

  it.skipIf(noPsql)("is accepted by psql with the same URL, and refused with another CA", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-ca-"));
    const ask = async (ca: string) => {
      const sslrootcert = join(folder, "ca.pem");
      await writeFile(sslrootcert, ca);
      const url = connectionUrl({ ...connection, sslrootcert });
      return run("psql", ["--no-psqlrc", "-Atc", "select ssl from pg_stat_ssl where pid = pg_backend_pid()", url]);
    };
    try {
      expect((await ask(authority.certificate)).stdout).toBe("t\n");
      expect((await ask(trustedCertificates(stranger.certificate, authority.certificate))).stdout).toBe("t\n");
      await expect(ask(stranger.certificate)).rejects.toThrow(/certificate verify failed/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a server with a certificate for another name", () => {
  beforeAll(async () => server.show(await signed(["db.example.org", "10.0.0.1"])));

  it.each(["127.0.0.1", "localhost"])("is refused by verify-full: %s", async (host) => {
    expect(await refusal({ ...connection, host })).toEqual({
      failure: "tls",
      reason: `the server's certificate is not for "${host}" but for db.example.org, 10.0.0.1.`,
      hint: "Connect with a name in the certificate, or create a certificate for this name (for a stack: the setting pgroundwork:host).",
    });
  });

  it("is accepted by verify-ca, and by require with a CA", async () => {
    for (const sslmode of ["verify-ca", "require"] as const)
      expect(await tlsOf({ ...connection, sslmode })).toMatch(/^TLSv1/);
  });

  it("is refused by its address if the certificate has only the name that Node.js checks by default", async () => {
    await server.show(await signed(["localhost"]));
    expect((await refusal(connection)).reason).toBe(
      `the server's certificate is not for "127.0.0.1" but for localhost.`,
    );
    await server.show(await signed(["127.0.0.1"]));
    expect(await tlsOf(connection)).toMatch(/^TLSv1/);
    expect((await refusal({ ...connection, host: "localhost" })).failure).toBe("tls");
  });
});

describe("a server whose certificate is not valid today", () => {
  it("is refused after the certificate has expired", async () => {
    await server.show(await signed(["127.0.0.1"], new Date(Date.now() - 20 * day)));
    expect(await refusal(connection)).toEqual({
      failure: "tls",
      reason: "the server's certificate or its CA certificate has expired.",
      hint: "Renew it (for a stack: npm run up), and check this machine's clock.",
    });
  });

  it("is refused before the certificate is valid", async () => {
    await server.show(await signed(["127.0.0.1"], new Date(Date.now() + day)));
    expect(await refusal(connection)).toMatchObject({
      failure: "tls",
      reason: "the server's certificate is not valid yet.",
    });
  });
});

describe("the replacement of a CA", () => {
  it("keeps the server accepted with the new bundle, before and after its new certificate", async () => {
    const bundle = trustedCertificates(stranger.certificate, authority.certificate);
    await server.show(good);
    expect(await tlsOf({ ...connection, ca: bundle })).toMatch(/^TLSv1/);
    await server.show(await signed(["127.0.0.1"], new Date(), stranger));
    expect(await tlsOf({ ...connection, ca: bundle })).toMatch(/^TLSv1/);
    expect((await refusal(connection)).failure).toBe("tls");
  });

  it("keeps the server accepted with the old and the new certificate if the CA keeps its key", async () => {
    const { privateKey } = authority;
    const renewed = await makeCa({ commonName: "shop dev", validityDays: 100, privateKey });
    await server.show(await signed(["127.0.0.1"], new Date(), renewed));
    const bundle = trustedCertificates(renewed.certificate, authority.certificate);
    for (const ca of [authority.certificate, renewed.certificate, bundle])
      expect(await tlsOf({ ...connection, ca })).toMatch(/^TLSv1/);
    await server.show(good);
    expect(await tlsOf({ ...connection, ca: renewed.certificate })).toMatch(/^TLSv1/);
  });
});

// The last block, because plain connections stay refused.
describe("a server that accepts only TLS", () => {
  it("refuses a plain connection, with a hint", async () => {
    await server.show(good);
    await server.refusePlain();
    expect(await tlsOf(connection)).toMatch(/^TLSv1/);
    expect(await refusal({ ...connection, sslmode: "disable" })).toEqual({
      failure: "tls",
      reason: `the server refuses connections of user "postgres" from here without TLS.`,
      hint: "Use sslmode=verify-full, with the CA of the server's certificate as sslrootcert.",
    });
  });
});
