import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { DockerPlace } from "./docker-engine.ts";

export interface DockerImageArgs {
  /** A folder of infra/images, and what the image is called after. */
  folder: string;
  tag: string;
  /** Build arguments. */
  args?: Record<string, string>;
}

/** An image of the kit's, built in the stack's engine; by its digest, so that one that changes replaces the containers that follow it. */
export function dockerImage(
  name: string,
  { folder, tag, args }: DockerImageArgs,
  place: DockerPlace,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const built = new docker.Image(
    name,
    {
      imageName: pulumi.interpolate`${place.name(folder)}:${tag}`,
      build: {
        // From the folder that program and plugins run in: the same in every clone.
        context: `images/${folder}`,
        platform: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`,
        ...(args === undefined ? {} : { args }),
      },
      skipPush: true,
    },
    { parent, provider: place.provider },
  );
  return built.repoDigest;
}
