import { chooseNames } from "../../scripts/docker/names.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import { onEngine } from "./on-engine.ts";
import { dockerOwnerOf } from "./stack-of.ts";

/** The names of a stack's things in a Docker engine: chosen once, then kept, wherever the clone moves. */
export const dockerNames: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  diff: () => ({ changes: [] }),

  async create({ urn }, inputs) {
    const { owner, ...stack } = dockerOwnerOf(urn);
    const names = await onEngine(inputs, (docker) => chooseNames(docker, stack, owner));
    return { id: names.prefix, outputs: { ...inputs, ...names } };
  },

  read: async (_context, current) => current,
  update: async (_context, old) => old.outputs,
  async delete() {},
};
