import { machineOf } from "../../scripts/docker/host.ts";
import { requireFreeToPublish } from "../../scripts/docker/published-port.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { onEngine } from "./on-engine.ts";
import { dockerOwnerOf } from "./stack-of.ts";

/**
 * A TCP port for a container: the one that is asked for, which is refused where something else has it, before anything is made that is to have it; else one that was
 * free when it was chosen. Either is kept where it is no longer asked for.
 */
export const port: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  // What is open on another address is the container's, not the port's.
  diff: (_context, old, news) => ({
    changes: news.port === undefined ? [] : changedInputs(old.inputs, news, ["address", "dockerHost"]),
  }),

  async create({ urn }, inputs, preview) {
    if (inputs.port !== undefined) {
      await requireFree(urn, inputs);
      return { id: String(inputs.port), outputs: inputs };
    }
    if (preview) return { id: "", outputs: { ...inputs, port: unknownValue } };
    const { default: getPort } = await import("get-port");
    const chosen = await getPort();
    return { id: String(chosen), outputs: { ...inputs, port: chosen } };
  },

  read: async (_context, current) => current,

  async update({ urn }, old, news) {
    if (news.port !== old.outputs.port) await requireFree(urn, news);
    return { ...news };
  },

  async delete() {},
};

/** What is free on an engine's machine elsewhere, only the engine there finds out. */
async function requireFree(urn: string, inputs: Properties): Promise<void> {
  const host = (inputs.dockerHost as string | undefined) ?? process.env.DOCKER_HOST;
  if (isUnknown(inputs) || machineOf(host) !== undefined) return;
  const published = { address: String(inputs.address), port: Number(inputs.port) };
  await onEngine(inputs, (docker) => requireFreeToPublish(docker, published, dockerOwnerOf(urn)));
}
