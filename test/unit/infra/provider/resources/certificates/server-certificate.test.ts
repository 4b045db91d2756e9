import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import {
  serverCertificate,
  serverCertificateType,
} from "../../../../../../infra/provider/resources/certificates/server-certificate.ts";
import { unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { makeCa } from "../../../../../../scripts/tls/certificates.ts";
import { fingerprintOf } from "../../../../../../scripts/tls/term.ts";
import { contextOf } from "../../call-context.ts";

const day = 24 * 60 * 60_000;
const made = new Date("2026-03-01T12:00:00Z");
const later = (days: number, ms = 0) => new Date(made.getTime() + days * day + ms);
const at = (now: Date) => serverCertificateType(() => now);
const context = () => contextOf("ServerCertificate");
const terms = { validityDays: 100, renewBeforeDays: 10 };

let inputs: typeof terms & { authorityCertificate: string; authorityKey: string; hosts: string[] };
beforeAll(async () => {
  const { certificate, privateKey } = await makeCa({ commonName: "shop dev", validityDays: 3650, from: made });
  inputs = { authorityCertificate: certificate, authorityKey: privateKey, hosts: ["db", "127.0.0.1"], ...terms };
});

async function create(given = inputs) {
  const { id, outputs } = await at(made).create(context(), given, false);
  return { id, outputs: outputs as Record<string, string>, inputs: given };
}

describe("the certificate of a server", () => {
  it("is signed by the CA for the server's hosts, and has a secret key", async () => {
    const { outputs } = await create();
    const certificate = new X509Certificate(outputs.certificate ?? "");
    expect(certificate.verify(new X509Certificate(inputs.authorityCertificate).publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe("DNS:db, IP Address:127.0.0.1");
    expect(outputs.privateKey).toMatch(/BEGIN PRIVATE KEY/);
    expect(outputs.notAfter).toBe(later(100).toISOString());
    expect(outputs.fingerprint).toBe(fingerprintOf(outputs.certificate ?? ""));
  });

  it("is unknown in previews that create one", async () => {
    const old = await create();
    for (const outputs of [
      (await at(made).create(context(), inputs, true)).outputs,
      await at(later(95)).update(context(), old, inputs, true),
    ])
      for (const key of ["certificate", "privateKey", "notAfter", "fingerprint"])
        expect(outputs[key]).toBe(unknownValue);
  });

  it.each([
    [later(90, -1), false],
    [later(90), true],
    [later(101), true],
  ])("on %s, valid for 100 days from March 1st and renewed in the last 10, is due: %s", async (now, expected) => {
    const changes = expected ? [{ path: "notAfter", kind: "update", input: false }] : [];
    expect(await at(now).diff(context(), await create(), inputs)).toEqual({ changes });
  });

  it("is renewed with another key, and reports it", async () => {
    const old = await create();
    const run = context();
    const renewed = await at(later(95)).update(run, old, inputs, false);
    expect(run.lines).toEqual(["info: renewed: was valid until 2026-06-09"]);
    expect(renewed.notAfter).toBe(later(195).toISOString());
    expect(renewed.privateKey).not.toBe(old.outputs.privateKey);
    expect(await at(later(96)).diff(context(), { ...old, outputs: renewed }, inputs)).toEqual({ changes: [] });
  });

  it("is replaced for other hosts, and is not reported as renewed", async () => {
    const old = await create();
    const news = { ...inputs, hosts: ["db.example.org"] };
    expect(await at(later(1)).diff(context(), old, news)).toEqual({ changes: [{ path: "hosts", kind: "update" }] });
    const run = context();
    const { certificate } = await at(later(1)).update(run, old, news, false);
    expect(new X509Certificate(String(certificate)).subjectAltName).toBe("DNS:db.example.org");
    expect(run.lines).toEqual([]);
  });

  it("stays when its CA is renewed with the same key, also in a preview", async () => {
    const old = await create();
    const { certificate } = await makeCa({
      commonName: "shop dev",
      validityDays: 3650,
      privateKey: inputs.authorityKey,
    });
    for (const authorityCertificate of [certificate, unknownValue])
      expect(await at(later(1)).diff(context(), old, { ...inputs, authorityCertificate })).toEqual({ changes: [] });
  });

  it("is replaced when its CA has another key, known or unknown", async () => {
    const old = await create();
    const other = await makeCa({ commonName: "shop dev", validityDays: 3650, from: made });
    for (const news of [
      { ...inputs, authorityCertificate: other.certificate, authorityKey: other.privateKey },
      { ...inputs, authorityCertificate: unknownValue, authorityKey: unknownValue },
    ])
      expect(await at(later(1)).diff(context(), old, news)).toEqual({
        changes: [{ path: "authorityKey", kind: "update" }],
      });
  });

  it("is not replaced at every run if the CA expires with it", async () => {
    const { certificate, privateKey } = await makeCa({ commonName: "shop", validityDays: 50, from: made });
    const news = { ...inputs, authorityCertificate: certificate, authorityKey: privateKey };
    const old = await create(news);
    expect(old.outputs.notAfter).toBe(later(50).toISOString());
    expect(await at(later(45)).diff(context(), old, news)).toEqual({ changes: [] });
    const longer = await makeCa({ commonName: "shop", validityDays: 60, from: made, privateKey });
    for (const authorityCertificate of [longer.certificate, unknownValue])
      expect(await at(later(45)).diff(context(), old, { ...news, authorityCertificate })).toEqual({
        changes: [{ path: "notAfter", kind: "update", input: false }],
      });
  });

  it("has its inputs checked: at least one host, each one a name or an address", async () => {
    const faults = async (hosts: unknown) =>
      (await serverCertificate.check(context(), { ...inputs, hosts }, undefined)).failures;
    expect(await faults(["db", "::1", unknownValue])).toEqual([]);
    expect(await faults(unknownValue)).toEqual([]);
    const none = [{ property: "hosts", reason: "hosts must contain at least one DNS name or IP address" }];
    expect(await faults([])).toEqual(none);
    expect(await faults(undefined)).toEqual(none);
    expect(await faults(["db", "a b", unknownValue])).toEqual([
      { property: "hosts", reason: 'hosts: "a b" is neither a DNS name nor an IP address' },
    ]);
  });
});
