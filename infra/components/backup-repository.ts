import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { isRemote } from "../../scripts/model/repository.ts";
import type { FormerGenerationOutput } from "../../scripts/model/stack-outputs.ts";
import { backupFiles, formerFile, needsNetwork, type PlannedRepository, sidecarRole } from "../plan/backups.ts";
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
  /** Number of the repositories' current generation. Default: 1. */
  generation?: number | undefined;
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
  /** Number of the current generation. */
  readonly generation: number;
  /** Passphrases of former generations, by their number. A secret. */
  readonly former: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: BackupRepositoryArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:BackupRepository", name, {}, options);
    const { place, image, dataVolume, repositories, protect, generation = 1 } = args;
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
        ...(generation === 1 ? {} : { generation }),
      },
      { parent: this, protect },
    );
    this.passphrase = passphrase.result;
    this.generation = generation;
    // In a preview, the outputs that a state does not have are unknown. The first generation has no former one.
    this.former =
      generation === 1
        ? pulumi.output<Record<string, string>>({})
        : pulumi.secret(passphrase.former.apply((former) => former ?? {}));
    this.files = pulumi.secret(
      pulumi
        .all([this.passphrase, this.former])
        .apply(([text, former]) => backupFiles({ current: generation, passphrase: text, former }, repositories)),
    );
    this.registerOutputs({ volume: this.volume });
  }

  /** Returns the passphrases of former generations, for the stack's outputs. They are a secret. */
  formerPassphrases(): pulumi.Output<{ generation: number; passphrase: string }[]> {
    return this.former.apply((former) =>
      Object.entries(former).map(([number, passphrase]) => ({ generation: Number(number), passphrase })),
    );
  }

  /** Returns the former generations of a repository whose passphrases are known. They have no secret. */
  formerOf(index: number): pulumi.Output<FormerGenerationOutput[]> {
    const numbers = pulumi.unsecret(this.former.apply((former) => Object.keys(former).map(Number)));
    return numbers.apply((found) =>
      found
        .sort((one, other) => other - one)
        .map((generation) => ({ generation, configurationFile: formerFile(index, generation) })),
    );
  }
}
