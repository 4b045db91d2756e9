import type * as pulumi from "@pulumi/pulumi";
import type { DockerArgs } from "./containers.ts";
import { PluginResource } from "./plugin-resource.ts";

/* The program's side of the kit's own plugin: resources for backups. */

export interface BackupPassphraseArgs extends DockerArgs {
  /** Id of an existing image. Its containers give access to the volume. */
  image: pulumi.Input<string>;
  /** Name of the volume with the cluster. */
  volume: pulumi.Input<string>;
  /** Passphrase to use instead of a new one. */
  passphrase?: pulumi.Input<string>;
  /** Number of the current generation of the repositories. Default: 1. */
  generation?: pulumi.Input<number>;
}

/**
 * The passphrases that encrypt a stack's backups. They are also kept with the cluster, so that backups outlive the
 * stack's state.
 */
export class BackupPassphrase extends PluginResource {
  /** Passphrase of the current generation. */
  declare readonly result: pulumi.Output<string>;
  /** Passphrases of former generations, by their number. Undefined for the first generation. */
  declare readonly former: pulumi.Output<Record<string, string> | undefined>;

  constructor(name: string, args: BackupPassphraseArgs, options?: pulumi.CustomResourceOptions) {
    super("BackupPassphrase", name, args, options);
  }
}

export interface RestoredClusterArgs extends DockerArgs {
  /** Id of an existing image. */
  image: pulumi.Input<string>;
  /** Name of the cluster's volume. */
  volume: pulumi.Input<string>;
  /** Name of the volume with pgBackRest's configuration. */
  configurationVolume: pulumi.Input<string>;
  /** Name of pgBackRest's file in it. */
  configurationFile: pulumi.Input<string>;
  /** Name of the volume with notes of the backups. */
  repositoryVolume: pulumi.Input<string>;
  /** Name of the network through which the repository is reached. */
  network: pulumi.Input<string>;
  /** Names that the server's and the backup container will have. */
  serverContainer: pulumi.Input<string>;
  backupContainer: pulumi.Input<string>;
  /** `latest`, or the time to restore. Omit to start with an empty cluster. */
  restore?: pulumi.Input<string>;
}

/** The cluster in a stack's volume before its server first starts: an empty one, or one from its repository. */
export class RestoredCluster extends PluginResource {
  constructor(name: string, args: RestoredClusterArgs, options?: pulumi.CustomResourceOptions) {
    super("RestoredCluster", name, args, options);
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

/** A key pair that signs the evidence of restore drills. */
export class EvidenceKey extends PluginResource {
  /** PEM, a secret. */
  declare readonly privateKey: pulumi.Output<string>;
  /** PEM. */
  declare readonly publicKey: pulumi.Output<string>;

  constructor(name: string, args: object, options?: pulumi.CustomResourceOptions) {
    super("EvidenceKey", name, args, options);
  }
}

export interface DrillEvidenceArgs extends DockerArgs {
  /** Name of the drill container. */
  container: pulumi.Input<string>;
  /** Id of that container. It changes if the container is replaced. */
  containerId: pulumi.Input<string>;
  /** Public key of the evidence, PEM. */
  publicKey: pulumi.Input<string>;
}

/** Number and hash of the newest evidence of restore drills. */
export class DrillEvidence extends PluginResource {
  /** 0 if there is none. */
  declare readonly number: pulumi.Output<number>;
  declare readonly hash: pulumi.Output<string>;

  constructor(name: string, args: DrillEvidenceArgs, options?: pulumi.CustomResourceOptions) {
    super("DrillEvidence", name, args, options);
  }
}
