import { randomBytes } from "node:crypto";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { unknownValue } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";

/**
 * 32 random bytes: 43 characters of the URL-safe alphabet, which need no quoting in connection URLs, shells or SQL
 * literals.
 */
const entropyBytes = 32;

/**
 * A generated password, kept in the state as a secret. It changes only if its `keeper` does. It changes in place, so
 * that its users are updated and not replaced.
 */
export const password: ResourceType = {
  async check(_context, news) {
    return { inputs: { keeper: news.keeper ?? "" } };
  },

  diff: (_context, old, news) => ({ changes: changedInputs(old.inputs, news) }),

  async create(_context, inputs, preview) {
    return { id: "password", outputs: { ...inputs, result: preview ? unknownValue : generate() } };
  },

  // Nothing outside the state can have changed.
  read: async (_context, current) => current,

  async update(_context, _old, news, preview) {
    return { ...news, result: preview ? unknownValue : generate() };
  },

  async delete() {},
};

function generate(): string {
  return randomBytes(entropyBytes).toString("base64url");
}
