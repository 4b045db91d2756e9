import { type KeptPassphrases, keptPassphrases, lowerGeneration } from "../../../../scripts/backup/kept-passphrase.ts";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { containerPaths } from "../../../plan/container.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

/**
 * The passphrases that encrypt a stack's backups. The passphrase of a generation never changes: a repository can be
 * read only with the passphrase that it was created with. A new generation has new repositories with a new one. Besides
 * the stack's state, the cluster's volume keeps them. A stack that is created again over its data reads them there.
 */
export const backupPassphrase: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  // Another image only gives other access to the same file.
  diff(_context, old, news) {
    const [former, wanted] = [generationOf(old.inputs), generationOf(news)];
    if (wanted < former) throw lowerGeneration(wanted, former);
    if (wanted > former + 1) throw skippedGeneration(wanted, former);
    if (wanted > former) return { changes: [{ path: "generation", kind: former === 1 ? "add" : "update" }] };
    const given = news.passphrase;
    // Accepted only as long as there is no cluster, such as a wrong one given for a restore.
    if (given !== undefined && !isUnknown(given) && given !== old.outputs.result)
      return { changes: [{ path: "passphrase", kind: "update" }] };
    return { changes: [] };
  },

  async create({ urn }, inputs, preview) {
    const id = "passphrase";
    if (preview) return { id, outputs: { ...inputs, ...unknownPassphrases({ generation: inputs.generation }) } };
    return { id, outputs: outputsOf(inputs, await keep(urn, inputs, {})) };
  },

  read: async (_context, current) => current,

  async update({ urn }, old, news, preview) {
    if (preview) {
      const { passphrase: _, ...rest } = news;
      return { ...rest, ...unknownPassphrases(news) };
    }
    const { result, former } = old.outputs;
    const known = { ...(former as Record<string, string> | undefined), [generationOf(old.inputs)]: String(result) };
    return outputsOf(news, await keep(urn, news, known));
  },

  async delete() {},
};

function generationOf({ generation = 1 }: Properties): number {
  return Number(generation);
}

function unknownPassphrases(inputs: Properties): Properties {
  return { result: inputs.passphrase ?? unknownValue, ...(generationOf(inputs) === 1 ? {} : { former: unknownValue }) };
}

/** Returns the outputs. The first generation has the same ones as before there were others. */
function outputsOf(inputs: Properties, { passphrase: result, former }: KeptPassphrases): Properties {
  const { passphrase: _, ...rest } = inputs;
  return { ...rest, result, ...(generationOf(inputs) === 1 ? {} : { former }) };
}

/** Returns the passphrases that the cluster's volume keeps from now on. */
function keep(urn: string, inputs: Properties, former: Readonly<Record<string, string>>): Promise<KeptPassphrases> {
  const place = {
    image: String(inputs.image),
    volume: String(inputs.volume),
    owner: dockerOwnerOf(urn),
    mountedAt: containerPaths.data,
  };
  const given = inputs.passphrase === undefined ? undefined : String(inputs.passphrase);
  const wanted = { generation: generationOf(inputs), given, former };
  return onEngine(inputs, (docker) => keptPassphrases(docker, place, wanted));
}

function skippedGeneration(wanted: number, former: number): OperationError {
  return new OperationError(
    `The settings ask for generation ${wanted} of the backup repositories, and the stack has generation ${former}.`,
    { hint: `Set pgroundwork:backups.generation to ${former + 1}, the next one, or leave it at ${former}.` },
  );
}
