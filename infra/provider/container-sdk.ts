import * as pulumi from "@pulumi/pulumi";
import { resourceToken } from "./token.ts";

/*
 * The program's side of what the kit's own plugin does in a Docker engine, beside what the docker provider declares there.
 */

/** The Docker engine that a resource works with. */
export interface DockerArgs {
  /** `unix://`, `tcp://` or `ssh://`; absent: this machine's own. */
  dockerHost?: pulumi.Input<string> | undefined;
}

export interface VolumeFilesArgs extends DockerArgs {
  /** Id of an image that is there, through whose containers the volume is reached. */
  image: pulumi.Input<string>;
  /** Name of the volume. */
  volume: pulumi.Input<string>;
  /** Contents by path below the volume; secret as a whole. */
  files: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Files in a Docker volume, readable by postgres alone. */
export class VolumeFiles extends pulumi.CustomResource {
  /** Another one for other contents. */
  declare readonly revision: pulumi.Output<string>;
  /** The volume's name, known once the files are there. */
  declare readonly volume: pulumi.Output<string>;

  constructor(name: string, args: VolumeFilesArgs, options?: pulumi.CustomResourceOptions) {
    super(
      resourceToken("VolumeFiles"),
      name,
      { revision: undefined, ...args },
      { ...options, additionalSecretOutputs: ["files"] },
    );
  }
}

export interface ServerSettingsArgs extends DockerArgs {
  /** Id of the image whose PostgreSQL looks at them. */
  image: pulumi.Input<string>;
  /** Settings of postgresql.conf, values as text. */
  settings: pulumi.Input<Record<string, string>>;
}

/** Settings that an image's PostgreSQL accepts. */
export class ServerSettings extends pulumi.CustomResource {
  declare readonly settings: pulumi.Output<Record<string, string>>;
  /** The text of postgresql.conf. */
  declare readonly text: pulumi.Output<string>;

  constructor(name: string, args: ServerSettingsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("ServerSettings"), name, { text: undefined, ...args }, options);
  }
}

export interface ContainerServerArgs extends DockerArgs {
  /** Name of the container. */
  container: pulumi.Input<string>;
  /** Its id: another one is a container made anew. */
  containerId: pulumi.Input<string>;
  /** Of its files: another one has the server read them again. */
  revision: pulumi.Input<string>;
  /** Settings of postgresql.conf, for what previews say of their changes. */
  settings: pulumi.Input<Record<string, string>>;
  superuserPassword: pulumi.Input<string>;
  /** How long a start may take until SQL runs, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
}

/** The server in a container runs, has read its files, and its superuser has the password. */
export class ContainerServer extends pulumi.CustomResource {
  declare readonly container: pulumi.Output<string>;
  declare readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: ContainerServerArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("ContainerServer"), name, { ...args }, options);
  }
}

export interface ContainerProcessArgs extends DockerArgs {
  /** Name of the container. */
  container: pulumi.Input<string>;
  /** Its id: another one is a container made anew. */
  containerId: pulumi.Input<string>;
  /** Of its files: another one has the process read them again. */
  revision?: pulumi.Input<string>;
  /** A command of the image that has the process read its files again; absent: it is started again. */
  reload?: pulumi.Input<string[]>;
  /** A command of the image that fails, and says on stderr why, while the process is not as it should be. */
  check: pulumi.Input<string[]>;
  /** How long it may take to pass, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
}

/** The process of a container runs, has read its files, and passes its check. */
export class ContainerProcess extends pulumi.CustomResource {
  declare readonly container: pulumi.Output<string>;
  declare readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: ContainerProcessArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("ContainerProcess"), name, { ...args }, options);
  }
}

/** Under what names a stack's things stand in a Docker engine; chosen once, then kept. */
export class DockerNames extends pulumi.CustomResource {
  /** Every name begins with it. */
  declare readonly prefix: pulumi.Output<string>;
  /** Mark of what is the stack's own, as the label `pgroundwork.owner`. */
  declare readonly owner: pulumi.Output<string>;

  constructor(name: string, args: DockerArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("DockerNames"), name, { prefix: undefined, owner: undefined, ...args }, options);
  }
}

export interface PortArgs extends DockerArgs {
  /** Which one; absent: one that is free, chosen once. */
  port?: pulumi.Input<number> | undefined;
  /** On which address of the engine's machine it is to be open. */
  address: pulumi.Input<string>;
}

/** A TCP port that a container can have. */
export class Port extends pulumi.CustomResource {
  declare readonly port: pulumi.Output<number>;

  constructor(name: string, args: PortArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Port"), name, { ...args, port: args.port }, options);
  }
}
