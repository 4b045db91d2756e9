import type { CertifiedKey } from "../../scripts/tls/certificates.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import { type Properties, unknownValue } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";

/**
 * A stack's certificate authority, its private key kept in the state as a secret. It is renewed in time by `up`; the ones before it are trusted for as long as
 * they last, since servers have certificates of theirs until they get a new one.
 */
export const certificateAuthority: ResourceType = {
  secretOutputs: ["privateKey"],

  async check(_context, news) {
    return { inputs: news };
  },

  async diff(_context, old, news) {
    // How long the next one lasts is no reason to make it now.
    const changes = changedInputs(old.inputs, news, ["validityDays", "renewBeforeDays"]);
    const { isDue } = await import("../../scripts/tls/term.ts");
    if (isDue(String(old.outputs.certificate), Number(news.renewBeforeDays)))
      changes.push({ path: "notAfter", kind: "update", input: false });
    return { changes };
  },

  async create(_context, inputs, preview) {
    return { id: "authority", outputs: preview ? unknownOutputs(inputs) : await made(inputs, "") };
  },

  read: async (_context, current) => current,

  async update(context, old, news, preview) {
    await announce(context, old.outputs);
    return preview ? unknownOutputs(news) : made(news, String(old.outputs.trustBundle));
  },

  async delete() {},
};

async function made(inputs: Properties, former: string): Promise<Properties> {
  const { makeAuthority } = await import("../../scripts/tls/certificates.ts");
  const { endOf, trustBundle } = await import("../../scripts/tls/term.ts");
  const { certificate, privateKey }: CertifiedKey = await makeAuthority({
    commonName: String(inputs.commonName),
    validityDays: Number(inputs.validityDays),
  });
  return {
    ...inputs,
    certificate,
    privateKey,
    notAfter: endOf(certificate),
    trustBundle: trustBundle(certificate, former),
  };
}

function unknownOutputs(inputs: Properties): Properties {
  const made = {
    certificate: unknownValue,
    privateKey: unknownValue,
    notAfter: unknownValue,
    trustBundle: unknownValue,
  };
  return { ...inputs, ...made };
}

/** Says why a certificate that nobody changed is made anew. */
export async function announce(context: CallContext, outputs: Properties): Promise<void> {
  await context.log("info", `made anew: the one there ends on ${String(outputs.notAfter).slice(0, 10)}`);
}
