import type { Properties } from "./values.ts";

/** Context of a function call, besides its arguments. */
export interface FunctionContext {
  /** The provider's configuration, secrets unwrapped. */
  config: Properties;
  /** Fires when the engine cancels or is gone. */
  signal: AbortSignal;
}

/** A function of a provider plugin. It only reads and changes nothing. */
export interface PluginFunction {
  /** Names of secret arguments. Arguments arrive unwrapped, so only this list marks them as secret. */
  readonly secretArguments?: readonly string[];

  call(context: FunctionContext, args: Properties): Promise<Properties>;
}
