import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  certificateAuthority,
  certificateAuthorityType,
} from "../../../../../../infra/provider/resources/certificates/certificate-authority.ts";
import { unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { certificatesIn } from "../../../../../../scripts/tls/term.ts";
import { contextOf } from "../../call-context.ts";

const day = 24 * 60 * 60_000;
const made = new Date("2026-03-01T12:00:00Z");
const later = (days: number, ms = 0) => new Date(made.getTime() + days * day + ms);
const at = (now: Date) => certificateAuthorityType(() => now);
const inputs = { commonName: "shop dev", validityDays: 100, renewBeforeDays: 10 };
const context = () => contextOf("CertificateAuthority");

async function create(given = inputs) {
  const { id, outputs } = await at(made).create(context(), given, false);
  return { id, outputs: outputs as Record<string, string>, inputs: given };
}

describe("the CA of a stack", () => {
  it("is created with a secret key, and is trusted alone", async () => {
    const { outputs } = await create();
    expect(outputs).toEqual({
      ...inputs,
      certificate: expect.stringContaining("BEGIN CERTIFICATE"),
      privateKey: expect.stringContaining("BEGIN PRIVATE KEY"),
      trustBundle: outputs.certificate,
      notAfter: later(100).toISOString(),
    });
  });

  it("is unknown in a preview of the first run", async () => {
    const { outputs } = await at(made).create(context(), inputs, true);
    for (const key of ["certificate", "privateKey", "trustBundle", "notAfter"]) expect(outputs[key]).toBe(unknownValue);
  });

  it("stays the same over runs and refreshes, and with a changed validity until its renewal", async () => {
    const old = await create();
    expect(await at(later(50)).diff(context(), old, inputs)).toEqual({ changes: [] });
    expect(await at(later(50)).read(context(), old)).toEqual(old);
    expect(await at(later(50)).diff(context(), old, { ...inputs, validityDays: 50 })).toEqual({ changes: [] });
  });

  it.each([
    [later(90, -1), false],
    [later(90), true],
    [later(200), true],
    [later(-1), false],
  ])("on %s, valid for 100 days from March 1st and renewed in the last 10, is due: %s", async (now, expected) => {
    const changes = expected ? [{ path: "notAfter", kind: "update", input: false }] : [];
    expect(await at(now).diff(context(), await create(), inputs)).toEqual({ changes });
  });

  it("is renewed with its key, reports it, and is trusted together with the former one", async () => {
    const old = await create();
    const run = context();
    const renewed = await at(later(95)).update(run, old, inputs, false);
    expect(run.lines).toEqual(["info: renewed: was valid until 2026-06-09"]);
    expect(renewed.privateKey).toBe(old.outputs.privateKey);
    expect(renewed.notAfter).toBe(later(195).toISOString());
    expect(renewed.certificate).not.toBe(old.outputs.certificate);
    expect(certificatesIn(String(renewed.trustBundle))).toEqual([renewed.certificate, old.outputs.certificate]);
    expect(await at(later(96)).diff(context(), { ...old, outputs: renewed }, inputs)).toEqual({ changes: [] });
  });

  it("no longer trusts the former one after that expired", async () => {
    const old = await create();
    const renewed = await at(later(101)).update(context(), old, inputs, false);
    expect(renewed.trustBundle).toBe(renewed.certificate);
  });

  it.each([{ keeper: "2" }, { commonName: "shop staging" }])("gets another key with %j", async (change) => {
    const old = await create();
    const [key = ""] = Object.keys(change);
    const { changes } = await at(later(1)).diff(context(), old, { ...inputs, ...change });
    expect(changes).toEqual([{ path: key, kind: key === "keeper" ? "add" : "update" }]);
    const run = context();
    const other = await at(later(1)).update(run, old, { ...inputs, ...change }, false);
    expect(run.lines).toEqual([]);
    expect(other.privateKey).not.toBe(old.outputs.privateKey);
    expect(certificatesIn(String(other.trustBundle))).toEqual([other.certificate, old.outputs.certificate]);
  });

  it("keeps the trusted certificates known in a preview, so that nothing on the server shows changes", async () => {
    const old = await create();
    const run = context();
    const renewed = await at(later(95)).update(run, old, inputs, true);
    expect(renewed).toMatchObject({
      trustBundle: old.outputs.trustBundle,
      privateKey: old.outputs.privateKey,
      certificate: unknownValue,
      notAfter: unknownValue,
    });
    expect(run.lines).toEqual(["info: will be renewed: valid until 2026-06-09"]);
    const other = await at(later(1)).update(context(), old, { ...inputs, keeper: "2" }, true);
    expect(other).toMatchObject({ trustBundle: old.outputs.trustBundle, privateKey: unknownValue });
  });

  it("does not show its key if the one in the state is damaged", async () => {
    const old = await create();
    const damaged = { ...old, outputs: { ...old.outputs, privateKey: "half-a-key" } };
    const error = await at(later(95))
      .update(context(), damaged, inputs, false)
      .catch((caught: Error) => caught);
    expect(String((error as Error).stack)).toContain("Cannot read the CA");
    expect(String((error as Error).stack)).not.toContain("half-a-key");
  });

  it("has its inputs checked: a name, and a validity longer than the days for renewal", async () => {
    const faults = async (news: object) =>
      (await certificateAuthority.check(context(), { ...inputs, ...news }, undefined)).failures;
    expect(await faults({})).toEqual([]);
    expect(await faults({ commonName: unknownValue, validityDays: unknownValue })).toEqual([]);
    expect(await faults({ commonName: "", validityDays: 0 })).toEqual([
      { property: "validityDays", reason: "validityDays must be a whole number from 1 to 36500, but is 0" },
      { property: "commonName", reason: "commonName must be a non-empty string" },
    ]);
    expect(await faults({ renewBeforeDays: 100 })).toEqual([
      {
        property: "renewBeforeDays",
        reason: "renewBeforeDays must be a whole number from 0 to 99, less than validityDays, but is 100",
      },
    ]);
  });

  it("is created by this machine's clock by default", async () => {
    const { outputs } = await certificateAuthority.create(context(), inputs, false);
    const { validFromDate } = new X509Certificate(String(outputs.certificate));
    expect(Math.abs(Date.now() - 5 * 60_000 - validFromDate.getTime())).toBeLessThan(60_000);
  });
});
