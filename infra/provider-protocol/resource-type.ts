import type { PluginFunction } from "./function-type.ts";
import type { Properties } from "./values.ts";

/**
 * Severity of a line that the engine prints under a resource. A `status` says what the resource is doing: the next one
 * replaces it, and none is kept.
 */
export type Severity = "debug" | "status" | "info" | "warning" | "error";

/** Context of every call of a resource type, besides the resource's properties. */
export interface CallContext {
  /** The resource's identity in the stack. */
  urn: string;
  /** The provider's configuration, secrets unwrapped. Empty before Configure (previews with unknown configuration). */
  config: Properties;
  /** Prints a line under the resource, in previews too. */
  log(severity: Severity, message: string): Promise<void>;
  /** Fires when the engine cancels or is gone. */
  signal: AbortSignal;
}

/** An input that cannot be accepted. All failures are shown together, before anything changes. */
export interface CheckFailure {
  property: string;
  reason: string;
}

/** Completed inputs, and the failures if they cannot be accepted. */
export interface CheckResult {
  inputs: Properties;
  failures?: CheckFailure[];
}

export type DiffKind = "add" | "delete" | "update";

/** One changed property. `path` is written as the engine writes it (`port`, `pending[0]`). */
export interface PropertyChange {
  path: string;
  kind: DiffKind;
  /** True if the change cannot be made in place. */
  replace?: boolean;
  /** True if old and new values are in the inputs and not in the outputs. */
  input?: boolean;
}

/** Changes that an update would make. */
export interface DiffResult {
  /** Empty if there is nothing to do. */
  changes: PropertyChange[];
  deleteBeforeReplace?: boolean;
}

/** A resource as the engine stores it, without its inputs. */
export interface ResourceState {
  id: string;
  outputs: Properties;
}

/**
 * One resource type of a provider plugin. All values are plain JSON. {@link isUnknown} recognises the unknown values of
 * a preview. Errors for the user are `OperationError`s, which the engine prints once, under the resource.
 */
export interface ResourceType {
  /** Outputs that are always secret. Inputs that arrived as secrets stay secret without being listed. */
  readonly secretOutputs?: readonly string[];

  /** Validates and completes inputs. Called at every preview and up. `oldInputs` is undefined for a new resource. */
  check(context: CallContext, news: Properties, oldInputs: Properties | undefined): Promise<CheckResult>;

  /** Compares the existing state with the wanted one. Called at every preview and up, even with unchanged inputs. */
  diff(
    context: CallContext,
    old: ResourceState & { inputs: Properties },
    news: Properties,
  ): Promise<DiffResult> | DiffResult;

  /**
   * Creates the resource, or adopts leftovers of an interrupted run. In a preview, returns the outputs that are already
   * known.
   */
  create(context: CallContext, inputs: Properties, preview: boolean): Promise<ResourceState>;

  /**
   * Reads the actual state. Returns undefined if the resource is gone. The next diff compares with the returned
   * `inputs`.
   */
  read(
    context: CallContext,
    current: ResourceState & { inputs: Properties },
  ): Promise<(ResourceState & { inputs: Properties }) | undefined>;

  /** Updates the resource in place. In a preview, returns the outputs that stay known. */
  update(
    context: CallContext,
    old: ResourceState & { inputs: Properties },
    news: Properties,
    preview: boolean,
  ): Promise<Properties>;

  delete(context: CallContext, old: ResourceState & { inputs: Properties }): Promise<void>;
}

/** A provider plugin. Its resource types are loaded on first use, since start-up time counts at every `up`. */
export interface Plugin {
  name: string;
  version: string;
  /** Returns the package schema as JSON, for `pulumi schema` and generated SDKs. */
  schema(): Promise<string>;
  /** Loaders of resource types, by type token. */
  types: Readonly<Record<string, () => Promise<ResourceType>>>;
  /** Loaders of functions, by function token. */
  functions?: Readonly<Record<string, () => Promise<PluginFunction>>>;
  /**
   * Accepted configuration keys. Any other key is refused by name. If undefined, all configuration is dropped: a
   * project with the plugin's name shares its namespace, so the project's own settings reach the plugin as
   * configuration.
   */
  configuration: readonly string[] | undefined;
  /** Returns configuration that fills in missing keys, as the official plugin's CheckConfig does. */
  configurationDefaults?(): Properties;
}
