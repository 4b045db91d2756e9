import type Docker from "dockerode";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import { isMissing } from "../../../scripts/docker/docker-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { objects, text } from "../property.ts";
import { createRequest, endpointConfig } from "./container-request.ts";
import type { Engine } from "./engine.ts";
import { saidBy } from "./removal.ts";
import { startContainer } from "./start-container.ts";
import { uploadArchive } from "./upload-archive.ts";

/**
 * Creates a container, connects it to its networks, copies its files into it and starts it. If a step fails, the
 * container is removed.
 */
export async function makeContainer(engine: Engine, wanted: Properties): Promise<void> {
  const archive = await uploadArchive(objects(wanted, "uploads"));
  const made = await create(engine, wanted);
  try {
    await attach(engine.docker, made, wanted);
    if (archive !== undefined) await made.putArchive(archive, { path: "/" });
  } catch (error) {
    await discard(made);
    throw error;
  }
  await startContainer(engine, made.id, wanted);
}

async function create(engine: Engine, wanted: Properties): Promise<Docker.Container> {
  try {
    return await engine.docker.createContainer({ ...createRequest(wanted), abortSignal: engine.signal });
  } catch (error) {
    const image = text(wanted, "image");
    if (isMissing(error) && /no such image/i.test(saidBy(error))) {
      throw new OperationError(`Image "${image}" is not on the Docker engine of ${engine.where}.`, {
        hint: "Pull or build it first. If the stack built it, refresh the stack: the next `up` builds it again.",
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * Connects the networks as the official plugin does: the mode stays "bridge", but the bridge network is replaced by the
 * named networks.
 */
async function attach(docker: Docker, made: Docker.Container, wanted: Properties): Promise<void> {
  const networks = objects(wanted, "networksAdvanced");
  if (networks.length === 0) return;
  const Container = made.id;
  const mode = text(wanted, "networkMode") || "bridge";
  if (mode === "bridge" || mode === "default") {
    await docker.getNetwork("bridge").disconnect({ Container, Force: false });
  }
  for (const network of networks) {
    await docker.getNetwork(text(network, "name")).connect({ Container, EndpointConfig: endpointConfig(network) });
  }
}

/** Removes a container after a failure. Errors are ignored, since the failure itself is reported. */
async function discard(made: Docker.Container): Promise<void> {
  await made.remove({ force: true, v: true }).catch(() => undefined);
}
