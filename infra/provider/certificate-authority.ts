import type { ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../plugin/values.ts";
import { announceRenewal, checkTerm, renewal } from "./certificate-inputs.ts";
import { changedInputs } from "./changed-inputs.ts";

/** Inputs that another authority comes of: one with another key. The other inputs say how long the next certificate lasts, and are no reason to make it. */
const identity = ["commonName", "keeper"];

/**
 * A stack's certificate authority, its private key kept in the state as a secret. `up` renews it in time, with the same key: who trusts either certificate
 * accepts what both signed, and the server's certificate stays. Another keeper makes another key; the authorities before it are trusted for as long as they
 * last, since servers have certificates of theirs until they get a new one.
 *
 * @param clock what tells how late it is
 */
export function certificateAuthorityType(clock: () => Date = () => new Date()): ResourceType {
  const isDue = async (outputs: Properties, { renewBeforeDays }: Properties) => {
    const term = await import("../../scripts/tls/term.ts");
    return !isUnknown(renewBeforeDays) && term.isDue(String(outputs.certificate), Number(renewBeforeDays), clock());
  };
  return {
    secretOutputs: ["privateKey"],

    async check(_context, news) {
      return { inputs: news, failures: [...checkTerm(news), ...checkName(news.commonName)] };
    },

    async diff(_context, old, news) {
      const changes = identityChanges(old.inputs, news);
      return { changes: (await isDue(old.outputs, news)) ? [...changes, renewal] : changes };
    },

    async create(_context, inputs, preview) {
      if (!preview) return { id: "authority", outputs: await make(inputs, clock()) };
      const unknown = { certificate: unknownValue, privateKey: unknownValue, notAfter: unknownValue };
      return { id: "authority", outputs: { ...inputs, ...unknown, trustBundle: unknownValue } };
    },

    // There is nothing outside the state that could have changed.
    read: async (_context, current) => current,

    async update(context, old, news, preview) {
      const isOther = identityChanges(old.inputs, news).length > 0;
      if (!isOther) await announceRenewal(context, old.outputs, preview);
      const { privateKey, trustBundle } = old.outputs as Record<string, string>;
      if (!preview) return make(news, clock(), { trustBundle, privateKey: isOther ? undefined : privateKey });
      // The server has its old certificate until `up` makes the new one, and a provider that is configured with unknown authorities shows all it made as changing.
      const known = { trustBundle, privateKey: isOther ? unknownValue : privateKey };
      return { ...news, ...known, certificate: unknownValue, notAfter: unknownValue };
    },

    async delete() {},
  };
}

export const certificateAuthority = certificateAuthorityType();

function identityChanges(old: Properties, news: Properties) {
  const of = (inputs: Properties) => Object.fromEntries(identity.map((key) => [key, inputs[key]]));
  return changedInputs(of(old), of(news));
}

/** @param former what was trusted until now, and the key to keep */
async function make(
  inputs: Properties,
  now: Date,
  former: { trustBundle?: string | undefined; privateKey?: string | undefined } = {},
): Promise<Properties> {
  const { makeAuthority } = await import("../../scripts/tls/certificates.ts");
  const { endOf, trustBundle } = await import("../../scripts/tls/term.ts");
  const { certificate, privateKey } = await makeAuthority({
    commonName: String(inputs.commonName),
    validityDays: Number(inputs.validityDays),
    from: now,
    privateKey: former.privateKey,
  });
  return {
    ...inputs,
    certificate,
    privateKey,
    notAfter: endOf(certificate),
    trustBundle: trustBundle(certificate, former.trustBundle ?? "", now),
  };
}

function checkName(commonName: unknown) {
  if (isUnknown(commonName) || (typeof commonName === "string" && commonName !== "")) return [];
  return [{ property: "commonName", reason: "commonName has to be a text that is not empty" }];
}
