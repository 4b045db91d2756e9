import * as pulumi from "@pulumi/pulumi";
import type { DockerArgs } from "./container-sdk.ts";
import { resourceToken } from "./token.ts";

/*
 * The program's side of what the kit's own plugin does about backups.
 */

export interface BackupPassphraseArgs extends DockerArgs {
  /** Id of an image that is there, through whose containers the volume is reached. */
  image: pulumi.Input<string>;
  /** Name of the volume with the cluster. */
  volume: pulumi.Input<string>;
}

/** What a stack's backups are encrypted with: kept beside the cluster, too, so that backups outlive the stack's state. */
export class BackupPassphrase extends pulumi.CustomResource {
  declare readonly result: pulumi.Output<string>;

  constructor(name: string, args: BackupPassphraseArgs, options?: pulumi.CustomResourceOptions) {
    super(
      resourceToken("BackupPassphrase"),
      name,
      { result: undefined, ...args },
      { ...options, additionalSecretOutputs: ["result"] },
    );
  }
}

export interface BackupStanzaArgs extends DockerArgs {
  /** Name of the container that makes backups. */
  container: pulumi.Input<string>;
  /** Its id: another one is a container made anew. */
  containerId: pulumi.Input<string>;
  /** Name of the server's container. */
  server: pulumi.Input<string>;
  serverId: pulumi.Input<string>;
  /** Of the configuration: with another one archiving is tried again. */
  revision: pulumi.Input<string>;
  /** How long a segment may take to arrive, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
}

/** The repository is made for the server, and a segment of its write-ahead log has arrived there. */
export class BackupStanza extends pulumi.CustomResource {
  declare readonly container: pulumi.Output<string>;

  constructor(name: string, args: BackupStanzaArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("BackupStanza"), name, { archiving: undefined, ...args }, options);
  }
}
