// The library's own dependency injection wants it first.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate with its private key, both PEM; the key is PKCS#8 and a secret. */
export interface CertifiedKey {
  certificate: string;
  privateKey: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Clocks of other machines may be this much behind, in ms. */
const clockSkew = 5 * 60_000;
const day = 24 * 60 * 60_000;

export interface AuthoritySpec {
  /** What it is called, for people who look at the certificate. */
  commonName: string;
  validityDays: number;
  /** From when on; default: now. */
  from?: Date;
}

/** Makes a certificate authority that may sign servers' certificates, and no further authorities. */
export async function makeAuthority({
  commonName,
  validityDays,
  from = new Date(),
}: AuthoritySpec): Promise<CertifiedKey> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...termOf(from, validityDays),
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), privateKey: await privateKeyPem(keys) };
}

export interface ServerSpec {
  /** DNS names and IP addresses by which clients reach it; the first is the certificate's name, too. */
  hosts: readonly string[];
  validityDays: number;
  /** From when on; default: now. */
  from?: Date;
}

/** Makes a server's certificate, signed by an authority. */
export async function makeServerCertificate(
  authority: CertifiedKey,
  { hosts, validityDays, from = new Date() }: ServerSpec,
): Promise<CertifiedKey> {
  const keys = await makeKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const names = hosts.map((value): x509.JsonGeneralName => ({ type: isIP(value) === 0 ? "dns" : "ip", value }));
  const certificate = await x509.X509CertificateGenerator.create({
    ...termOf(from, validityDays),
    serialNumber: serialNumber(),
    subject: [{ CN: [hosts[0] ?? ""] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.privateKey),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), privateKey: await privateKeyPem(keys) };
}

function termOf(from: Date, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(from.getTime() - clockSkew), notAfter: new Date(from.getTime() + days * day) };
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** 127 random bits: positive, and too many to meet another (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("hex");
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

async function privateKeyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey("pkcs8", privateKey);
  return `${x509.PemConverter.encode(bytes, "PRIVATE KEY")}\n`;
}

async function signingKey(text: string): Promise<webcrypto.CryptoKey> {
  const bytes = x509.PemConverter.decodeFirst(text);
  return webcrypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
}
