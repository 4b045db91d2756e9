import { keptPassphrase } from "../../../../scripts/backup/kept-passphrase.ts";
import { containerPaths } from "../../../plan/container.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
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
  diff(_context, old, news) {
    const given = news.passphrase;
    // Accepted only as long as there is no cluster, such as a wrong one given for a restore.
    if (given !== undefined && !isUnknown(given) && given !== old.outputs.result)
      return { changes: [{ path: "passphrase", kind: "update" }] };
    return { changes: [] };
  },

  async create({ urn }, inputs, preview) {
    const id = "passphrase";
    if (preview) return { id, outputs: { ...inputs, result: unknownValue } };
    const { passphrase: _, ...rest } = inputs;
    return { id, outputs: { ...rest, result: await keep(urn, inputs) } };
  },

  read: async (_context, current) => current,

  async update({ urn }, _old, news, preview) {
    const { passphrase, ...rest } = news;
    if (!preview) await keep(urn, news);
    return { ...rest, result: passphrase };
  },

  async delete() {},
};

/** Returns the passphrase that the cluster's volume keeps from now on. */
function keep(urn: string, inputs: Properties): Promise<string> {
  const place = {
    image: String(inputs.image),
    volume: String(inputs.volume),
    owner: dockerOwnerOf(urn),
    mountedAt: containerPaths.data,
  };
  const given = inputs.passphrase === undefined ? undefined : String(inputs.passphrase);
  return onEngine(inputs, (docker) => keptPassphrase(docker, place, given));
}
