import { hasImage, pullImage } from "../../../../scripts/docker/image.ts";
import { checkSettingsInImage } from "../../../../scripts/docker/server/check-settings.ts";
import { renderConfiguration, type ServerSettings } from "../../../../scripts/server/configuration.ts";
import type { CallContext, ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

/**
 * Settings of postgresql.conf, checked by the PostgreSQL of an image and tried with a throwaway cluster. Previews check
 * them too, if the image exists. If PostgreSQL refuses a setting or does not start, no dependent resource is changed.
 * The resource itself changes no server. Unless the settings, the image or the memory change, nothing is checked.
 */
export const serverSettings: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  // The name only leads to the running server.
  diff: (_context, old, news) => ({ changes: changedInputs(old.inputs, news, ["container"]) }),

  async create(context, inputs, preview) {
    await judge(context, inputs, preview);
    return { id: "settings", outputs: outputsOf(inputs) };
  },

  read: async (_context, current) => current,

  async update(context, _old, news, preview) {
    await judge(context, news, preview);
    return outputsOf(news);
  },

  async delete() {},
};

function outputsOf(inputs: Properties): Properties {
  return {
    ...inputs,
    text: isUnknown(inputs.settings) ? unknownValue : renderConfiguration(inputs.settings as ServerSettings),
  };
}

/**
 * Checks the settings with the image. A prebuilt image is pulled first, but not in a preview, which then skips the
 * check.
 */
async function judge({ urn }: CallContext, inputs: Properties, preview: boolean): Promise<void> {
  const { settings } = inputs;
  if (isUnknown([inputs.image, settings])) return;
  const image = String(inputs.image);
  await onEngine(inputs, async (docker) => {
    if (!(await hasImage(docker, image))) {
      if (preview) return;
      await pullImage(docker, image);
    }
    const known = <Value>(value: unknown) => (isUnknown(value) ? undefined : (value as Value | undefined));
    const server = {
      image,
      owner: dockerOwnerOf(urn),
      memoryMb: known<number>(inputs.memoryMb),
      shmSizeMb: known<number>(inputs.shmSizeMb),
      container: known<string>(inputs.container),
    };
    await checkSettingsInImage(docker, server, settings as ServerSettings);
  });
}
