import { keptPassphrase } from "../../../../scripts/backup/kept-passphrase.ts";
import { containerPaths } from "../../../plan/container.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { unknownValue } from "../../../provider-protocol/values.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

/**
 * The passphrase that encrypts a stack's backups. It never changes: a repository can be read only with the passphrase
 * that it was created with. Besides the stack's state, the cluster's volume keeps it. A stack that is created again
 * over its data reads it from there.
 */
export const backupPassphrase: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  // Another image only gives other access to the same file.
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
