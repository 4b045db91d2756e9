import type { PluginFunction } from "./function-type.ts";
import type { Properties } from "./values.ts";

/** Severity of a line that the engine prints under a resource. */
export type Severity = "debug" | "info" | "warning" | "error";

/** What every call of a resource type is given beside its properties. */
export interface CallContext {
  /** The resource's identity in the stack. */
  urn: string;
  /** The provider's configuration, secrets unwrapped; empty before Configure (previews with unknown configuration). */
  config: Properties;
  /** Prints a line under the resource, in previews too. */
  log(severity: Severity, message: string): Promise<void>;
  /** Fires when the engine cancels, or is gone. */
  signal: AbortSignal;
}

/** An input that cannot be accepted; all of them are shown together, before anything changes. */
export interface CheckFailure {
  property: string;
  reason: string;
}

export interface CheckResult {
  inputs: Properties;
  failures?: CheckFailure[];
}

export type DiffKind = "add" | "delete" | "update";

/** One changed property. `path` as the engine writes it (`port`, `pending[0]`). */
export interface PropertyChange {
  path: string;
  kind: DiffKind;
  /** The change cannot be made in place. */
  replace?: boolean;
  /** Old and new values are found in the inputs (and not in the outputs). */
  input?: boolean;
}

export interface DiffResult {
  /** No entry: nothing to do. */
  changes: PropertyChange[];
  deleteBeforeReplace?: boolean;
}

export interface ResourceState {
  id: string;
  outputs: Properties;
}

/**
 * One resource type of a provider plugin. All values are plain JSON; unknowns of a preview are recognised by `isUnknown`.
 * Errors meant for a person are `OperationError`s; the engine prints them once, under the resource.
 */
export interface ResourceType {
  /** Outputs that are secrets wherever they come from; inputs that arrived as secrets stay so by themselves. */
  readonly secretOutputs?: readonly string[];

  /** Validates and completes inputs. Called at every preview and up; `oldInputs` is undefined for a new resource. */
  check(context: CallContext, news: Properties, oldInputs: Properties | undefined): Promise<CheckResult>;

  /** Compares what is there with what is wanted. Called at every preview and up, with unchanged inputs too. */
  diff(
    context: CallContext,
    old: ResourceState & { inputs: Properties },
    news: Properties,
  ): Promise<DiffResult> | DiffResult;

  /** Makes it, or takes over what an interrupted run left. In a preview: the outputs that are known already. */
  create(context: CallContext, inputs: Properties, preview: boolean): Promise<ResourceState>;

  /** What is really there; undefined: gone. `inputs` answered are what the next diff compares with. */
  read(
    context: CallContext,
    current: ResourceState & { inputs: Properties },
  ): Promise<(ResourceState & { inputs: Properties }) | undefined>;

  /** Changes it in place. In a preview: the outputs that stay known. */
  update(
    context: CallContext,
    old: ResourceState & { inputs: Properties },
    news: Properties,
    preview: boolean,
  ): Promise<Properties>;

  delete(context: CallContext, old: ResourceState & { inputs: Properties }): Promise<void>;
}

/** A provider plugin: its resource types are loaded when first asked for, since start-up time counts at every `up`. */
export interface Plugin {
  name: string;
  version: string;
  /** The package schema as JSON, for `pulumi schema` and generated SDKs. */
  schema(): Promise<string>;
  /** Type token to a loader of the type. */
  types: Readonly<Record<string, () => Promise<ResourceType>>>;
  /** Function token to a loader of the function. */
  functions?: Readonly<Record<string, () => Promise<PluginFunction>>>;
  /**
   * Configuration keys accepted; any other is refused by name. Undefined: it takes none, and what arrives is dropped. (A project of the plugin's name
   * shares its namespace: the project's own settings reach the plugin as configuration.)
   */
  configuration: readonly string[] | undefined;
  /** Configuration to fill in where it is left out, as the official plugin's CheckConfig does. */
  configurationDefaults?(): Properties;
}
