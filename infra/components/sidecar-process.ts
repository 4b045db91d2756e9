import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { sidecarProcesses } from "../plan/container-limits.ts";
import { ContainerLimits, ContainerProcess, type ContainerProcessArgs } from "../provider/sdk/containers.ts";
import type { DockerPlace } from "./docker-engine.ts";

/** Arguments of {@link declareProcess}. */
export interface SidecarProcessArgs extends Pick<ContainerProcessArgs, "check" | "revision" | "reload"> {
  dockerHost: DockerPlace["dockerHost"];
  container: docker.Container;
  /** Limit for the process to pass its check, in seconds. */
  timeoutSeconds: number;
  dependsOn?: pulumi.CustomResourceOptions["dependsOn"];
}

/** Declares the process in a sidecar, which passes its check, and the limits of its container. */
export function declareProcess(
  name: string,
  { dockerHost, container, dependsOn = [], ...process }: SidecarProcessArgs,
  parent: pulumi.Resource,
): ContainerProcess {
  const its = { dockerHost, container: container.name, containerId: container.id };
  const limits = { ...its, processes: sidecarProcesses.monitoring };
  new ContainerLimits(`${name}-limits`, limits, { parent });
  return new ContainerProcess(`${name}-running`, { ...its, ...process }, { parent, dependsOn });
}
