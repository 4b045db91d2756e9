import { beforeAll, describe, expect, it } from "vitest";
import { makeCa } from "../../../../scripts/tls/certificates.ts";
import { certificatesIn, endOf, fingerprintOf, isDue, trustedCertificates } from "../../../../scripts/tls/term.ts";

const from = new Date("2026-03-01T12:00:00Z");
const at = (text: string) => new Date(text);
const make = async (validityDays: number) => (await makeCa({ commonName: "shop dev", validityDays, from })).certificate;

let tenDays: string;
let twentyDays: string;
beforeAll(async () => {
  [tenDays, twentyDays] = await Promise.all([make(10), make(20)]);
});

describe("a certificate", () => {
  it("has an end and a fingerprint", () => {
    expect(endOf(tenDays)).toBe("2026-03-11T12:00:00.000Z");
    expect(fingerprintOf(tenDays)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(fingerprintOf(tenDays)).not.toBe(fingerprintOf(twentyDays));
  });

  it.each([
    ["2026-03-08T11:59:59.999Z", false],
    ["2026-03-08T12:00:00Z", true],
    ["2026-03-11T12:00:00Z", true],
    ["2027-01-01T00:00:00Z", true],
    // A clock that was set back.
    ["2025-01-01T00:00:00Z", false],
  ])("valid for ten days and renewed three days before its end is due on %s: %s", (now, expected) => {
    expect(isDue(tenDays, 3, at(now))).toBe(expected);
  });
});

describe("the trusted CA certificates", () => {
  it("are the new one first, then the former ones that have not expired", async () => {
    const current = await make(3650);
    const former = `${twentyDays}${tenDays}`;
    expect(trustedCertificates(current, former, from)).toBe(`${current}${twentyDays}${tenDays}`);
    expect(trustedCertificates(current, former, at("2026-03-11T12:00:00Z"))).toBe(`${current}${twentyDays}`);
    expect(trustedCertificates(current, former, at("2026-03-30T12:00:00Z"))).toBe(current);
    expect(trustedCertificates(current, "", from)).toBe(current);
  });

  it("are listed once each", () => {
    expect(trustedCertificates(tenDays, `${tenDays}${twentyDays}`, from)).toBe(`${tenDays}${twentyDays}`);
  });

  it("are read one by one, whatever is between them", () => {
    expect(certificatesIn(`of a stack\n${tenDays}\n# older\n${twentyDays.trim()}`)).toEqual([tenDays, twentyDays]);
    expect(certificatesIn("")).toEqual([]);
  });
});
