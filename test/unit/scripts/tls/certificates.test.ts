import { createPrivateKey, createSign, createVerify, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { type CertifiedKey, makeCa, makeServerCertificate } from "../../../../scripts/tls/certificates.ts";

const from = new Date("2026-03-01T12:00:00Z");
const minutes = 60_000;
const days = 24 * 60 * minutes;
/** id-kp-serverAuth. */
const serverAuth = "1.3.6.1.5.5.7.3.1";

let authority: CertifiedKey;
let server: CertifiedKey;

beforeAll(async () => {
  authority = await makeCa({ commonName: "shop dev", validityDays: 3650, from });
  const hosts = ["db.example.org", "shop_dev-postgres", "127.0.0.1", "2001:db8::1", "db.example.org"];
  server = await makeServerCertificate(authority, { hosts, validityDays: 365, from });
});

describe("a CA certificate", () => {
  it("signs itself and servers with a P-256 key in PKCS#8, and has the given name", () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe("CN=shop dev");
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(authority.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+\n-----END PRIVATE KEY-----\n$/);
    expect(createPrivateKey(authority.privateKey).asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(certificate.checkPrivateKey(createPrivateKey(authority.privateKey))).toBe(true);
  });

  it("cannot sign another CA", () => {
    // basicConstraints: SEQUENCE { cA TRUE, pathLenConstraint 0 }; keyUsage, critical: only keyCertSign and cRLSign.
    const der = new X509Certificate(authority.certificate).raw.toString("hex");
    expect(der).toContain("0603551d130101ff040830060101ff020100");
    expect(der).toContain("0603551d0f0101ff040403020106");
  });

  it("is valid for its days, and starts some minutes ago for slow clocks", () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.validFromDate).toEqual(new Date(from.getTime() - 5 * minutes));
    expect(certificate.validToDate).toEqual(new Date(from.getTime() + 3650 * days));
  });

  it("with the key of another accepts what that one signed, and vice versa", async () => {
    const next = await makeCa({ commonName: "shop dev", validityDays: 1, privateKey: authority.privateKey });
    expect(next.privateKey).toBe(authority.privateKey);
    expect(next.certificate).not.toBe(authority.certificate);
    const later = await makeServerCertificate(next, { hosts: ["db"], validityDays: 1 });
    for (const { certificate } of [authority, next]) {
      for (const signed of [server, later]) {
        const issuer = new X509Certificate(certificate);
        expect(new X509Certificate(signed.certificate).checkIssued(issuer)).toBe(true);
        expect(new X509Certificate(signed.certificate).verify(issuer.publicKey)).toBe(true);
      }
    }
  });

  it("has a name of at most 64 characters, the limit of X.520", async () => {
    const { certificate } = await makeCa({ commonName: "x".repeat(100), validityDays: 1 });
    expect(new X509Certificate(certificate).subject).toBe(`CN=${"x".repeat(64)}`);
  });
});

describe("the certificate of a server", () => {
  it("is signed by its CA and is not a CA itself", () => {
    const certificate = new X509Certificate(server.certificate);
    const issuer = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.issuer).toBe("CN=shop dev");
  });

  it("is not accepted by another CA with the same name", async () => {
    const other = new X509Certificate((await makeCa({ commonName: "shop dev", validityDays: 1, from })).certificate);
    expect(new X509Certificate(server.certificate).verify(other.publicKey)).toBe(false);
    expect(new X509Certificate(server.certificate).checkIssued(other)).toBe(false);
  });

  it("is valid for the given names and addresses, each one once, and no others", () => {
    const certificate = new X509Certificate(server.certificate);
    expect(certificate.subjectAltName).toBe(
      "DNS:db.example.org, DNS:shop_dev-postgres, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1",
    );
    expect(certificate.checkHost("db.example.org")).toBe("db.example.org");
    expect(certificate.checkHost("shop_dev-postgres")).toBe("shop_dev-postgres");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkIP("2001:db8::1")).toBe("2001:db8::1");
    expect(certificate.checkHost("example.org")).toBeUndefined();
    expect(certificate.checkHost("127.0.0.1")).toBeUndefined();
    expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
  });

  it("is valid for servers only, and for its days", () => {
    const certificate = new X509Certificate(server.certificate);
    expect(certificate.keyUsage).toEqual([serverAuth]);
    expect(certificate.validFromDate).toEqual(new Date(from.getTime() - 5 * minutes));
    expect(certificate.validToDate).toEqual(new Date(from.getTime() + 365 * days));
  });

  it("expires with its CA at the latest", async () => {
    const short = await makeCa({ commonName: "shop dev", validityDays: 10, from });
    const { certificate } = await makeServerCertificate(short, { hosts: ["db"], validityDays: 365, from });
    expect(new X509Certificate(certificate).validToDate).toEqual(new Date(from.getTime() + 10 * days));
  });

  it("has its own key in PKCS#8, which matches it", () => {
    expect(server.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(server.privateKey).not.toBe(authority.privateKey);
    const signature = createSign("sha256").update("text").sign(server.privateKey);
    const { publicKey } = new X509Certificate(server.certificate);
    expect(createVerify("sha256").update("text").verify(publicKey, signature)).toBe(true);
  });

  it("is refused with an invalid CA key, which the error does not show", async () => {
    for (const privateKey of ["not-a-key", authority.privateKey.replace(/\n\w{8}/, "\nAAAAAAAA")]) {
      const made = makeServerCertificate({ ...authority, privateKey }, { hosts: ["db"], validityDays: 1 });
      const error: OperationError = await made.then(
        () => expect.unreachable(),
        (caught) => caught,
      );
      expect(error.message).toBe("Cannot read the CA's private key: it is not a P-256 key in PKCS#8 (PEM).");
      expect(error.cause).toBeUndefined();
    }
  });
});

it("serial numbers of certificates are positive, of at most 128 bits, and unique", async () => {
  const serials = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { certificate } = await makeCa({ commonName: "shop dev", validityDays: 1 });
      return new X509Certificate(certificate).serialNumber;
    }),
  );
  expect(new Set(serials).size).toBe(50);
  for (const serial of serials) {
    expect(serial).toMatch(/^[0-9A-F]{1,32}$/);
    expect(BigInt(`0x${serial}`) > 0n && BigInt(`0x${serial}`) < 2n ** 127n).toBe(true);
  }
});
