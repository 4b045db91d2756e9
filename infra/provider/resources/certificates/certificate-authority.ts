import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { announceRenewal, checkTerm, renewal } from "./certificate-inputs.ts";

/**
 * Inputs that identify a CA. If one of them changes, a CA with another key is created. The other inputs set the term of
 * the next certificate, and their change does not create one.
 */
const identity = ["commonName", "keeper"];

/**
 * A stack's CA, with its private key in the state as a secret. `up` renews it in time with the same key: clients that
 * trust either certificate accept what both signed, and the server's certificate stays. Another keeper creates another
 * key. Earlier CAs stay trusted until they expire, since servers use certificates that they signed until they get new
 * ones.
 *
 * @param clock returns the current time
 */
export function certificateAuthorityType(clock: () => Date = () => new Date()): ResourceType {
  const isDue = async (outputs: Properties, { renewBeforeDays }: Properties) => {
    const term = await import("../../../../scripts/tls/term.ts");
    return !isUnknown(renewBeforeDays) && term.isDue(String(outputs.certificate), Number(renewBeforeDays), clock());
  };
  return {
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

    // Nothing outside the state can have changed.
    read: async (_context, current) => current,

    async update(context, old, news, preview) {
      const isOther = identityChanges(old.inputs, news).length > 0;
      if (!isOther) await announceRenewal(context, old.outputs, preview);
      const { privateKey, trustBundle } = old.outputs as Record<string, string>;
      if (!preview) return make(news, clock(), { trustBundle, privateKey: isOther ? undefined : privateKey });
      // The server has its old certificate until `up` creates the new one. A provider configured with unknown CA
      // certificates would show all its resources as changing.
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

/** @param former the CA certificates trusted so far, and the key to keep */
async function make(
  inputs: Properties,
  now: Date,
  former: { trustBundle?: string | undefined; privateKey?: string | undefined } = {},
): Promise<Properties> {
  const { makeCa } = await import("../../../../scripts/tls/certificates.ts");
  const { endOf, trustedCertificates } = await import("../../../../scripts/tls/term.ts");
  const { certificate, privateKey } = await makeCa({
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
    trustBundle: trustedCertificates(certificate, former.trustBundle ?? "", now),
  };
}

function checkName(commonName: unknown) {
  if (isUnknown(commonName) || (typeof commonName === "string" && commonName !== "")) return [];
  return [{ property: "commonName", reason: "commonName must be a non-empty string" }];
}
