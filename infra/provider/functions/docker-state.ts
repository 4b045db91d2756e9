import { randomUUID } from "node:crypto";
import type Docker from "dockerode";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import { DockerUnreachable } from "../../../scripts/docker/docker-error.ts";
import { hasImage } from "../../../scripts/docker/image.ts";
import { ownerOf } from "../../../scripts/docker/names.ts";
import { stackObjectsOf } from "../../../scripts/docker/stack-objects.ts";
import { removeUnknown, type Unknown, unknownTo } from "../../../scripts/docker/unknown.ts";
import { claimObjects } from "../../../scripts/stack/docker-claim.ts";
import { dockerPlaceIn } from "../../../scripts/stack/docker-place.ts";
import { copyError, originalOf, ownStateFile } from "../../../scripts/stack/original.ts";
import type { StateResource } from "../../../scripts/stack/stack-state.ts";
import { storedResources } from "../../../scripts/stack/stored-state.ts";
import type { PluginFunction } from "../../provider-protocol/function-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { onEngine } from "../inputs/on-engine.ts";
import { cloneRoot } from "../inputs/stack-of.ts";
import { home } from "../resources/servers/server-properties.ts";

const imageType = "docker:index/image:Image";

/**
 * Compares a stack's state with its Docker engine in cases that the official docker plugin does not cover. It does not
 * adopt leftovers of a killed run, and does not detect that an image is gone. If the state or the engine cannot be
 * read, the answer is `known: false`, since a run goes on without it.
 */
export const dockerState: PluginFunction = {
  async call(_context, args) {
    const [project, stack] = [String(args.project), String(args.stack)];
    const server = args.server as string | undefined;
    let resources: StateResource[];
    try {
      resources = await storedResources({ root: cloneRoot, env: process.env, project, stack });
    } catch (error) {
      return { known: false, reason: textOf(error) };
    }
    const directory = { root: cloneRoot, project, stack, env: process.env };
    const original = await originalOf(directory, resources);
    if (original !== undefined)
      return { known: true, fault: copyError(stack, cloneRoot, original).text, imageTriggers: [] };
    const recorded = dockerPlaceIn(resources)?.owner;
    const own = ownerOf(process.env.PULUMI_BACKEND_URL, cloneRoot);
    const owners = [...new Set(recorded === undefined ? [own] : [recorded, own])];
    // A state elsewhere belongs to every clone.
    if (args.remove === true && ownStateFile(directory) !== undefined)
      await claimObjects({ home: home(), project, stack, owner: recorded ?? own }, cloneRoot);
    return onEngine(args, async (docker) => {
      const unknown = unknownTo(resources, await stackObjectsOf(docker, { project, stack, server, owners }));
      const triggers = await imageTriggers(docker, resources);
      return { known: true, imageTriggers: triggers, ...(args.remove === true ? await removed(docker, unknown) : {}) };
    }).catch((error: unknown) => {
      // The docker provider reports this as well, and fails.
      if (error instanceof DockerUnreachable) return { known: false };
      return { known: false, reason: textOf(error) };
    });
  },
};

async function removed(docker: Docker, unknown: Unknown): Promise<Properties> {
  try {
    return { removed: await removeUnknown(docker, unknown) };
  } catch (error) {
    return { fault: textOf(error) };
  }
}

/** @throws the error itself if it is not meant for the user */
function textOf(error: unknown): string {
  if (error instanceof OperationError) return error.text;
  throw error;
}

/**
 * Returns the trigger of each image in the state: its current one if the engine has the image, and a new one to build
 * it again otherwise.
 */
async function imageTriggers(docker: Docker, resources: readonly StateResource[]): Promise<string[]> {
  const images = resources.filter(({ type, delete: isOld }) => type === imageType && isOld !== true);
  return Promise.all(
    images.map(async ({ urn, outputs, replacementTrigger }) => {
      const digest = outputs?.repoDigest;
      const isGone = typeof digest === "string" && !(await hasImage(docker, digest));
      const kept = typeof replacementTrigger === "string" ? replacementTrigger : firstTrigger;
      return `${urn.split("::").at(-1)} ${isGone ? randomUUID() : kept}`;
    }),
  );
}

/** Trigger of images that were built only once. */
const firstTrigger = "1";
