import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { DockerPlace } from "./docker-engine.ts";

/** From the folder that program and plugins run in: the same in every clone. */
const context = "images/postgres";

/** The image of the stack's containers, by its digest: one that changes replaces them. */
export function serverImage(
  name: string,
  { image, postgis }: { image?: string | undefined; postgis: boolean },
  place: DockerPlace,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  if (image !== undefined) return pulumi.output(image);
  const built = new docker.Image(
    name,
    {
      imageName: pulumi.interpolate`${place.name("postgres")}:17`,
      build: {
        context,
        platform: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`,
        args: { POSTGIS: String(postgis) },
      },
      skipPush: true,
    },
    { parent, provider: place.provider },
  );
  return built.repoDigest;
}
