import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { announceRenewal, checkHosts, checkTerm, renewal } from "./certificate-inputs.ts";

/**
 * Inputs that do not cause a new certificate: the term of the next one, and a CA renewed with the key that signed this
 * one.
 */
const noReasons = ["validityDays", "renewBeforeDays", "authorityCertificate"];

/**
 * A server's certificate, signed by the stack's CA, with its private key in the state as a secret. `up` renews it in
 * time, each time with a new key.
 *
 * @param clock returns the current time
 */
export function serverCertificateType(clock: () => Date = () => new Date()): ResourceType {
  return {
    async check(_context, news) {
      return { inputs: news, failures: [...checkTerm(news), ...checkHosts(news.hosts)] };
    },

    async diff(_context, old, news) {
      const changes = changedInputs(old.inputs, news, noReasons);
      return { changes: (await isDue(old.outputs, news, clock())) ? [...changes, renewal] : changes };
    },

    async create(_context, inputs, preview) {
      return { id: "certificate", outputs: preview ? unknownOutputs(inputs) : await make(inputs, clock()) };
    },

    // Nothing outside the state can have changed.
    read: async (_context, current) => current,

    async update(context, old, news, preview) {
      if (changedInputs(old.inputs, news, noReasons).length === 0) await announceRenewal(context, old.outputs, preview);
      return preview ? unknownOutputs(news) : make(news, clock());
    },

    async delete() {},
  };
}

export const serverCertificate = serverCertificateType();

async function isDue(outputs: Properties, news: Properties, now: Date): Promise<boolean> {
  if (isUnknown(news.renewBeforeDays)) return false;
  const { endOf, isDue } = await import("../../../../scripts/tls/term.ts");
  const certificate = String(outputs.certificate);
  if (!isDue(certificate, Number(news.renewBeforeDays), now)) return false;
  // No certificate outlives its CA: a new one from the same CA would end at the same time. A preview does not know the
  // next CA.
  return isUnknown(news.authorityCertificate) || endOf(certificate) < endOf(String(news.authorityCertificate));
}

async function make(inputs: Properties, now: Date): Promise<Properties> {
  const { makeServerCertificate } = await import("../../../../scripts/tls/certificates.ts");
  const { endOf, fingerprintOf } = await import("../../../../scripts/tls/term.ts");
  const authority = { certificate: String(inputs.authorityCertificate), privateKey: String(inputs.authorityKey) };
  const { certificate, privateKey } = await makeServerCertificate(authority, {
    hosts: inputs.hosts as string[],
    validityDays: Number(inputs.validityDays),
    from: now,
  });
  return {
    ...inputs,
    certificate,
    privateKey,
    notAfter: endOf(certificate),
    fingerprint: fingerprintOf(certificate),
  };
}

function unknownOutputs(inputs: Properties): Properties {
  const unknown = {
    certificate: unknownValue,
    privateKey: unknownValue,
    notAfter: unknownValue,
    fingerprint: unknownValue,
  };
  return { ...inputs, ...unknown };
}
