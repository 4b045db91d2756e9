import { processLimitOf, setProcessLimit } from "../../../../scripts/docker/process-limit.ts";
import type { CallContext, ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";

/**
 * Limits of a container that the docker provider cannot declare: the number of its processes. The engine changes it in
 * the running container, and keeps it when the container restarts. Each preview compares it with the engine.
 */
export const containerLimits: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  async diff(_context, old, news) {
    const changes = changedInputs(old.inputs, news);
    if (changes.length > 0 || isUnknown(news)) return { changes };
    const actual = await limitOf(news);
    // A container that is gone is reported by its own resource.
    const isSame = actual === undefined || actual === news.processes;
    return { changes: isSame ? [] : [{ path: "processes", kind: "update", input: false }] };
  },

  async create(context, inputs, preview) {
    if (!preview) await limit(context, inputs);
    return { id: String(inputs.container), outputs: inputs };
  },

  async read(_context, current) {
    const processes = (await limitOf(current.inputs)) ?? current.outputs.processes;
    return { ...current, outputs: { ...current.outputs, processes } };
  },

  async update(context, _old, news, preview) {
    if (!preview) await limit(context, news);
    return news;
  },

  // The limit goes with the container.
  async delete() {},
};

function limitOf(inputs: Properties): Promise<number | undefined> {
  return onEngine(inputs, (docker) => processLimitOf(docker, String(inputs.containerId)));
}

async function limit(context: CallContext, inputs: Properties): Promise<void> {
  const processes = Number(inputs.processes);
  const isLimited = await onEngine(inputs, (docker) => setProcessLimit(docker, String(inputs.containerId), processes));
  if (!isLimited)
    await context.log(
      "warning",
      `The number of processes in ${String(inputs.container)} has no limit: the kernel of the Docker engine cannot set one.`,
    );
}
