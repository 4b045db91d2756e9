import type Docker from "dockerode";
import type { PackOptions } from "tar-fs";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { object, strings, text } from "../property.ts";
import type { BuildContext } from "./build-context.ts";
import { BuildStatus } from "./build-status.ts";
import type { Engine } from "./engine.ts";
import { saidBy } from "./removal.ts";

/** Number of lines of a failed step in a message. */
const quoted = 20;

/** One message of a build, as the engine sends it. */
interface BuildMessage {
  stream?: string;
  error?: string;
}

/**
 * Builds an image with the engine's own builder, from files sent by this process, and tags it.
 *
 * @param build inputs of the image's `build`
 * @param onStatus shows the step and the last line of the build
 * @returns the image's id
 * @throws OperationError with the failed step and its last lines
 */
export async function buildImage(
  engine: Engine,
  imageName: string,
  build: Properties,
  context: BuildContext,
  onStatus: (text: string) => Promise<void>,
): Promise<string> {
  const { pack } = await import("tar-fs");
  const options: PackOptions & { umask: number } = {
    entries: [...context.folders, ...context.files],
    // Everything to send is listed in `entries`, so other contents of folders are ignored.
    ignore: () => true,
    umask: 0,
    // Docker looks up a layer by the owners of the files, too, and changes them to root in the image.
    map: (header) => ({ ...header, uid: 0, gid: 0 }),
  };
  const archive: unknown = pack(context.folder, options);
  const sent = archive as NodeJS.ReadableStream;
  const messages = await send(engine, imageName, sent, onStatus, {
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
  onStatus: (text: string) => Promise<void>,
  options: Docker.ImageBuildOptions,
): Promise<BuildMessage[]> {
  const messages: BuildMessage[] = [];
  const status = new BuildStatus(onStatus);
  try {
    const answer = await engine.docker.buildImage(archive, options);
    await new Promise<void>((resolve, reject) => {
      const keep = (message: BuildMessage) => {
        messages.push(message);
        status.read(message.stream ?? "");
      };
      engine.docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()), keep);
    });
  } catch (error) {
    // The client's error contains the engine's message about the failed step. The lines before it say more.
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
      ? { hint: "Free disk space there (`docker system df` shows what uses it), then run `up` again." }
      : {}),
  });
}
