import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type ContainerProcess, Port, VolumeFiles } from "../provider/sdk/containers.ts";
import type { DockerPlace } from "./docker-engine.ts";
import { hardening } from "./hardening.ts";
import { declareProcess, type SidecarProcessArgs } from "./sidecar-process.ts";

/** Ports are open only here, since neither Prometheus nor an exporter authenticates its clients. */
const loopback = "127.0.0.1";

/** A container of the monitoring. */
export interface ContainerPlan {
  role: string;
  /** Image of others. Default: the monitoring image. */
  image?: string;
  endpoint: { alias: string; port: number };
  memory: number;
  /** Absent: the image's own. */
  command?: readonly string[];
  environment?: readonly string[];
  volumes: docker.ContainerArgs["volumes"];
  /** Port on the loopback address, outside the network. If absent, no port is published. */
  port?: pulumi.Input<number> | undefined;
  user?: string;
  /** Folders in memory. */
  tmpfs?: Readonly<Record<string, string>>;
  /** True if the program is in Go. Default: true. */
  isGo?: boolean;
}

/** Place of the monitoring's objects, and the limit for their processes. */
interface MonitoringPlace {
  place: DockerPlace;
  /** The network in which the server is called `postgres`. */
  network: pulumi.Input<string>;
  /** Limit for each process to pass its check, in seconds. */
  readyTimeout: number;
}

/** Docker objects and processes of one stack's monitoring, all children of one component. */
export class MonitoringObjects {
  readonly #name: string;
  readonly #args: MonitoringPlace;
  readonly #image: pulumi.Output<string>;
  readonly #parent: pulumi.Resource;

  /** Creates the monitoring's objects under names that begin with `name`. Declares nothing yet. */
  constructor(name: string, args: MonitoringPlace, image: pulumi.Output<string>, parent: pulumi.Resource) {
    this.#name = name;
    this.#args = args;
    this.#image = image;
    this.#parent = parent;
  }

  /** Declares a port on the loopback address of the engine's machine: `port`, or a free one that is chosen once. */
  declarePort(role: string, port: number | undefined): pulumi.Output<number> {
    const published = { dockerHost: this.#args.place.dockerHost, port, address: loopback };
    return new Port(`${this.#name}-${role}-port`, published, { parent: this.#parent }).port;
  }

  /** Declares a volume, which is the stack's own. */
  declareVolume(role: string, options: pulumi.CustomResourceOptions = {}): docker.Volume {
    const { place } = this.#args;
    return new docker.Volume(`${this.#name}-${role}`, place.named(role), {
      parent: this.#parent,
      provider: place.provider,
      ...options,
    });
  }

  /** Declares a volume with the files of one container, so that Prometheus does not get the exporter's password. */
  declareFiles(role: string, files: pulumi.Input<Record<string, pulumi.Input<string>>>): VolumeFiles {
    const volume = this.declareVolume(`${role}-config`);
    const { dockerHost } = this.#args.place;
    return new VolumeFiles(
      `${this.#name}-${role}-files`,
      { dockerHost, image: this.#image, volume: volume.name, files: pulumi.secret(files) },
      { parent: this.#parent },
    );
  }

  /** Declares a container with limits, in the stack's network. */
  declareContainer(plan: ContainerPlan): docker.Container {
    const { place, network } = this.#args;
    const { role, endpoint, port, user, image = this.#image, command, tmpfs, environment = [], isGo = true } = plan;
    const named = place.named(role);
    return new docker.Container(
      `${this.#name}-${role}`,
      {
        ...named,
        ...hardening(plan.memory, "10m"),
        image,
        hostname: named.name,
        ...(command === undefined ? {} : { command: [...command] }),
        ...(tmpfs === undefined ? {} : { tmpfs }),
        // Go does not free memory until it must, and the container's limit would kill the process first.
        envs: [...environment, ...(isGo ? [`GOMEMLIMIT=${Math.floor(plan.memory * 0.9)}MiB`] : [])],
        ...(user === undefined ? {} : { user }),
        ports: port === undefined ? [] : [{ internal: endpoint.port, external: port, ip: loopback, protocol: "tcp" }],
        networksAdvanced: [{ name: network, aliases: [endpoint.alias] }],
        volumes: plan.volumes,
      },
      { parent: this.#parent, provider: place.provider, deleteBeforeReplace: true },
    );
  }

  /** Declares that a container's process runs, reads its newest files and passes its check. */
  declareProcess(
    role: string,
    container: docker.Container,
    check: string[],
    given: Pick<SidecarProcessArgs, "revision" | "reload" | "dependsOn"> = {},
  ): ContainerProcess {
    const { place, readyTimeout: timeoutSeconds } = this.#args;
    const { dockerHost } = place;
    return declareProcess(
      `${this.#name}-${role}`,
      { dockerHost, container, check, timeoutSeconds, ...given },
      this.#parent,
    );
  }
}

/** Returns the URL of a process on the engine's machine, once the process has passed its check. */
export function urlOf({ containerId }: ContainerProcess, port: pulumi.Output<number>): pulumi.Output<string> {
  return pulumi.all([containerId, port]).apply(([, open]) => `http://${loopback}:${open}`);
}
