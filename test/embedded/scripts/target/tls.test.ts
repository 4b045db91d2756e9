import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import { type Connection, connectionUrl } from "../../../../scripts/target/connection.ts";
import type { ConnectionError } from "../../../../scripts/target/connection-error.ts";
import { type CertifiedKey, makeAuthority, makeServerCertificate } from "../../../../scripts/tls/certificates.ts";
import { trustBundle } from "../../../../scripts/tls/term.ts";
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
    makeAuthority({ commonName: "shop dev", validityDays: 100, from: new Date(Date.now() - 50 * day) }),
    makeAuthority({ commonName: "shop dev", validityDays: 100 }),
  ]);
  good = await signed(["127.0.0.1", "localhost"]);
  server = await startTlsServer(good);
  connection = { ...server.connection(), sslmode: "verify-full", ca: authority.certificate };
});
afterAll(() => server?.stop());

/** Which version of TLS a session has; undefined: none. */
async function tlsOf(of: Connection): Promise<string | undefined> {
  return withClient(of, async (client) => {
    const { rows } = await client.query<{ version: string | null }>(
      "select version from pg_stat_ssl where pid = pg_backend_pid()",
    );
    return rows[0]?.version ?? undefined;
  });
}

async function refusal(of: Connection): Promise<{ failure: string; reason: string; remedy: string | undefined }> {
  const error = (await tlsOf(of).then(
    (version) => {
      throw new Error(`it connected with ${version ?? "no TLS"}`);
    },
    (caught: unknown) => caught,
  )) as ConnectionError;
  const start = `Cannot connect to ${of.user}@${of.host}:${of.port}/${of.database}: `;
  expect(error.message.slice(0, start.length)).toBe(start);
  return { failure: error.failure, reason: error.message.slice(start.length), remedy: error.remedy };
}

const untrusted = {
  failure: "tls",
  reason: "the server's certificate is of no authority that is trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE).",
  remedy:
    "Give the authority that signed it as sslrootcert (a stack: the URL of `npm run -s pgw -- url` names the file).",
};

describe("a server whose certificate is of an authority that is trusted", () => {
  beforeAll(() => server.show(good));

  it.each(["127.0.0.1", "localhost"])("is accepted by its address and its name: %s", async (host) => {
    expect(await tlsOf({ ...connection, host })).toMatch(/^TLSv1\.[23]$/);
  });

  it("is accepted by Node's own driver, which is given the URL alone", async () => {
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

  it("is not accepted where another authority of the same name is trusted", async () => {
    const certificate = stranger.certificate;
    for (const sslmode of ["verify-full", "verify-ca", "require"] as const)
      expect((await refusal({ ...connection, sslmode, ca: certificate })).failure).toBe("tls");
  });

  it("is not accepted where none is named, since nobody else vouches for it", async () => {
    for (const sslmode of ["verify-full", "verify-ca"] as const)
      expect(await refusal({ ...connection, sslmode, ca: undefined })).toEqual(untrusted);
  });

  it("is asked for nothing where TLS is enough", async () => {
    expect(await tlsOf({ ...connection, sslmode: "require", ca: undefined })).toMatch(/^TLSv1/);
    expect(await tlsOf({ ...connection, sslmode: "disable" })).toBeUndefined();
  });

  it.skipIf(noPsql)("is accepted by psql, which takes the URL as it is, and refused where psql should", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgw-ca-"));
    const ask = async (ca: string) => {
      const sslrootcert = join(folder, "ca.pem");
      await writeFile(sslrootcert, ca);
      const url = connectionUrl({ ...connection, sslrootcert });
      return run("psql", ["--no-psqlrc", "-Atc", "select ssl from pg_stat_ssl where pid = pg_backend_pid()", url]);
    };
    try {
      expect((await ask(authority.certificate)).stdout).toBe("t\n");
      expect((await ask(trustBundle(stranger.certificate, authority.certificate))).stdout).toBe("t\n");
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
      remedy:
        "Connect by a name that it holds, or have one made for this name (a stack: the setting pgroundwork:host).",
    });
  });

  it("is accepted by verify-ca, and by require with an authority", async () => {
    for (const sslmode of ["verify-ca", "require"] as const)
      expect(await tlsOf({ ...connection, sslmode })).toMatch(/^TLSv1/);
  });

  it("is refused by its address, though the certificate holds the name that Node checks where it is given none", async () => {
    await server.show(await signed(["localhost"]));
    expect((await refusal(connection)).reason).toBe(
      `the server's certificate is not for "127.0.0.1" but for localhost.`,
    );
    await server.show(await signed(["127.0.0.1"]));
    expect(await tlsOf(connection)).toMatch(/^TLSv1/);
    expect((await refusal({ ...connection, host: "localhost" })).failure).toBe("tls");
  });
});

describe("a server whose certificate does not hold today", () => {
  it("is refused after its end", async () => {
    await server.show(await signed(["127.0.0.1"], new Date(Date.now() - 20 * day)));
    expect(await refusal(connection)).toEqual({
      failure: "tls",
      reason: "the server's certificate, or its authority's, has expired.",
      remedy: "Have it renewed (a stack: npm run up), and compare this machine's clock.",
    });
  });

  it("is refused before its beginning", async () => {
    await server.show(await signed(["127.0.0.1"], new Date(Date.now() + day)));
    expect(await refusal(connection)).toMatchObject({
      failure: "tls",
      reason: "the server's certificate is not valid yet.",
    });
  });
});

describe("while an authority is exchanged", () => {
  it("the bundle of the new one accepts the server before and after it is given its new certificate", async () => {
    const bundle = trustBundle(stranger.certificate, authority.certificate);
    await server.show(good);
    expect(await tlsOf({ ...connection, ca: bundle })).toMatch(/^TLSv1/);
    await server.show(await signed(["127.0.0.1"], new Date(), stranger));
    expect(await tlsOf({ ...connection, ca: bundle })).toMatch(/^TLSv1/);
    expect((await refusal(connection)).failure).toBe("tls");
  });

  it("one that is renewed with its key is accepted by who still trusts the old certificate, and the reverse", async () => {
    const { privateKey } = authority;
    const renewed = await makeAuthority({ commonName: "shop dev", validityDays: 100, privateKey });
    await server.show(await signed(["127.0.0.1"], new Date(), renewed));
    const bundle = trustBundle(renewed.certificate, authority.certificate);
    for (const ca of [authority.certificate, renewed.certificate, bundle])
      expect(await tlsOf({ ...connection, ca })).toMatch(/^TLSv1/);
    await server.show(good);
    expect(await tlsOf({ ...connection, ca: renewed.certificate })).toMatch(/^TLSv1/);
  });
});

// The last one: plain connections stay refused.
describe("a server that takes TLS alone", () => {
  it("refuses a plain connection, and says what to do", async () => {
    await server.show(good);
    await server.refusePlain();
    expect(await tlsOf(connection)).toMatch(/^TLSv1/);
    expect(await refusal({ ...connection, sslmode: "disable" })).toEqual({
      failure: "tls",
      reason: `the server does not let user "postgres" in from here without TLS.`,
      remedy: "Use sslmode=verify-full, with the authority that signed its certificate as sslrootcert.",
    });
  });
});
