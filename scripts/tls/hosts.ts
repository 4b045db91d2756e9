import { isIP } from "node:net";

/** Labels of letters, digits, hyphens and, since containers are named so, underscores; 253 characters in all. */
const dnsName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Why a certificate cannot be made out to a host; undefined: it can. */
export function hostFault(host: unknown): string | undefined {
  // An address with a zone is one on this machine's own network card, and no certificate can say so.
  if (typeof host === "string" && (dnsName.test(host) || (isIP(host) !== 0 && !host.includes("%")))) return undefined;
  return `${JSON.stringify(host)} is neither a DNS name nor an IP address`;
}
