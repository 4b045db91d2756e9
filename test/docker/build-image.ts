import { readdir } from "node:fs/promises";
import type Docker from "dockerode";

/** Result of a build. */
export interface ImageBuild {
  /** Output of all steps. */
  output: string;
  /** Error message of the engine if the build failed. */
  error: string | undefined;
}

/** Builds an image with the engine's classic builder, which every engine has. */
export async function buildImage(
  docker: Docker,
  context: string,
  tag: string,
  buildArguments: Readonly<Record<string, string>> = {},
): Promise<ImageBuild> {
  const stream = await docker.buildImage(
    { context, src: await readdir(context) },
    { t: tag, buildargs: { ...buildArguments }, forcerm: true },
  );
  const build: ImageBuild = { output: "", error: undefined };
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      // A failed step is reported as an event, too.
      (failure, events) => (failure === null || events.some(({ error }) => error) ? resolve() : reject(failure)),
      ({ stream: text = "", error }: { stream?: string; error?: string }) => {
        build.output += text;
        build.error ??= error;
      },
    );
  });
  return build;
}
