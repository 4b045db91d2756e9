import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { isMissing } from "../../../../scripts/docker/docker-error.ts";
import { readVolumeFiles, type VolumePlace, writeVolumeFiles } from "../../../../scripts/docker/volume-files.ts";
import type { CheckFailure, ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

type Files = Record<string, string>;

/**
 * Files in a Docker volume that only postgres can read: configuration, certificates, keys, passwords. They are updated
 * in place. Dependent resources read them again when they see another `revision`. The files are deleted with the
 * volume.
 */
export const volumeFiles: ResourceType = {
  async check(_context, news) {
    return { inputs: news, failures: isUnknown(news.files) ? [] : faultyPaths(news.files as Files) };
  },

  // The image only gives access to the volume and does not affect the files.
  diff: (_context, old, news) => ({ changes: changedInputs(old.inputs, news, ["image"]) }),

  async create(context, inputs, preview) {
    const id = String(inputs.volume);
    if (preview) return { id, outputs: outputsOf(inputs) };
    await onEngine(inputs, (docker) => writeVolumeFiles(docker, placeOf(context.urn, inputs), inputs.files as Files));
    return { id, outputs: outputsOf(inputs) };
  },

  async read(context, current) {
    const expected = current.inputs.files as Files;
    try {
      const place = placeOf(context.urn, current.inputs);
      const found = await onEngine(current.inputs, async (docker) => {
        await docker.getVolume(place.volume).inspect();
        return readVolumeFiles(docker, place, Object.keys(expected));
      });
      if (isDeepStrictEqual(found, expected)) return current;
      const inputs = { ...current.inputs, files: found };
      return { ...current, inputs, outputs: outputsOf(inputs) };
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      if (!isMissing(cause)) throw error;
      // Without the image the files cannot be read, so the state stays. Without the volume they are gone.
      return /no such image/i.test(String(cause)) ? current : undefined;
    }
  },

  async update(context, old, news, preview) {
    if (preview) return outputsOf(news);
    const wanted = news.files as Files;
    const removed = Object.keys((old.inputs.files ?? {}) as Files).filter((path) => !Object.hasOwn(wanted, path));
    await onEngine(news, (docker) => writeVolumeFiles(docker, placeOf(context.urn, news), wanted, removed));
    return outputsOf(news);
  },

  async delete() {},
};

function outputsOf(inputs: Properties): Properties {
  return { ...inputs, revision: isUnknown(inputs.files) ? unknownValue : revisionOf(inputs.files as Files) };
}

/** Returns a digest of all contents, independent of the order of the files. */
function revisionOf(files: Files): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}

function placeOf(urn: string, inputs: Properties): VolumePlace {
  return { image: String(inputs.image), volume: String(inputs.volume), owner: dockerOwnerOf(urn) };
}

function faultyPaths(files: Files): CheckFailure[] {
  return Object.keys(files)
    .filter((path) => path.startsWith("/") || path.split("/").some((step) => step === "" || step === ".."))
    .map((path) => ({ property: "files", reason: `"${path}" is not a path inside the volume` }));
}
