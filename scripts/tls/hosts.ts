import { isIP } from "node:net";

/** Labels of letters, digits, hyphens and underscores; 253 characters in all. Container names can have underscores. */
const dnsName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Returns the reason why a certificate cannot contain a host; undefined if it can. */
export function hostFault(host: unknown): string | undefined {
  // An address with a zone belongs to a network interface of this machine. A certificate cannot contain it.
  if (typeof host === "string" && (dnsName.test(host) || (isIP(host) !== 0 && !host.includes("%")))) return undefined;
  return `${JSON.stringify(host)} is neither a DNS name nor an IP address`;
}
