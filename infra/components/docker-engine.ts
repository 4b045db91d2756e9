import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DockerNames } from "../provider/sdk/containers.ts";

/** Owner of objects in a Docker engine, with the names and labels that identify them. */
export interface DockerPlace {
  project: string;
  stack: string;
  provider: docker.Provider;
  /** Docker host as in the setting. If absent, this machine's own engine is used. */
  dockerHost: string | undefined;
  /** Marks objects of this stack, since another project directory can have a stack with the same name. */
  owner: pulumi.Output<string>;
  /**
   * Returns the replacement trigger of an image's resource, or undefined if the state could not be read. A trigger that
   * differs from the state builds the image again.
   */
  imageTrigger(resource: string): string | undefined;
  /** Returns the name of the object for a purpose: `pgroundwork-dev-data`. */
  name(role: string): pulumi.Output<string>;
  /**
   * Returns name and labels of the object for a purpose. The labels identify objects for commands: `pgw recover` finds
   * leftovers of a killed run, `down` running containers, and `destroy` the stack's objects.
   */
  named(role: string): { name: pulumi.Output<string>; labels: pulumi.Output<{ label: string; value: string }[]> };
}

export type DockerPlaceArgs = Pick<DockerPlace, "project" | "stack" | "dockerHost" | "imageTrigger">;

/** Returns the stack's location in its Docker engine. */
export function dockerPlace(
  name: string,
  { project, stack, dockerHost, imageTrigger }: DockerPlaceArgs,
  options: pulumi.CustomResourceOptions,
): DockerPlace {
  const provider = new docker.Provider(name, dockerHost === undefined ? {} : { host: dockerHost }, options);
  const names = new DockerNames(`${name}-names`, { dockerHost }, options);
  const nameOf = (role: string) => pulumi.interpolate`${names.prefix}-${role}`;
  const labelsOf = (role: string) =>
    names.owner.apply((owner) =>
      Object.entries({ owner, project, role, stack }).map(([key, value]) => ({ label: `pgroundwork.${key}`, value })),
    );
  return {
    project,
    stack,
    provider,
    dockerHost,
    owner: names.owner,
    imageTrigger,
    name: nameOf,
    named: (role) => ({ name: nameOf(role), labels: labelsOf(role) }),
  };
}
