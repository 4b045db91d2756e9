import { expect, it } from "vitest";
import { hostFault } from "../../../../scripts/tls/hosts.ts";

it.each([
  "localhost",
  "db.example.org",
  "shop_dev-postgres",
  "10.0.0.5",
  "::1",
  "2001:db8::1",
  `${"a".repeat(63)}.example`,
])("a certificate can be valid for %s", (host) => {
  expect(hostFault(host)).toBeUndefined();
});

it.each([
  "",
  "a b",
  "*.example.org",
  "bücher.example",
  "db.",
  "-db",
  "db:5432",
  "[::1]",
  "fe80::1%eth0",
  "a".repeat(64),
  `${"a.".repeat(127)}a`,
  7,
])("a certificate cannot be valid for %j", (host) => {
  expect(hostFault(host)).toBe(`${JSON.stringify(host)} is neither a DNS name nor an IP address`);
});
