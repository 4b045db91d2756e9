import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DockerNames } from "../provider/sdk.ts";

/** Whose things in a Docker engine are, and how they are told apart there. */
export interface DockerPlace {
  project: string;
  stack: string;
  provider: docker.Provider;
  /** As the setting has it; absent: this machine's own. */
  dockerHost: string | undefined;
  /** Marks what is this stack's, beside those of other clones that bear its name. */
  owner: pulumi.Output<string>;
  /** The name of what is for this: `pgroundwork-dev-data`. */
  name(role: string): pulumi.Output<string>;
  /** Name and labels of what is for this. By the labels `pgw recover` finds what a killed run left, `down` what runs, and `destroy` what is the stack's. */
  named(role: string): { name: pulumi.Output<string>; labels: pulumi.Output<{ label: string; value: string }[]> };
}

/** The stack's place in its Docker engine. */
export function dockerPlace(
  name: string,
  { project, stack, dockerHost }: { project: string; stack: string; dockerHost: string | undefined },
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
    name: nameOf,
    named: (role) => ({ name: nameOf(role), labels: labelsOf(role) }),
  };
}
