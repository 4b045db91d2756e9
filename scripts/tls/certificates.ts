// Must be imported first, for the library's dependency injection.
import "reflect-metadata";
import { createPublicKey, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { OperationError } from "../core/operation-error.ts";

/** A certificate with its private key, both PEM. The key is PKCS#8 and a secret. */
export interface CertifiedKey {
  certificate: string;
  privateKey: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Time in ms that the clocks of other machines may be behind. */
const clockSkew = 5 * 60_000;
const day = 24 * 60 * 60_000;

export interface CaSpec {
  /** Name of the CA, for people who read the certificate. */
  commonName: string;
  validityDays: number;
  /** Start of its validity. Default: now. */
  from?: Date;
  /**
   * Key of the CA that this one continues under the same name. A client that trusts one of the two also accepts
   * certificates signed by the other.
   */
  privateKey?: string | undefined;
}

/** Creates a certificate authority that can sign server certificates, but no further CAs. */
export async function makeCa({
  commonName,
  validityDays,
  from = new Date(),
  privateKey,
}: CaSpec): Promise<CertifiedKey> {
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
  /** DNS names and IP addresses that clients use. The first one is also the certificate's common name. */
  hosts: readonly string[];
  validityDays: number;
  /** Start of its validity. Default: now. */
  from?: Date;
}

/** Creates a server certificate signed by a CA. It expires with the CA at the latest. */
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
    // For people who read the certificate; clients check the alternative names.
    subject: nameOf(hosts[0] ?? ""),
    // Byte for byte as in the CA certificate, because clients compare it.
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

/** Returns 127 random bits: positive, and too many for a collision (RFC 5280, 4.1.2.2). */
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

/**
 * Reads a private key.
 *
 * @throws OperationError without the text, which could be a key
 */
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
    throw new OperationError("Cannot read the CA's private key: it is not a P-256 key in PKCS#8 (PEM).");
  }
}

/** Returns a common name of at most 64 characters, the limit of X.520. OpenSSL does not accept longer ones. */
function nameOf(commonName: string): x509.JsonName {
  return [{ CN: [commonName.slice(0, 64)] }];
}
