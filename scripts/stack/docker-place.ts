import type { StateResource } from "./stack-state.ts";

/** Where a stack's things are in a Docker engine, as its state says it. */
export interface DockerPlace {
  /** The engine; undefined: this machine's own. */
  host: string | undefined;
  /** By which mark what is there is the stack's own. */
  owner: string;
  /** What every name begins with. */
  prefix: string;
}

const namesType = "pgroundwork:index:DockerNames";

/** Undefined: the state knows of nothing in a Docker engine. */
export function dockerPlaceIn(resources: readonly StateResource[]): DockerPlace | undefined {
  const { dockerHost, owner, prefix } = resources.find(({ type }) => type === namesType)?.outputs ?? {};
  if (typeof owner !== "string" || typeof prefix !== "string") return undefined;
  return { host: typeof dockerHost === "string" ? dockerHost : undefined, owner, prefix };
}
