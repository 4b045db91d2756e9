import { keptPassphrase } from "../../scripts/backup/kept-passphrase.ts";
import { containerPaths } from "../plan/container.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import { unknownValue } from "../plugin/values.ts";
import { onEngine } from "./on-engine.ts";
import { dockerOwnerOf } from "./stack-of.ts";

/**
 * What a stack's backups are encrypted with. It never changes: a repository is made with one and can be read with no other. Beside the stack's state the
 * cluster's volume keeps it, from where a stack that is brought up again over its data takes it.
 */
export const backupPassphrase: ResourceType = {
  secretOutputs: ["result"],

  async check(_context, news) {
    return { inputs: news };
  },

  // Another image is another way to the same file.
  diff: () => ({ changes: [] }),

  async create({ urn }, inputs, preview) {
    const id = "passphrase";
    if (preview) return { id, outputs: { ...inputs, result: unknownValue } };
    const place = {
      image: String(inputs.image),
      volume: String(inputs.volume),
      owner: dockerOwnerOf(urn),
      mountedAt: containerPaths.data,
    };
    const result = await onEngine(inputs, (docker) => keptPassphrase(docker, place));
    return { id, outputs: { ...inputs, result } };
  },

  read: async (_context, current) => current,
  update: async (_context, old) => old.outputs,
  async delete() {},
};
