import { existsSync } from "node:fs";
import { get } from "node:http";
import type Docker from "dockerode";
import { dockerError } from "../../../scripts/docker/docker-error.ts";
import { parseDockerHost } from "../../../scripts/model/docker-host.ts";
import type { CallContext } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { type EngineAccess, engineAccess } from "./configuration.ts";

/** The socket that Docker's own tools try first. */
const defaultSocket = "/var/run/docker.sock";

/** Time for a local engine to answer, in ms. */
const pingLimit = 10_000;

/** The Docker engine of one provider. */
export interface Engine {
  docker: Docker;
  /** Location for messages: the host as configured, or this machine. */
  where: string;
  signal: AbortSignal;
  /** Runs a function and converts Docker's errors into readable ones. */
  told<T>(work: () => Promise<T>): Promise<T>;
}

const engines = new WeakMap<Properties, Promise<Engine>>();
const answers = new WeakMap<Properties, Promise<void>>();

/** Returns the engine of the call's provider. A provider's configuration stays the same object during its lifetime. */
export function engineFor(context: CallContext): Promise<Engine> {
  context.signal.throwIfAborted();
  return remembered(engines, context.config, () => connect(context));
}

/**
 * Checks once that the engine answers, as the official plugin does before it checks any input. A preview then does not
 * promise work that cannot be done. For an engine on this machine the client library is not loaded, since every preview
 * makes this check.
 *
 * @throws DockerUnreachable if the engine does not answer
 */
export async function engineAnswers(context: CallContext): Promise<void> {
  const access = engineAccess(context.config);
  if (!access.checksEngine) return;
  await remembered(answers, context.config, async () => {
    const socket = socketOf(access);
    if (socket === undefined) {
      const engine = await engineFor(context);
      return engine.told(() => engine.docker.ping());
    }
    await ping(socket).catch((error: unknown) => {
      throw dockerError(access.host, error);
    });
  });
}

async function connect({ config, signal }: CallContext): Promise<Engine> {
  const access = engineAccess(config);
  const docker = await client(access);
  return {
    docker,
    where: access.host ?? process.env.DOCKER_HOST ?? "this machine",
    signal,
    told: async (work) => {
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        // Aborted work fails in many ways, but for one reason.
        throw signal.aborted ? signal.reason : dockerError(access.host, error);
      }
    },
  };
}

async function client(access: EngineAccess): Promise<Docker> {
  const certificate = await access.certificate();
  const { dockerClient } = await import("../../../scripts/docker/client.ts");
  if (certificate === undefined) return dockerClient(access.host);
  const { default: DockerClient } = await import("dockerode");
  const host = parseDockerHost(access.host ?? process.env.DOCKER_HOST ?? `unix://${defaultSocket}`);
  // A certificate is useful only over TCP.
  if (host.kind !== "tcp") return dockerClient(access.host);
  return new DockerClient({ protocol: "https", host: host.host, port: host.port, ...certificate });
}

/**
 * Returns the socket of an engine on this machine. Returns undefined if the engine is elsewhere, or if the client
 * library must find it.
 */
function socketOf(access: EngineAccess): string | undefined {
  const text = access.host ?? process.env.DOCKER_HOST;
  if (text === undefined || text === "") return existsSync(defaultSocket) ? defaultSocket : undefined;
  const host = parseDockerHost(text);
  return host.kind === "socket" ? host.path : undefined;
}

function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path: "/_ping", timeout: pingLimit }, (response) => {
      response.resume();
      response.once("end", resolve);
    });
    request.once("timeout", () => request.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    request.once("error", reject);
  });
}

function remembered<Value>(
  memory: WeakMap<Properties, Promise<Value>>,
  config: Properties,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = memory.get(config);
  if (known !== undefined) return known;
  const made = make();
  memory.set(config, made);
  // After a failure the next call tries again.
  made.catch(() => memory.delete(config));
  return made;
}
