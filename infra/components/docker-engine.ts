import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";

/** Whose things in a Docker engine are, and how they are told apart there. */
export interface DockerPlace {
  project: string;
  stack: string;
  provider: docker.Provider;
  /** As the setting has it; absent: this machine's own. */
  dockerHost: string | undefined;
}

/** The stack's provider for its Docker engine. */
export function dockerPlace(
  name: string,
  { project, stack, dockerHost }: { project: string; stack: string; dockerHost: string | undefined },
  options: pulumi.CustomResourceOptions,
): DockerPlace {
  const provider = new docker.Provider(name, dockerHost === undefined ? {} : { host: dockerHost }, options);
  return { project, stack, provider, dockerHost };
}

/** By these `pgw recover` finds what a killed run left, and `destroy` what is the stack's. */
export function labels(place: DockerPlace, role: string): { label: string; value: string }[] {
  return Object.entries({ project: place.project, role, stack: place.stack }).map(([key, value]) => ({
    label: `pgroundwork.${key}`,
    value,
  }));
}
