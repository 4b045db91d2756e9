import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { isRemote } from "../../scripts/model/repository.ts";
import { backupFiles, needsNetwork, type PlannedRepository, sidecarRole } from "../plan/backups.ts";
import { BackupPassphrase } from "../provider/sdk/backups.ts";
import type { DockerPlace } from "./docker-engine.ts";

export interface BackupRepositoryArgs {
  place: DockerPlace;
  image: pulumi.Input<string>;
  /** The volume with the cluster, which also keeps the passphrase. */
  dataVolume: pulumi.Input<string>;
  /** One or two. */
  repositories: readonly PlannedRepository[];
  /** Passphrase of the repositories, if it is given and not created. */
  passphrase?: string | undefined;
  protect: boolean;
}

/** A repository, as its sidecar needs it. */
export interface DeclaredRepository {
  /** Counted from 1. */
  index: number;
  /** Volume at pgBackRest's usual path. It has the repository, or only the kit's notes if that is remote. */
  volume: pulumi.Output<string>;
  isRemote: boolean;
  retentionDays: number;
}

/**
 * The encrypted repositories for a server's WAL archive and backups. They are declared before the server, which
 * archives from its first start.
 */
export class BackupRepository extends pulumi.ComponentResource {
  /** Volume of the first repository. */
  readonly volume: pulumi.Output<string>;
  readonly repositories: readonly DeclaredRepository[];
  /** Network through which the sidecars reach remote repositories. Undefined if there is none. */
  readonly network: pulumi.Output<string> | undefined;
  /** Files that configure pgBackRest. They are secret, since they contain the passphrase and all keys. */
  readonly files: pulumi.Output<Record<string, string>>;
  readonly passphrase: pulumi.Output<string>;

  constructor(name: string, args: BackupRepositoryArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:BackupRepository", name, {}, options);
    const { place, image, dataVolume, repositories, protect } = args;
    const declareVolume = (index: number) =>
      new docker.Volume(index === 1 ? `${name}-volume` : `${name}-volume-${index}`, place.named(sidecarRole(index)), {
        parent: this,
        provider: place.provider,
        protect,
        retainOnDelete: true,
      });
    this.repositories = repositories.map((repository, at) => ({
      index: at + 1,
      volume: declareVolume(at + 1).name,
      isRemote: isRemote(repository),
      retentionDays: repository.retentionDays,
    }));
    const [first] = this.repositories;
    if (first === undefined) throw new Error("Backups need a repository.");
    this.volume = first.volume;
    this.network = needsNetwork(repositories)
      ? new docker.Network(`${name}-network`, place.named("backup-network"), { parent: this, provider: place.provider })
          .name
      : undefined;
    const passphrase = new BackupPassphrase(
      `${name}-passphrase`,
      {
        dockerHost: place.dockerHost,
        image,
        volume: dataVolume,
        ...(args.passphrase === undefined ? {} : { passphrase: pulumi.secret(args.passphrase) }),
      },
      { parent: this, protect },
    );
    this.passphrase = passphrase.result;
    this.files = pulumi.secret(passphrase.result.apply((text) => backupFiles(text, repositories)));
    this.registerOutputs({ volume: this.volume });
  }
}
