// The library's own dependency injection wants it first.
import "reflect-metadata";
import { createPublicKey, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { OperationError } from "../errors/operation-error.ts";

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
  /** The key of the authority that this one continues, under the same name: certificates that either signed are good for who trusts the other. */
  privateKey?: string | undefined;
}

/** Makes a certificate authority that may sign servers' certificates, and no further authorities. */
export async function makeAuthority({
  commonName,
  validityDays,
  from = new Date(),
  privateKey,
}: AuthoritySpec): Promise<CertifiedKey> {
  const keys = privateKey === undefined ? await makeKeys() : await readKeys(privateKey);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...termOf(from, validityDays),
    serialNumber: serialNumber(),
    name: nameOf(commonName),
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

/** Makes a server's certificate, signed by an authority; it ends with the authority at the latest. */
export async function makeServerCertificate(
  authority: CertifiedKey,
  { hosts, validityDays, from = new Date() }: ServerSpec,
): Promise<CertifiedKey> {
  const keys = await makeKeys();
  const { privateKey: signingKey } = await readKeys(authority.privateKey);
  const issuer = new x509.X509Certificate(authority.certificate);
  const { notBefore, notAfter } = termOf(from, validityDays);
  const names = [...new Set(hosts)].map(
    (value): x509.JsonGeneralName => ({ type: isIP(value) === 0 ? "dns" : "ip", value }),
  );
  const certificate = await x509.X509CertificateGenerator.create({
    notBefore,
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    serialNumber: serialNumber(),
    // For people: clients go by the alternative names.
    subject: nameOf(hosts[0] ?? ""),
    // As it stands in the authority's certificate, byte for byte: that is what clients compare.
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
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

/** @throws OperationError without the text, which may be a key all the same */
async function readKeys(text: string): Promise<webcrypto.CryptoKeyPair> {
  try {
    const publicBytes = createPublicKey(text).export({ type: "spki", format: "der" });
    const { subtle } = webcrypto;
    const [privateKey, publicKey] = await Promise.all([
      subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(text), algorithm, true, ["sign"]),
      subtle.importKey("spki", publicBytes, algorithm, true, ["verify"]),
    ]);
    return { privateKey, publicKey };
  } catch {
    throw new OperationError(
      "The certificate authority's private key cannot be read: it is no P-256 key in PKCS#8 (PEM).",
    );
  }
}

/** X.520 ends a common name after 64 characters, and OpenSSL knows longer ones not at all. */
function nameOf(commonName: string): x509.JsonName {
  return [{ CN: [commonName.slice(0, 64)] }];
}
