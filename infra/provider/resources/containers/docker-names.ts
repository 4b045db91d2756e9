import { chooseNames } from "../../../../scripts/docker/names.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

/**
 * The names of a server's objects in a Docker engine. They are chosen once and kept, even if the project directory
 * moves or the server gets another name in the program.
 */
export const dockerNames: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  diff: () => ({ changes: [] }),

  async create({ urn }, inputs) {
    const { owner, ...stack } = dockerOwnerOf(urn);
    const names = await onEngine(inputs, (docker) =>
      chooseNames(docker, { ...stack, server: inputs.server as string | undefined }, owner),
    );
    return { id: names.prefix, outputs: { ...inputs, ...names } };
  },

  read: async (_context, current) => current,
  update: async (_context, old) => old.outputs,
  async delete() {},
};
