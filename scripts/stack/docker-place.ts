import type { StateResource } from "./stack-state.ts";

/** Location of a stack's objects in a Docker engine, from its state. */
export interface DockerPlace {
  /** Docker engine. undefined for the local one. */
  host: string | undefined;
  /** Owner mark of the stack's objects. */
  owner: string;
  /** Prefix of all names. */
  prefix: string;
}

const namesType = "pgroundwork:index:DockerNames";

/** Returns undefined if the state has nothing in a Docker engine. */
export function dockerPlaceIn(resources: readonly StateResource[]): DockerPlace | undefined {
  const { dockerHost, owner, prefix } = resources.find(({ type }) => type === namesType)?.outputs ?? {};
  if (typeof owner !== "string" || typeof prefix !== "string") return undefined;
  return { host: typeof dockerHost === "string" ? dockerHost : undefined, owner, prefix };
}
