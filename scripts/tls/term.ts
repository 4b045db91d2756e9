import { X509Certificate } from "node:crypto";

const day = 24 * 60 * 60_000;

/** When a certificate ends, in ISO 8601. */
export function endOf(certificate: string): string {
  return new X509Certificate(certificate).validToDate.toISOString();
}

/** By which people and tools tell one certificate from another: SHA-256, as OpenSSL prints it. */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** Whether a certificate ends within so many days, or has ended. */
export function isDue(certificate: string, days: number, now = new Date()): boolean {
  return new X509Certificate(certificate).validToDate.getTime() - now.getTime() <= days * day;
}

/** Authorities to trust: a new one, and those before it that have not ended, since servers may still have certificates of theirs. */
export function trustBundle(current: string, former: string, now = new Date()): string {
  const living = certificatesIn(former).filter((each) => each !== current && !isDue(each, 0, now));
  return [current, ...living].join("");
}

/** The certificates of a PEM text, each with its line break. */
export function certificatesIn(bundle: string): string[] {
  return [...bundle.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
    ([text]) => `${text}\n`,
  );
}
