import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { DockerPlace } from "./docker-engine.ts";
import { stageBuildContext } from "./staged-context.ts";

export interface DockerImageArgs {
  /** A folder of infra/images. The image is named after it. */
  folder: string;
  tag: string;
  args?: Record<string, string>;
  /** Files to add to the folder: the absolute path of each by its path in the build context. */
  files?: Readonly<Record<string, string>>;
}

/**
 * Builds one of the kit's images in the stack's engine. Returns its digest, so that a changed image replaces the
 * containers that use it.
 */
export function dockerImage(
  name: string,
  { folder, tag, args = {}, files = {} }: DockerImageArgs,
  place: DockerPlace,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const built = new docker.Image(
    name,
    {
      imageName: pulumi.interpolate`${place.name(folder)}:${tag}`,
      build: {
        context: stageBuildContext(folder, undefined, files),
        platform: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`,
        ...(Object.keys(args).length === 0 ? {} : { args }),
      },
      skipPush: true,
    },
    // The official plugin assumes that an image stays in the engine forever. Only replacing the resource builds it
    // again.
    { parent, provider: place.provider, replacementTrigger: place.imageTrigger(name) },
  );
  return built.repoDigest;
}
