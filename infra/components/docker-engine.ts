import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { serverOfPrefix } from "../../scripts/model/docker-names.ts";
import { labelsOf as labelsOfObject } from "../../scripts/model/labels.ts";
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
  /** Name that the server had when it was created. Undefined for the one server of the kit's own program. */
  server: pulumi.Output<string | undefined>;
  /**
   * Returns the replacement trigger of an image's resource, or null if the state could not be read. A trigger that
   * differs from the state builds the image again.
   */
  imageTrigger(resource: string): ImageTrigger;
  /** Returns the name of the object for a purpose: `pgroundwork-dev-data`. */
  name(role: string): pulumi.Output<string>;
  /**
   * Returns name and labels of the object for a purpose. The labels identify objects for commands: `pgw recover` finds
   * leftovers of a killed run, `down` running containers, and `destroy` the stack's objects.
   */
  named(role: string): { name: pulumi.Output<string>; labels: pulumi.Output<{ label: string; value: string }[]> };
}

/** A promise, because Pulumi shows a replacement in every preview if the value is an output. */
export type ImageTrigger = string | null | Promise<string | null>;

export interface DockerPlaceArgs extends Pick<DockerPlace, "project" | "stack" | "dockerHost" | "imageTrigger"> {
  /** Name of the server, if the stack can have several. It is part of the names and a label. */
  server?: string | undefined;
  /** Completes before any object in the engine is created. */
  ready?: Promise<unknown> | undefined;
}

/** Returns the location of a server in its Docker engine. */
export function dockerPlace(
  name: string,
  { project, stack, dockerHost, imageTrigger, server, ready }: DockerPlaceArgs,
  options: pulumi.CustomResourceOptions,
): DockerPlace {
  const provider = new docker.Provider(name, dockerHost === undefined ? {} : { host: dockerHost }, options);
  const names = new DockerNames(
    `${name}-names`,
    server === undefined ? { dockerHost } : { dockerHost, server },
    options,
  );
  const kept = pulumi
    .all([names.prefix, names.owner])
    .apply(([known, owner]) => serverOfPrefix(known, { project, stack }, owner));
  const prefix = ready === undefined ? names.prefix : pulumi.all([names.prefix, ready]).apply(([known]) => known);
  const nameOf = (role: string) => pulumi.interpolate`${prefix}-${role}`;
  const labelsOf = (role: string) =>
    pulumi.all([names.owner, kept]).apply(([owner, known]) =>
      Object.entries(labelsOfObject({ owner, project, role, server: known, stack })).map(([label, value]) => ({
        label,
        value,
      })),
    );
  return {
    project,
    stack,
    provider,
    dockerHost,
    owner: names.owner,
    server: kept,
    imageTrigger,
    name: nameOf,
    named: (role) => ({ name: nameOf(role), labels: labelsOf(role) }),
  };
}
