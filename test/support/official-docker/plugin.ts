import { isDeepStrictEqual } from "node:util";
import { engineFor } from "../../../infra/fallback-providers/docker/engine.ts";
import { plugin as fallback } from "../../../infra/fallback-providers/docker/plugin.ts";
import { text } from "../../../infra/fallback-providers/property.ts";
import type { CallContext, Plugin, ResourceType } from "../../../infra/provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../infra/provider-protocol/values.ts";
import { unlessMissing } from "../../../scripts/docker/docker-error.ts";
import { deltaKey, deltaMisfit } from "../../../scripts/stack/state-delta.ts";
import { deltaOf } from "./state-delta.ts";

/**
 * Acts as the official docker plugin where that differs from the fallback provider. It adopts nothing, assumes that an
 * image exists forever, and compares a healthcheck with the values that Docker filled in. It keeps a delta to the
 * original state, which must match. Everything else is the fallback provider's.
 */
export const plugin: Plugin = {
  ...fallback,
  types: {
    "docker:index/container:Container": async () =>
      bridged(await load("container:Container"), { refuse: containerTaken }),
    "docker:index/image:Image": async () => echoed(await load("image:Image")),
    "docker:index/network:Network": async () => bridged(await load("network:Network"), { refuse: networkTaken }),
    "docker:index/volume:Volume": async () => bridged(await load("volume:Volume"), { create: createVolume }),
  },
};

async function load(type: string): Promise<ResourceType> {
  const found = await fallback.types[`docker:index/${type}`]?.();
  if (found === undefined) throw new Error(`the fallback provider has no ${type}`);
  return found;
}

interface Differences {
  /** Throws if the object exists: the official plugin does not adopt it. */
  refuse?(context: CallContext, inputs: Properties): Promise<void>;
  /** Creates in another way than the fallback provider. */
  create?(context: CallContext, inputs: Properties): Promise<void>;
}

/** Wraps a type that comes from Terraform: its states have a delta, which is checked first. */
function bridged(type: ResourceType, { refuse, create }: Differences): ResourceType {
  const answer = (outputs: Properties): Properties => {
    const { [deltaKey]: _, ...rest } = outputs;
    return { ...rest, [deltaKey]: deltaOf(rest) };
  };
  const read: ResourceType["read"] = async (context, current) => {
    // The declared healthcheck is ignored: the result has the one that Docker reports.
    const { healthcheck: _, [deltaKey]: __, ...outputs } = current.outputs;
    const found = await type.read(context, { ...current, outputs });
    return found && { ...found, outputs: answer(found.outputs) };
  };
  return {
    ...type,
    diff: (context, old, news) => type.diff(context, checked(old), news),
    read: (context, current) => read(context, checked(current)),
    async create(context, inputs, preview) {
      if (preview) return type.create(context, inputs, preview);
      await refuse?.(context, inputs);
      const made =
        create === undefined
          ? await type.create(context, inputs, false)
          : await create(context, inputs).then(() => ({ id: text(inputs, "name"), outputs: inputs }));
      const found = await read(context, { ...made, inputs });
      if (found === undefined) throw new Error("what was made is not there");
      return { id: found.id, outputs: found.outputs };
    },
    async update(context, old, news, preview) {
      const outputs = await type.update(context, checked(old), news, preview);
      return preview ? outputs : answer(outputs);
    },
    delete: (context, old) => type.delete(context, checked(old)),
  };
}

/** Ends the process like a panic if a state's delta does not match its values. */
function checked<State extends { outputs: Properties }>(state: State): State {
  const reason = deltaMisfit(state.outputs);
  if (reason === undefined) return state;
  process.stderr.write(`panic: fatal: Data integrity error: ${deltaKey} does not apply cleanly: ${reason}\n`);
  process.exit(2);
}

async function containerTaken(context: CallContext, inputs: Properties): Promise<void> {
  const { docker } = await engineFor(context);
  const [name, image] = [text(inputs, "name"), text(inputs, "image")];
  if ((await unlessMissing(docker.getImage(image).inspect())) === undefined) {
    throw new Error(`Unable to read Docker image into resource: unable to find or pull image ${image}`);
  }
  const there = await unlessMissing(docker.getContainer(name).inspect());
  if (there === undefined) return;
  throw new Error(
    `Unable to create container: Error response from daemon: Conflict. The container name "/${name}" is already in use by container "${there.Id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

async function networkTaken(context: CallContext, inputs: Properties): Promise<void> {
  const { docker } = await engineFor(context);
  const name = text(inputs, "name");
  const there = await docker.listNetworks({ filters: { name: [name] } });
  if (!there.some(({ Name }) => Name === name)) return;
  throw new Error(`Unable to create network: Error response from daemon: network with name ${name} already exists`);
}

/** Docker returns the existing volume of that name, whatever its labels. */
async function createVolume(context: CallContext, inputs: Properties): Promise<void> {
  const { docker } = await engineFor(context);
  const labels = (inputs.labels ?? []) as { label: string; value: string }[];
  await docker.createVolume({
    Name: text(inputs, "name"),
    Labels: Object.fromEntries(labels.map(({ label, value }) => [label, value])),
  });
}

/** Wraps the image type: its Read returns its arguments, and its Diff compares all inputs. */
function echoed(type: ResourceType): ResourceType {
  return {
    ...type,
    diff(_context, old, news) {
      const before = (old.outputs.__inputs ?? old.inputs) as Properties;
      const keys = new Set([...Object.keys(before), ...Object.keys(news)]);
      const changed = [...keys].filter((key) => isUnknown(news[key]) || !isDeepStrictEqual(before[key], news[key]));
      return { changes: changed.map((path) => ({ path, kind: "update" })) };
    },
    read: async (_context, current) => current,
  };
}
