import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { isConflict, isMissing, unlessMissing } from "../../../scripts/docker/docker-error.ts";
import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { CheckFailure } from "../../plugin/resource-type.ts";
import type { Properties } from "../../plugin/values.ts";
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

/** How long a container that another run is making gets to be started, in ms, before it counts as left behind. */
const makingLimit = 5_000;

/** How long a name may be taken without a container to see, in ms. */
const contestLimit = 20_000;

/** How long an engine may take to remove a container, in ms. */
const removalLimit = 60_000;

const interval = 200;

/** As the official plugin marks its states; without it, it breaks on them. */
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
    return isOurs ? `container ${text(wanted, "name")} was there already` : undefined;
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
      refuse("memorySwap", `is memory and swap together: it must be ${memory} or more, and is ${memorySwap}`);
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
  const deadline = Date.now() + contestLimit;
  for (let contested = false; ; contested = true) {
    const there = await settled(engine, name);
    if (there !== undefined) {
      if (!isOfSameStack(wanted, there.Config.Labels)) {
        throw nameTaken(`Container "${name}"`, engine.where, there.Config.Labels);
      }
      if (await isAsWanted(engine, there, wanted)) return startContainer(engine, there.Id, wanted);
      if (contested && there.State.Status !== "created") {
        throw new OperationError(`Container "${name}" is being made by another run.`, {
          remedy: "Wait until the other run has ended, then run this one again.",
        });
      }
      // It holds no data: making it anew is surer than mending what an interrupted run made of it.
      await removeContainer(engine, there.Id, wanted);
    }
    try {
      return await makeContainer(engine, wanted);
    } catch (error) {
      // Another run was faster, or the engine is still at what a killed one asked for: a name is taken before there is a container to see.
      if (!isConflict(error) || !/already in use/.test(saidBy(error)) || Date.now() > deadline) throw error;
      await sleep(interval, undefined, { signal: engine.signal });
    }
  }
}

/** Whether what is there is what would be made: started once, so that nothing of its making is missing, and alike. */
async function isAsWanted(engine: Engine, there: Inspection, wanted: Properties): Promise<boolean> {
  if (there.State.Status === "created") return false;
  const outputs = containerOutputs(await factsOf(engine, there, wanted), wanted);
  const old = { id: there.Id, outputs, inputs: {} };
  // A stopped one is started; and what the engine does not know is a matter of this run alone.
  const compared = Object.fromEntries(
    Object.entries(containerProperties).filter(([key]) => key in outputs && key !== "mustRun"),
  );
  return diffProperties(compared, old, wanted).changes.length === 0;
}

/** Changes what an engine can change in a running container. What is left then is a matter of the state alone. */
async function change(engine: Engine, wanted: Properties): Promise<void> {
  const name = text(wanted, "name");
  const there = await inspect(engine.docker, name);
  if (there === undefined) {
    throw new OperationError(`Container "${name}" is not there any more on the Docker engine of ${engine.where}.`, {
      remedy: "Refresh the stack; the next up makes the container again.",
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

/** Undefined: there is none, or it is on its way out. */
async function inspect(docker: Docker, name: string): Promise<Inspection | undefined> {
  const there = await unlessMissing(docker.getContainer(name).inspect());
  return there?.State.Status === "removing" || there?.State.Dead ? undefined : there;
}

/** A container between two starts is looked at until it runs, or for as long as the program allows. */
async function outOfRestart({ docker, signal }: Engine, there: Inspection, expected: Properties) {
  const limit = count(expected, "containerReadRefreshTimeoutMilliseconds") || 15_000;
  const deadline = Date.now() + limit;
  let current: Inspection | undefined = there;
  while (current?.State.Restarting && Date.now() < deadline) {
    await sleep(interval, undefined, { signal });
    current = await inspect(docker, there.Id);
  }
  return current;
}

/** A container of this name, once nobody is making it any more. */
async function settled({ docker, signal }: Engine, name: string): Promise<Inspection | undefined> {
  const deadline = Date.now() + makingLimit;
  for (;;) {
    const there = await inspect(docker, name);
    if (there?.State.Status !== "created" || Date.now() > deadline) return there;
    // Older ones were left behind by a run that is gone.
    if (Date.now() - Date.parse(there.Created) > makingLimit) return there;
    await sleep(interval, undefined, { signal });
  }
}

/** Stops it gently where the program says for how long, then removes it and waits until it is gone. */
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
  const deadline = Date.now() + removalLimit;
  while ((await unlessMissing(there.inspect())) !== undefined) {
    if (Date.now() > deadline) {
      throw new OperationError(`The Docker engine of ${engine.where} did not remove container ${id} within a minute.`, {
        remedy: "See the engine's own log.",
      });
    }
    await sleep(interval, undefined, { signal: engine.signal });
  }
}

function unlessStopped(error: unknown): void {
  if ((error as { statusCode?: number }).statusCode !== 304) throw error;
}
