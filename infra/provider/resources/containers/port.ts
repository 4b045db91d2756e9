import { requireFreeToPublish } from "../../../../scripts/docker/published-port.ts";
import { machineOf } from "../../../../scripts/model/docker-host.ts";
import { portsFor } from "../../../../scripts/server/port.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

/**
 * A TCP port for a container. A requested port is refused if it is in use, before the resources that need it are
 * created. Otherwise a free port is chosen. Both are kept if the port is no longer requested.
 */
export const port: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  // A change of the address is up to the container, not to the port.
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
    // The owner counts too: a stopped stack of the same name in another project directory keeps its port.
    const chosen = await getPort({ port: portsFor(`${urn} ${dockerOwnerOf(urn).owner}`) });
    return { id: String(chosen), outputs: { ...inputs, port: chosen } };
  },

  read: async (_context, current) => current,

  async update({ urn }, old, news) {
    if (news.port !== old.outputs.port) await requireFree(urn, news);
    return { ...news };
  },

  async delete() {},
};

/** Checks that a port is free. Skipped if the engine is on another machine, since only that engine can tell. */
async function requireFree(urn: string, inputs: Properties): Promise<void> {
  const host = (inputs.dockerHost as string | undefined) ?? process.env.DOCKER_HOST;
  if (isUnknown(inputs) || machineOf(host) !== undefined) return;
  const published = { address: String(inputs.address), port: Number(inputs.port) };
  await onEngine(inputs, (docker) => requireFreeToPublish(docker, published, dockerOwnerOf(urn)));
}
