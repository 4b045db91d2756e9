import { X509Certificate } from "node:crypto";

const day = 24 * 60 * 60_000;

/** Returns the end of a certificate's validity in ISO 8601. */
export function endOf(certificate: string): string {
  return new X509Certificate(certificate).validToDate.toISOString();
}

/** Returns the SHA-256 fingerprint of a certificate, as OpenSSL prints it. */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** Returns true if a certificate expires within a number of days, or has expired. */
export function isDue(certificate: string, days: number, now = new Date()): boolean {
  return new X509Certificate(certificate).validToDate.getTime() - now.getTime() <= days * day;
}

/**
 * Returns the CA certificates to trust: a new one, and earlier ones that have not expired. Servers can still have
 * certificates signed by those.
 */
export function trustedCertificates(current: string, former: string, now = new Date()): string {
  const living = certificatesIn(former).filter((each) => each !== current && !isDue(each, 0, now));
  return [current, ...living].join("");
}

/** Splits a PEM text into its certificates, each with its line break. */
export function certificatesIn(bundle: string): string[] {
  return [...bundle.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
    ([text]) => `${text}\n`,
  );
}
