import type Docker from "dockerode";
import type { PackOptions } from "tar-fs";
import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { Properties } from "../../plugin/values.ts";
import { object, strings, text } from "../property.ts";
import type { BuildContext } from "./build-context.ts";
import type { Engine } from "./engine.ts";
import { saidBy } from "./removal.ts";

/** How many lines of a failed step a message quotes. */
const quoted = 20;

/** One message of a build, as the engine sends them. */
interface BuildMessage {
  stream?: string;
  error?: string;
}

/**
 * Builds an image with the engine's own builder, of files sent from here, and tags it.
 *
 * @param build inputs of the image's `build`
 * @returns the image's id
 * @throws OperationError with the step that failed and the last that it wrote
 */
export async function buildImage(
  engine: Engine,
  imageName: string,
  build: Properties,
  context: BuildContext,
): Promise<string> {
  const { pack } = await import("tar-fs");
  const options: PackOptions & { umask: number } = {
    entries: [...context.folders, ...context.files],
    // Everything is named: what a folder holds beside that is not sent.
    ignore: () => true,
    umask: 0,
  };
  const archive: unknown = pack(context.folder, options);
  const messages = await send(engine, imageName, archive as NodeJS.ReadableStream, {
    t: imageName,
    dockerfile: context.dockerfile,
    buildargs: object(build, "args") as Record<string, string>,
    platform: text(build, "platform"),
    ...(text(build, "target") === "" ? {} : { target: text(build, "target") }),
    ...(text(build, "network") === "" ? {} : { networkmode: text(build, "network") }),
    ...(strings(build, "addHosts").length === 0 ? {} : { extrahosts: strings(build, "addHosts") as unknown as string }),
    rm: true,
    forcerm: true,
    abortSignal: engine.signal,
  });
  const failed = messages.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw buildFailure(imageName, messages, failed.error ?? "");
  return (await engine.docker.getImage(imageName).inspect()).Id;
}

async function send(
  engine: Engine,
  imageName: string,
  archive: NodeJS.ReadableStream,
  options: Docker.ImageBuildOptions,
): Promise<BuildMessage[]> {
  const messages: BuildMessage[] = [];
  try {
    const answer = await engine.docker.buildImage(archive, options);
    await new Promise<void>((resolve, reject) => {
      const keep = (message: BuildMessage) => messages.push(message);
      engine.docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()), keep);
    });
  } catch (error) {
    // The client fails with the engine's message of the failed step, and the lines before it tell more.
    if (messages.length === 0 && (error as { statusCode?: number }).statusCode !== 400) throw error;
    throw buildFailure(imageName, messages, saidBy(error));
  }
  return messages;
}

function buildFailure(imageName: string, messages: readonly BuildMessage[], error: string): OperationError {
  const lines = messages
    .map(({ stream }) => stream ?? "")
    .join("")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const start = lines.findLastIndex((line) => /^Step \d+\/\d+ :/.test(line));
  const step = start < 0 ? "" : ` at ${lines[start]}`;
  const output = lines
    .slice(start + 1)
    .filter((line) => !/^( ---> |Removing intermediate container )/.test(line))
    .slice(-quoted);
  const quote = output.length === 0 ? "" : `\n${output.map((line) => `    ${line}`).join("\n")}`;
  return new OperationError(`Building image "${imageName}" failed${step}: ${error.trim()}.${quote}`, {
    ...(/no space left/.test(error)
      ? { remedy: "Make room there (`docker system df` tells what takes it), then run up again." }
      : {}),
  });
}
