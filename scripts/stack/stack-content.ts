import type { ServerPlace } from "../server/locations.ts";
import type { ServerKind } from "./declared-settings.ts";
import { type DockerPlace, dockerPlaceIn } from "./docker-place.ts";
import type { StackState, StateResource } from "./stack-state.ts";

/** Content of a stack's state. */
export interface StackContent {
  /** Number of resources, as `up` counts them. 0 if the stack is not up. */
  resources: number;
  /** True if a run was completed: the stack's outputs exist. */
  isUp: boolean;
  /** Kind of its server. undefined if the state has none. */
  kind: ServerKind | undefined;
  /** Locations of its embedded server. */
  server: ServerPlace | undefined;
  /** Location of its objects in a Docker engine. */
  docker: DockerContent | undefined;
  databases: string[];
  /** True if the stack was brought up as one that holds real data. */
  protected: boolean;
}

/** Objects of a stack in a Docker engine, from its state. */
export interface DockerContent extends DockerPlace {
  /** Names of its volumes. `stays` is true if a volume stays when the stack is destroyed. */
  volumes: { name: string; stays: boolean }[];
  images: string[];
}

const stackType = "pulumi:pulumi:Stack";
const serverType = "pgroundwork:index:EmbeddedServer";
/** Resource type that every stack of a kind has in its state from the beginning. */
const kindTypes: Readonly<Record<ServerKind, string>> = {
  embedded: "pgroundwork:components:EmbeddedServer",
  docker: "pgroundwork:components:DockerServer",
  external: "pgroundwork:components:ExternalServer",
};

const volumeType = "docker:index/volume:Volume";
const imageType = "docker:index/image:Image";
const databaseType = "postgresql:index/database:Database";
const databaseComponent = "pgroundwork:components:Database";

/** Reads the content of a state, even if the last run was not completed. */
export function stackContent(state: StackState | undefined): StackContent {
  const resources = resourcesOf(state);
  const outputs = stackOutputsIn(state);
  return {
    resources: resources.filter(isCounted).length,
    isUp: outputs.server !== undefined,
    kind: kindOf(resources),
    server: serverPlace(resources),
    docker: dockerContent(resources),
    databases: resources.filter(({ type }) => type === databaseType).flatMap((each) => text(each, "name") ?? []),
    protected: outputs.protected === true || resources.some(({ protect }) => protect === true),
  };
}

/** Returns the outputs of the stack itself, as the state has them. Empty before the first `up` has completed. */
export function stackOutputsIn(state: StackState | undefined): Readonly<Record<string, unknown>> {
  return resourcesOf(state).find(({ type }) => type === stackType)?.outputs ?? {};
}

/** Names every resource of a state, with the id that distinguishes it from a later one of the same name. */
export function resourceFacts(state: StackState | undefined): string[] {
  return resourcesOf(state)
    .filter(isCounted)
    .map(({ urn, type, id }) => {
      const [kind, name] = [type, urn].map((text) => text.slice(text.lastIndexOf(":") + 1));
      return id === undefined || id === "" || id === name ? `${kind} ${name}` : `${kind} ${name} (${id.slice(0, 40)})`;
    });
}

/**
 * Returns false for the stack and components, which only contain other resources. Returns false, too, for the engine's
 * default providers, which need no configuration.
 */
function isCounted({ type, urn }: StateResource): boolean {
  const isDefaultProvider = type.startsWith("pulumi:providers:") && urn.endsWith("::default");
  return type !== stackType && !type.startsWith("pgroundwork:components:") && !isDefaultProvider;
}

/**
 * Returns the superuser's password on the stack's server, from a state that was read with its secrets. Returns
 * undefined if it is unknown.
 */
export function superuserPassword(state: StackState | undefined): string | undefined {
  const secret = resourcesOf(state).find(({ type }) => type === serverType)?.outputs?.superuserPassword;
  if (typeof secret !== "object" || secret === null || !("plaintext" in secret)) return undefined;
  const password: unknown = JSON.parse(String(secret.plaintext));
  return typeof password === "string" ? password : undefined;
}

/** Returns the state without some databases: their resources and their outputs are removed. */
export function withoutDatabases(state: StackState, names: readonly string[]): StackState {
  const gone = new Set<string>();
  // Parents come before their children.
  for (const { urn, type, parent } of resourcesOf(state)) {
    const isDatabase = type === databaseComponent && names.includes(urn.slice(urn.lastIndexOf("::") + 2));
    if (isDatabase || (parent !== undefined && gone.has(parent))) gone.add(urn);
  }
  const resources = resourcesOf(state)
    .filter(({ urn }) => !gone.has(urn))
    .map((resource) => (resource.type === stackType ? withoutOutputs(resource, names) : resource));
  return { ...state, deployment: { ...state.deployment, resources } };
}

function withoutOutputs(stack: StateResource, names: readonly string[]): StateResource {
  const databases = stack.outputs?.databases;
  if (typeof databases !== "object" || databases === null) return stack;
  const kept = Object.entries(databases).filter(([name]) => !names.includes(name));
  return { ...stack, outputs: { ...stack.outputs, databases: Object.fromEntries(kept) } };
}

function serverPlace(resources: readonly StateResource[]): ServerPlace | undefined {
  const server = resources.find(({ type }) => type === serverType);
  if (server === undefined) return undefined;
  const folder = text(server, "folder");
  const dataDirectory = text(server, "dataDirectory");
  return folder === undefined || dataDirectory === undefined ? undefined : { folder, dataDirectory };
}

function kindOf(resources: readonly StateResource[]): ServerKind | undefined {
  const kinds = Object.entries(kindTypes) as [ServerKind, string][];
  return kinds.find(([, type]) => resources.some((each) => each.type === type))?.[0];
}

function dockerContent(resources: readonly StateResource[]): DockerContent | undefined {
  const place = dockerPlaceIn(resources);
  if (place === undefined) return undefined;
  const volumes = resources
    .filter(({ type }) => type === volumeType)
    .flatMap((each) => {
      const name = text(each, "name");
      return name === undefined ? [] : [{ name, stays: each.retainOnDelete === true }];
    });
  const images = resources.filter(({ type }) => type === imageType).flatMap((each) => text(each, "imageName") ?? []);
  return { ...place, volumes, images };
}

function resourcesOf(state: StackState | undefined): readonly StateResource[] {
  return state?.deployment.resources ?? [];
}

function text(resource: StateResource, output: string): string | undefined {
  const value = resource.outputs?.[output];
  return typeof value === "string" ? value : undefined;
}
