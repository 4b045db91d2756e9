import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { DockerPlace } from "./docker-engine.ts";

/** The image of what watches a stack, by its digest: one that changes replaces the containers. */
export function monitoringImage(name: string, place: DockerPlace, parent: pulumi.Resource): pulumi.Output<string> {
  const built = new docker.Image(
    name,
    {
      imageName: pulumi.interpolate`${place.name("monitoring")}:latest`,
      build: {
        // From the folder that program and plugins run in: the same in every clone.
        context: "images/monitoring",
        platform: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`,
      },
      skipPush: true,
    },
    { parent, provider: place.provider },
  );
  return built.repoDigest;
}
