import type { ServerPlace } from "../server/locations.ts";
import type { ServerKind } from "../stack/declared-settings.ts";
import { type DockerPlace, dockerPlaceIn } from "../stack/docker-place.ts";
import type { StackState, StateResource } from "../stack/stack-state.ts";

/** What a stack's state says there is. */
export interface StackContent {
  /** How many resources, as `up` counts them; 0: the stack is not up. */
  resources: number;
  /** Whether a run came to its end: the stack's outputs are there. */
  isUp: boolean;
  /** Which kind of server it has; undefined: the state knows none. */
  kind: ServerKind | undefined;
  /** Its embedded server. */
  server: ServerPlace | undefined;
  /** Where its things are in a Docker engine. */
  docker: DockerContent | undefined;
  databases: string[];
  /** Whether the stack was brought up as one that holds real data. */
  protected: boolean;
}

/** What a state says of a stack in a Docker engine. */
export interface DockerContent extends DockerPlace {
  /** Its volumes, and whether each stays when the stack is taken down. */
  volumes: { name: string; stays: boolean }[];
  images: string[];
}

const stackType = "pulumi:pulumi:Stack";
const serverType = "pgroundwork:index:EmbeddedServer";
/** What every stack of a kind has in its state, from the first moment on. */
const kindTypes: Readonly<Record<ServerKind, string>> = {
  embedded: "pgroundwork:components:EmbeddedServer",
  docker: "pgroundwork:components:DockerServer",
  external: "pgroundwork:components:ExternalServer",
};

const volumeType = "docker:index/volume:Volume";
const imageType = "docker:index/image:Image";
const databaseType = "postgresql:index/database:Database";
const databaseComponent = "pgroundwork:components:Database";

/** Reads what a state has, whatever kept the last run from finishing it. */
export function stackContent(state: StackState | undefined): StackContent {
  const resources = resourcesOf(state);
  const stack = resources.find(({ type }) => type === stackType);
  return {
    resources: resources.filter(isCounted).length,
    isUp: stack?.outputs?.server !== undefined,
    kind: kindOf(resources),
    server: serverPlace(resources),
    docker: dockerContent(resources),
    databases: resources.filter(({ type }) => type === databaseType).flatMap((each) => text(each, "name") ?? []),
    protected: stack?.outputs?.protected === true || resources.some(({ protect }) => protect === true),
  };
}

/** Neither the stack and components, which only hold others, nor the engine's own entry for a provider that needs no configuration. */
function isCounted({ type, urn }: StateResource): boolean {
  const isDefaultProvider = type.startsWith("pulumi:providers:") && urn.endsWith("::default");
  return type !== stackType && !type.startsWith("pgroundwork:components:") && !isDefaultProvider;
}

/** The superuser's password on the stack's server, of a state that was read with its secrets; undefined: it is not known. */
export function superuserPassword(state: StackState | undefined): string | undefined {
  const secret = resourcesOf(state).find(({ type }) => type === serverType)?.outputs?.superuserPassword;
  if (typeof secret !== "object" || secret === null || !("plaintext" in secret)) return undefined;
  const password: unknown = JSON.parse(String(secret.plaintext));
  return typeof password === "string" ? password : undefined;
}

/** The state without databases: neither their resources nor what the stack exports of them. */
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
