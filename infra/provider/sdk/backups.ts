import type * as pulumi from "@pulumi/pulumi";
import type { DockerArgs } from "./containers.ts";
import { PluginResource } from "./plugin-resource.ts";

/* The program's side of the kit's own plugin: resources for backups. */

export interface BackupPassphraseArgs extends DockerArgs {
  /** Id of an existing image. Its containers give access to the volume. */
  image: pulumi.Input<string>;
  /** Name of the volume with the cluster. */
  volume: pulumi.Input<string>;
}

/**
 * The passphrase that encrypts a stack's backups. It is also kept with the cluster, so that backups outlive the stack's
 * state.
 */
export class BackupPassphrase extends PluginResource {
  declare readonly result: pulumi.Output<string>;

  constructor(name: string, args: BackupPassphraseArgs, options?: pulumi.CustomResourceOptions) {
    super("BackupPassphrase", name, args, options);
  }
}

export interface BackupStanzaArgs extends DockerArgs {
  /** Name of the container that makes backups. */
  container: pulumi.Input<string>;
  /** Id of that container. It changes if the container is replaced. */
  containerId: pulumi.Input<string>;
  /** Name of the server's container. */
  server: pulumi.Input<string>;
  serverId: pulumi.Input<string>;
  /** Revision of the configuration. A change tests archiving again. */
  revision: pulumi.Input<string>;
  /** Limit for a segment to arrive, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
}

/** A repository that was created for the server and has received a segment of its WAL. */
export class BackupStanza extends PluginResource {
  declare readonly container: pulumi.Output<string>;

  constructor(name: string, args: BackupStanzaArgs, options?: pulumi.CustomResourceOptions) {
    super("BackupStanza", name, args, options);
  }
}
