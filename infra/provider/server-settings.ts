import { checkSettingsInImage } from "../../scripts/container/check-settings.ts";
import { hasImage, pullImage } from "../../scripts/docker/image.ts";
import { renderConfiguration, type ServerSettings } from "../../scripts/server/configuration.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { onEngine } from "./on-engine.ts";
import { dockerOwnerOf } from "./stack-of.ts";

/**
 * Settings of postgresql.conf that an image's own PostgreSQL has looked at, in previews too as soon as the image is there: what depends on the file is not touched
 * where it would refuse one. It changes nothing by itself.
 */
export const serverSettings: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  diff: (_context, old, news) => ({ changes: changedInputs(old.inputs, news) }),

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

/** An image from elsewhere is pulled first; what is in one that has yet to be, a preview cannot say. */
async function judge({ urn }: CallContext, inputs: Properties, preview: boolean): Promise<void> {
  const { settings } = inputs;
  if (isUnknown([inputs.image, settings])) return;
  const image = String(inputs.image);
  await onEngine(inputs, async (docker) => {
    if (!(await hasImage(docker, image))) {
      if (preview) return;
      await pullImage(docker, image);
    }
    await checkSettingsInImage(docker, { image, owner: dockerOwnerOf(urn) }, settings as ServerSettings);
  });
}
