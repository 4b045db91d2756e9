import type { ServerPlace } from "../server/locations.ts";
import type { StackState, StateResource } from "../stack/stack-state.ts";

/** What a stack's state says there is. */
export interface StackContent {
  /** How many resources, as `up` counts them; 0: the stack is not up. */
  resources: number;
  server: ServerPlace | undefined;
  databases: string[];
  /** Whether the stack was brought up as one that holds real data. */
  protected: boolean;
}

const stackType = "pulumi:pulumi:Stack";
const serverType = "pgroundwork:index:EmbeddedServer";
const databaseType = "postgresql:index/database:Database";
const databaseComponent = "pgroundwork:components:Database";

/** Reads what a state has, whatever kept the last run from finishing it. */
export function stackContent(state: StackState | undefined): StackContent {
  const resources = resourcesOf(state);
  const stack = resources.find(({ type }) => type === stackType);
  return {
    resources: resources.filter(isCounted).length,
    server: serverPlace(resources),
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

function resourcesOf(state: StackState | undefined): readonly StateResource[] {
  return state?.deployment.resources ?? [];
}

function text(resource: StateResource, output: string): string | undefined {
  const value = resource.outputs?.[output];
  return typeof value === "string" ? value : undefined;
}
