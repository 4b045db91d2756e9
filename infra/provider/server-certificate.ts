import type { ResourceType } from "../plugin/resource-type.ts";
import { type Properties, unknownValue } from "../plugin/values.ts";
import { announce } from "./certificate-authority.ts";
import { changedInputs } from "./changed-inputs.ts";

/** A server's certificate of the stack's authority, its private key kept in the state as a secret; renewed in time by `up`. */
export const serverCertificate: ResourceType = {
  secretOutputs: ["privateKey", "authorityKey"],

  async check(_context, news) {
    return { inputs: news };
  },

  async diff(_context, old, news) {
    const changes = changedInputs(old.inputs, news, ["validityDays", "renewBeforeDays"]);
    const { isDue } = await import("../../scripts/tls/term.ts");
    if (isDue(String(old.outputs.certificate), Number(news.renewBeforeDays)))
      changes.push({ path: "notAfter", kind: "update", input: false });
    return { changes };
  },

  async create(_context, inputs, preview) {
    return { id: "certificate", outputs: preview ? unknownOutputs(inputs) : await made(inputs) };
  },

  read: async (_context, current) => current,

  async update(context, old, news, preview) {
    await announce(context, old.outputs);
    return preview ? unknownOutputs(news) : made(news);
  },

  async delete() {},
};

async function made(inputs: Properties): Promise<Properties> {
  const { makeServerCertificate } = await import("../../scripts/tls/certificates.ts");
  const { endOf } = await import("../../scripts/tls/term.ts");
  const authority = { certificate: String(inputs.authorityCertificate), privateKey: String(inputs.authorityKey) };
  const { certificate, privateKey } = await makeServerCertificate(authority, {
    hosts: inputs.hosts as string[],
    validityDays: Number(inputs.validityDays),
  });
  return { ...inputs, certificate, privateKey, notAfter: endOf(certificate) };
}

function unknownOutputs(inputs: Properties): Properties {
  return { ...inputs, certificate: unknownValue, privateKey: unknownValue, notAfter: unknownValue };
}
