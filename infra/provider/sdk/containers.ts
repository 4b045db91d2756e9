import type * as pulumi from "@pulumi/pulumi";
import { PluginResource } from "./plugin-resource.ts";

/* The program's side of the kit's own plugin: resources in a Docker engine that complement the docker provider's. */

/** The Docker engine that a resource uses. */
export interface DockerArgs {
  /** `unix://`, `tcp://` or `ssh://`. If absent, this machine's own engine. */
  dockerHost?: pulumi.Input<string> | undefined;
}

export interface VolumeFilesArgs extends DockerArgs {
  /** Id of an existing image. Its containers give access to the volume. */
  image: pulumi.Input<string>;
  volume: pulumi.Input<string>;
  /** Contents by path below the volume. Secret as a whole. */
  files: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Files in a Docker volume that only postgres can read. */
export class VolumeFiles extends PluginResource {
  /** Changes with the contents. */
  declare readonly revision: pulumi.Output<string>;
  /** The volume's name, known once the files exist. */
  declare readonly volume: pulumi.Output<string>;

  constructor(name: string, args: VolumeFilesArgs, options?: pulumi.CustomResourceOptions) {
    super("VolumeFiles", name, args, options);
  }
}

export interface ServerSettingsArgs extends DockerArgs {
  /** Id of the image whose PostgreSQL checks the settings. */
  image: pulumi.Input<string>;
  /** Settings of postgresql.conf, with values as text. */
  settings: pulumi.Input<Record<string, string>>;
  /** Memory of the server's container, in MB. */
  memoryMb: pulumi.Input<number>;
  /** Size of its /dev/shm, in MB. */
  shmSizeMb: pulumi.Input<number>;
  /** Name of the server's container. If it runs, its data must allow a start with the settings. */
  container: pulumi.Input<string>;
}

/** Settings with which an image's PostgreSQL starts. */
export class ServerSettings extends PluginResource {
  declare readonly settings: pulumi.Output<Record<string, string>>;
  /** Text of postgresql.conf. */
  declare readonly text: pulumi.Output<string>;

  constructor(name: string, args: ServerSettingsArgs, options?: pulumi.CustomResourceOptions) {
    super("ServerSettings", name, args, options);
  }
}

interface ContainerArgs extends DockerArgs {
  /** Name of the container. */
  container: pulumi.Input<string>;
  /** Id of that container. It changes if the container is replaced. */
  containerId: pulumi.Input<string>;
}

export interface ContainerServerArgs extends ContainerArgs {
  /** Revision of its files. A change makes the server read them again. */
  revision: pulumi.Input<string>;
  /** Settings of postgresql.conf. Previews use them to describe the effect of changes. */
  settings: pulumi.Input<Record<string, string>>;
  superuserPassword: pulumi.Input<string>;
  /** Limit for a start until SQL runs, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
}

/** A container's server that runs, has read its files, and whose superuser has the password. */
export class ContainerServer extends PluginResource {
  declare readonly container: pulumi.Output<string>;
  declare readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: ContainerServerArgs, options?: pulumi.CustomResourceOptions) {
    super("ContainerServer", name, args, options);
  }
}

export interface ContainerLimitsArgs extends ContainerArgs {
  /** Maximum number of processes and threads in the container. */
  processes: pulumi.Input<number>;
}

/** Limits of a container that the docker provider cannot declare. */
export class ContainerLimits extends PluginResource {
  constructor(name: string, args: ContainerLimitsArgs, options?: pulumi.CustomResourceOptions) {
    super("ContainerLimits", name, args, options);
  }
}

export interface ContainerProcessArgs extends ContainerArgs {
  /** Revision of its files. A change makes the process read them again. */
  revision?: pulumi.Input<string>;
  /** Command of the image that makes the process read its files again. If absent, the process is restarted. */
  reload?: pulumi.Input<string[]>;
  /** Command of the image that fails, with the reason on stderr, until the process is as it should be. */
  check: pulumi.Input<string[]>;
  /** Limit for the process to pass the check, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
}

/** A container's process that runs, has read its files, and passes its check. */
export class ContainerProcess extends PluginResource {
  declare readonly container: pulumi.Output<string>;
  declare readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: ContainerProcessArgs, options?: pulumi.CustomResourceOptions) {
    super("ContainerProcess", name, args, options);
  }
}

export interface DockerNamesArgs extends DockerArgs {
  /** Name of the server in the stack. Omit for the one server of the kit's own program. */
  server?: string | undefined;
}

/** Names of a server's objects in a Docker engine. They are chosen once, then kept. */
export class DockerNames extends PluginResource {
  /** Prefix of all names. */
  declare readonly prefix: pulumi.Output<string>;
  /** Identifies the stack's own objects, as the label `pgroundwork.owner`. */
  declare readonly owner: pulumi.Output<string>;

  constructor(name: string, args: DockerNamesArgs, options?: pulumi.CustomResourceOptions) {
    super("DockerNames", name, args, options);
  }
}

export interface PortArgs extends DockerArgs {
  /** Requested port. If absent, a free one is chosen once. */
  port?: pulumi.Input<number> | undefined;
  /** Address of the engine's machine on which the port will be open. */
  address: pulumi.Input<string>;
}

/** A TCP port that a container can use. */
export class Port extends PluginResource {
  declare readonly port: pulumi.Output<number>;

  constructor(name: string, args: PortArgs, options?: pulumi.CustomResourceOptions) {
    super("Port", name, args, options);
  }
}
