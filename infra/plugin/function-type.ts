import type { Properties } from "./values.ts";

/** What a function is given beside its arguments. */
export interface FunctionContext {
  /** The provider's configuration, secrets unwrapped. */
  config: Properties;
  /** Fires when the engine cancels, or is gone. */
  signal: AbortSignal;
}

/** A function of a provider plugin: it looks, and changes nothing. */
export interface PluginFunction {
  /** Arguments that are secrets. A function's arguments arrive unwrapped, so that nothing but this tells. */
  readonly secretArguments?: readonly string[];

  call(context: FunctionContext, args: Properties): Promise<Properties>;
}
