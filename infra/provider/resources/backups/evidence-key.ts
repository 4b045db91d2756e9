import { generateKeyPairSync } from "node:crypto";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { unknownValue } from "../../../provider-protocol/values.ts";

/**
 * An Ed25519 key pair that signs the evidence of restore drills. It never changes: evidence is verified with the key
 * that it was signed with.
 */
export const evidenceKey: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  diff: () => ({ changes: [] }),

  async create(_context, inputs, preview) {
    const id = "evidence-key";
    if (preview) return { id, outputs: { ...inputs, privateKey: unknownValue, publicKey: unknownValue } };
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    return {
      id,
      outputs: {
        ...inputs,
        privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
        publicKey: String(publicKey.export({ type: "spki", format: "pem" })),
      },
    };
  },

  // Nothing outside the state can have changed.
  read: async (_context, current) => current,
  update: async (_context, old) => old.outputs,
  async delete() {},
};
