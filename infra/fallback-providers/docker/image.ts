import { existsSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { unlessMissing } from "../../../scripts/docker/docker-error.ts";
import type {
  CallContext,
  CheckFailure,
  PropertyChange,
  ResourceState,
  ResourceType,
} from "../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../provider-protocol/values.ts";
import { checkInputs } from "../inputs.ts";
import { object, type PropertyTable, sameValue, text } from "../property.ts";
import { contextDigest, readContext } from "./build-context.ts";
import { buildImage } from "./build-image.ts";
import { engineAnswers, engineFor } from "./engine.ts";

const properties: PropertyTable = {
  imageName: { kind: "string", required: true },
  build: {
    kind: "object",
    required: true,
    fields: {
      context: { kind: "string", default: "." },
      dockerfile: { kind: "string" },
      args: { kind: "map" },
      platform: { kind: "string", default: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}` },
      target: { kind: "string" },
      network: { kind: "string" },
      addHosts: { kind: "list" },
      builderVersion: {
        kind: "string",
        fault: (value) =>
          value === "BuilderV1"
            ? undefined
            : `must be BuilderV1 here, but is "${value}": BuildKit needs the official plugin`,
      },
      cacheFrom: { kind: "object", refused: "is not supported here: it needs the official plugin" },
    },
  },
  buildOnPreview: {
    kind: "boolean",
    default: false,
    refused: "must be false here: the fallback provider builds only in `up`",
  },
  skipPush: {
    kind: "boolean",
    default: false,
    fault: (value) => (value === true ? undefined : "must be true here: the fallback provider does not push images"),
  },
  registry: { kind: "object", refused: "is not supported here: the fallback provider neither pulls nor pushes images" },
};

/** Inputs in `build` whose change builds another image. */
const makesAnother: PropertyTable = {
  contextDigest: { kind: "string" },
  dockerfile: { kind: "string" },
  args: { kind: "map" },
  platform: { kind: "string" },
  target: { kind: "string" },
  network: { kind: "string" },
  addHosts: { kind: "list" },
};

/**
 * Inputs in `build` that are compared. Like the official plugin, this includes the paths of the context and of its
 * Dockerfile.
 */
const compared: PropertyTable = { context: { kind: "string" }, ...makesAnother };

/**
 * The official plugin's Image is not one of its bridged types. Its inputs have no `__defaults`, and its state has a
 * second, secret copy of them.
 */
export const image: ResourceType = {
  secretOutputs: ["__inputs"],

  async check(context, news) {
    await engineAnswers(context);
    const { inputs, failures = [] } = checkInputs("Image", properties, "", { skipPush: false, ...news }, undefined);
    const plain = withoutDefaultsLists(inputs) as Properties;
    if (failures.length > 0 || (isUnknown(plain.build) && typeof plain.build === "string"))
      return { inputs: plain, failures };
    const build = object(plain, "build");
    const located = await locate(build);
    if (located.fault !== undefined) return { inputs: plain, failures: [located.fault] };
    return { inputs: { ...plain, build: { ...build, ...located.inputs } }, failures: [] };
  },

  diff(_context, old, news) {
    const changes: PropertyChange[] = [];
    const before = inputsOf(old);
    if (before.imageName !== news.imageName) {
      changes.push({ path: "imageName", kind: "update", replace: true });
    }
    changes.push(...buildChanges(compared, before, news));
    return { changes };
  },

  async create(context, inputs, preview) {
    const id = text(inputs, "imageName");
    if (preview) return { id: "", outputs: outputsOf(inputs, unknownValue) };
    return { id, outputs: outputsOf(inputs, await built(context, inputs)) };
  },

  /** A moved tag is no change, since containers follow the digest. An image that is gone is built again. */
  async read(context, current) {
    const engine = await engineFor(context);
    const digest = text(current.outputs, "repoDigest") || current.id;
    return engine.told(async () => (await unlessMissing(engine.docker.getImage(digest).inspect())) && current);
  },

  async update(context, old, news, preview) {
    if (!preview) return { ...old.outputs, ...outputsOf(news, await built(context, news)) };
    // If the build is unchanged, the digest stays known. Containers that follow it then do not show as changing.
    const changes = buildChanges(makesAnother, inputsOf(old), news);
    return { ...old.outputs, ...outputsOf(news, changes.length > 0 ? unknownValue : old.outputs.repoDigest) };
  },

  /** Keeps the image: containers of other stacks may use it, and its layers speed up the next build. */
  async delete() {},
};

function buildChanges(table: PropertyTable, before: Properties, news: Properties): PropertyChange[] {
  const [was, will] = [withDockerfileInContext(before.build), withDockerfileInContext(news.build)];
  return Object.entries(table)
    .filter(([key, property]) => isUnknown(will[key]) || !sameValue(property, was[key], will[key]))
    .map(([key]) => ({ path: `build.${key}`, kind: kindOf(was[key], will[key]) }));
}

async function built(context: CallContext, inputs: Properties): Promise<string> {
  const engine = await engineFor(context);
  const build = object(inputs, "build");
  const folder = resolve(text(build, "context"));
  const sent = await readContext(folder, relative(folder, text(build, "dockerfile")));
  const onStatus = (line: string) => context.log("status", line);
  return engine.told(() => buildImage(engine, text(inputs, "imageName"), build, sent, onStatus));
}

interface Located {
  inputs?: Properties;
  fault?: CheckFailure;
}

/** Finds the Dockerfile, and computes the digest of the build context. */
async function locate(build: Properties): Promise<Located> {
  if (isUnknown(build.context) || isUnknown(build.dockerfile)) return {};
  const context = text(build, "context");
  const folder = resolve(context);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return fault("context", `"${context}" is not a folder`);
  // Relative if the context is relative, since a state is also read in other folders.
  const dockerfile = text(build, "dockerfile") || join(context, "Dockerfile");
  const within = relative(folder, resolve(dockerfile));
  if (within.startsWith("..")) return fault("dockerfile", `"${dockerfile}" is not within the context "${context}"`);
  if (!existsSync(dockerfile)) return fault("dockerfile", `"${dockerfile}" does not exist`);
  return { inputs: { dockerfile, contextDigest: await contextDigest(await readContext(folder, within)) } };
}

function fault(key: string, what: string): Located {
  return { fault: { property: `build.${key}`, reason: `Image.build.${key} ${what}` } };
}

/** Returns the inputs of the last run. If the engine passes none, the state's own copy is used. */
function inputsOf(old: ResourceState & { inputs: Properties }): Properties {
  return Object.keys(old.inputs).length > 0 ? old.inputs : object(old.outputs, "__inputs");
}

function withDockerfileInContext(build: unknown): Properties {
  const values = object({ build }, "build");
  const [context, dockerfile] = [text(values, "context"), text(values, "dockerfile")];
  return { ...values, dockerfile: relative(resolve(context), dockerfile) };
}

function outputsOf(inputs: Properties, repoDigest: unknown): Properties {
  const build = object(inputs, "build");
  const context = text(build, "context");
  const isKnown = !isUnknown(build.context) && !isUnknown(build.dockerfile);
  return {
    __inputs: inputs,
    baseImageName: inputs.imageName,
    context: build.context,
    dockerfile: isKnown ? relative(resolve(context), text(build, "dockerfile")) : unknownValue,
    imageName: inputs.imageName,
    platform: build.platform,
    registryServer: "",
    repoDigest,
  };
}

function kindOf(before: unknown, after: unknown) {
  if (before === undefined) return "add";
  return after === undefined ? "delete" : "update";
}

function withoutDefaultsLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaultsLists);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__defaults")
      .map(([key, item]) => [key, withoutDefaultsLists(item)]),
  );
}
