import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { backupConfiguration } from "../plan/backups.ts";
import { BackupPassphrase } from "../provider/sdk/backups.ts";
import type { DockerPlace } from "./docker-engine.ts";

export interface BackupRepositoryArgs {
  place: DockerPlace;
  image: pulumi.Input<string>;
  /** The volume with the cluster, which also keeps the passphrase. */
  dataVolume: pulumi.Input<string>;
  retentionDays: number;
  protect: boolean;
}

/**
 * An encrypted volume for a server's WAL archive and backups. It exists before the server, which archives from its
 * first start.
 */
export class BackupRepository extends pulumi.ComponentResource {
  readonly volume: pulumi.Output<string>;
  /** Text of pgbackrest.conf. It is secret, since it contains the passphrase. */
  readonly configuration: pulumi.Output<string>;
  readonly passphrase: pulumi.Output<string>;

  constructor(name: string, args: BackupRepositoryArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:BackupRepository", name, {}, options);
    const { place, image, dataVolume, retentionDays, protect } = args;
    const volume = new docker.Volume(`${name}-volume`, place.named("backup"), {
      parent: this,
      provider: place.provider,
      protect,
      retainOnDelete: true,
    });
    const passphrase = new BackupPassphrase(
      `${name}-passphrase`,
      { dockerHost: place.dockerHost, image, volume: dataVolume },
      { parent: this, protect },
    );
    this.volume = volume.name;
    this.passphrase = passphrase.result;
    this.configuration = passphrase.result.apply((text) => backupConfiguration(text, retentionDays));
    this.registerOutputs({ volume: this.volume });
  }
}
