import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import { poll } from "../../../scripts/core/poll.ts";
import { isConflict, isMissing, unlessMissing } from "../../../scripts/docker/docker-error.ts";
import type { CheckFailure } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { diffProperties } from "../diff.ts";
import { count, isEmpty, objects, text } from "../property.ts";
import { type ContainerFacts, containerOutputs } from "./container-outputs.ts";
import { containerProperties } from "./container-properties.ts";
import { updateRequest } from "./container-request.ts";
import type { Engine } from "./engine.ts";
import { isOfSameStack, nameTaken } from "./labels.ts";
import { makeContainer } from "./make-container.ts";
import { saidBy } from "./removal.ts";
import { type Definition, resourceType } from "./resource.ts";
import { startContainer } from "./start-container.ts";

type Inspection = Docker.ContainerInspectInfo;

/** Time for another run to start a container that it is creating. After that the container counts as left behind. */
const creationTimeoutMs = 5_000;

/** Time for which a name may be taken while no container is visible. */
const nameTimeoutMs = 20_000;

/** Time for an engine to remove a container. */
const removalTimeoutMs = 60_000;

const pollIntervalMs = 200;

/** Metadata that the official plugin writes into states. It fails on a state without them. */
const timeouts = Object.fromEntries(["create", "delete", "update"].map((call) => [call, 20 * 60 * 1e9]));
const meta = JSON.stringify({ "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0": timeouts, schema_version: "2" });

const definition: Definition = {
  typeName: "Container",
  properties: containerProperties,
  outputsOnly: ["id", "bridge", "networkDatas"],
  constantOutputs: { __meta: meta, containerLogs: null, exitCode: null },
  id: (values) => text(values, "id"),
  fromId: (id) => ({ id }),
  validate,

  ensure: (engine, wanted, before) => (before === undefined ? makeOrAdopt(engine, wanted) : change(engine, wanted)),

  async find(engine, expected) {
    const there = await inspect(engine.docker, text(expected, "id") || text(expected, "name"));
    if (there === undefined) return undefined;
    const steady = await outOfRestart(engine, there, expected);
    return steady && containerOutputs(await factsOf(engine, steady, expected), expected);
  },

  async describeExisting(engine, wanted) {
    const there = await inspect(engine.docker, text(wanted, "name"));
    const isOurs = there !== undefined && isOfSameStack(wanted, there.Config.Labels);
    return isOurs ? `container ${text(wanted, "name")}` : undefined;
  },

  remove: (engine, outputs) => removeContainer(engine, text(outputs, "id"), outputs),
};

export const container = resourceType(definition);

function validate(inputs: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const refuse = (property: string, reason: string) =>
    failures.push({ property, reason: `Container.${property} ${reason}` });
  const { memory, memorySwap } = inputs;
  if (typeof memorySwap === "number" && memorySwap !== 0) {
    if (isEmpty(memory)) refuse("memorySwap", "needs memory");
    if (typeof memory === "number" && memorySwap > 0 && memorySwap < memory) {
      refuse("memorySwap", `is the sum of memory and swap: it must be ${memory} or more, but is ${memorySwap}`);
    }
  }
  for (const [index, upload] of objects(inputs, "uploads").entries()) {
    const given = ["content", "contentBase64", "source"].filter(
      (key) => upload[key] !== undefined && upload[key] !== null,
    );
    if (given.length !== 1) refuse(`uploads[${index}]`, "needs exactly one of content, contentBase64 and source");
  }
  for (const [index, mount] of objects(inputs, "mounts").entries()) {
    if (mount.type === "volume" && isEmpty(mount.source)) refuse(`mounts[${index}].source`, "is needed for a volume");
  }
  return failures;
}

async function makeOrAdopt(engine: Engine, wanted: Properties): Promise<void> {
  const name = text(wanted, "name");
  const deadline = Date.now() + nameTimeoutMs;
  for (let contested = false; ; contested = true) {
    const there = await settled(engine, name);
    if (there !== undefined) {
      if (!isOfSameStack(wanted, there.Config.Labels)) {
        throw nameTaken(`Container "${name}"`, engine.where, there.Config.Labels);
      }
      if (await isAsWanted(engine, there, wanted)) return startContainer(engine, there.Id, wanted);
      if (contested && there.State.Status !== "created") {
        throw new OperationError(`Another run is creating container "${name}".`, {
          hint: "Wait until that run has ended, then run `up` again.",
        });
      }
      // A container holds no data. Creating it again is safer than repairing what an interrupted run left.
      await removeContainer(engine, there.Id, wanted);
    }
    try {
      return await makeContainer(engine, wanted);
    } catch (error) {
      // Either another run was faster, or the engine is still processing a killed run's request: a name is taken before
      // the container is visible.
      if (!isConflict(error) || !/already in use/.test(saidBy(error)) || Date.now() > deadline) throw error;
      await sleep(pollIntervalMs, undefined, { signal: engine.signal });
    }
  }
}

/**
 * Returns true if the existing container matches the wanted one. It must have been started once, so that its creation
 * was complete.
 */
async function isAsWanted(engine: Engine, there: Inspection, wanted: Properties): Promise<boolean> {
  if (there.State.Status === "created") return false;
  const outputs = containerOutputs(await factsOf(engine, there, wanted), wanted);
  const old = { id: there.Id, outputs, inputs: {} };
  // A stopped container will be started. Settings that the engine does not report concern only this run.
  const compared = Object.fromEntries(
    Object.entries(containerProperties).filter(([key]) => key in outputs && key !== "mustRun"),
  );
  return diffProperties(compared, old, wanted).changes.length === 0;
}

/** Changes everything that an engine can change in a running container. Other changes affect only the state. */
async function change(engine: Engine, wanted: Properties): Promise<void> {
  const name = text(wanted, "name");
  const there = await inspect(engine.docker, name);
  if (there === undefined) {
    throw new OperationError(`Container "${name}" no longer exists on the Docker engine of ${engine.where}.`, {
      hint: "Refresh the stack. The next `up` creates the container again.",
    });
  }
  const request = updateRequest(wanted);
  const { RestartPolicy, ...resources } = request;
  const host = there.HostConfig as unknown as Properties;
  const policy = (host.RestartPolicy ?? {}) as Properties;
  const isOther =
    policy.Name !== RestartPolicy.Name ||
    policy.MaximumRetryCount !== RestartPolicy.MaximumRetryCount ||
    Object.entries(resources).some(
      ([key, value]) => (host[key] ?? 0) !== value && !(isEmpty(host[key]) && isEmpty(value)),
    );
  if (isOther) await engine.docker.getContainer(there.Id).update(request);
  const shouldRun = wanted.start !== false && wanted.mustRun !== false;
  if (shouldRun && !there.State.Running) await startContainer(engine, there.Id, wanted);
}

async function factsOf(engine: Engine, there: Inspection, expected: Properties): Promise<ContainerFacts> {
  const asksForSwap = count(expected, "memorySwap") > 0 && there.HostConfig.MemorySwap === -1;
  const [imageConfig, limitsSwap] = await Promise.all([
    imageConfigOf(engine.docker, there.Image),
    asksForSwap ? engine.docker.info().then((info) => info.SwapLimit === true) : true,
  ]);
  return { container: there, imageConfig, limitsSwap };
}

async function imageConfigOf(docker: Docker, image: string): Promise<ContainerFacts["imageConfig"]> {
  return (await unlessMissing(docker.getImage(image).inspect()))?.Config;
}

/** Inspects a container. Returns undefined if there is none, or if it is being removed. */
async function inspect(docker: Docker, name: string): Promise<Inspection | undefined> {
  const there = await unlessMissing(docker.getContainer(name).inspect());
  return there?.State.Status === "removing" || there?.State.Dead ? undefined : there;
}

/** Waits for a restarting container until it runs, or until the program's timeout. */
async function outOfRestart({ docker, signal }: Engine, there: Inspection, expected: Properties) {
  const limit = count(expected, "containerReadRefreshTimeoutMilliseconds") || 15_000;
  const deadline = Date.now() + limit;
  let current: Inspection | undefined = there;
  while (current?.State.Restarting && Date.now() < deadline) {
    await sleep(pollIntervalMs, undefined, { signal });
    current = await inspect(docker, there.Id);
  }
  return current;
}

/** Returns a container of this name once no other run is creating it. */
async function settled({ docker, signal }: Engine, name: string): Promise<Inspection | undefined> {
  const deadline = Date.now() + creationTimeoutMs;
  const attempt = async () => {
    const there = await inspect(docker, name);
    if (there?.State.Status !== "created" || Date.now() > deadline) return { there };
    // An older one was left behind by a run that is gone.
    return Date.now() - Date.parse(there.Created) > creationTimeoutMs ? { there } : undefined;
  };
  return (await poll(attempt, { intervalMs: pollIntervalMs, signal })).there;
}

/**
 * Removes a container and waits until it is gone. It is stopped gracefully first if the program sets a stop timeout.
 */
async function removeContainer(
  engine: Engine,
  id: string,
  { destroyGraceSeconds, removeVolumes }: Properties,
): Promise<void> {
  const there = engine.docker.getContainer(id);
  try {
    if (typeof destroyGraceSeconds === "number" && destroyGraceSeconds > 0) {
      await there.stop({ t: destroyGraceSeconds }).catch(unlessStopped);
    }
    await there.remove({ force: true, v: removeVolumes !== false });
  } catch (error) {
    if (isMissing(error)) return;
    if (!/already in progress/.test(saidBy(error))) throw error;
  }
  await poll(async () => ((await unlessMissing(there.inspect())) === undefined ? true : undefined), {
    intervalMs: pollIntervalMs,
    timeoutMs: removalTimeoutMs,
    signal: engine.signal,
    timedOut: () =>
      new OperationError(`The Docker engine of ${engine.where} did not remove container ${id} within a minute.`, {
        hint: "See the log of the Docker engine.",
      }),
  });
}

function unlessStopped(error: unknown): void {
  if ((error as { statusCode?: number }).statusCode !== 304) throw error;
}
