import * as docker from "@pulumi/docker";
import type * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { archiveDefaults, archiveSettings, repositoryPath } from "../plan/backups.ts";
import {
  configurationFiles,
  containerPaths,
  containerSettings,
  hostBasedAuthentication,
  identityMap,
} from "../plan/container.ts";
import { ContainerServer, Password, Port, ServerSettings, VolumeFiles } from "../provider/sdk.ts";
import { adminAccess } from "./admin-access.ts";
import { BackupRepository } from "./backup-repository.ts";
import { confinement } from "./confinement.ts";
import { type DockerPlace, dockerPlace } from "./docker-engine.ts";
import { dockerImage } from "./docker-image.ts";
import type { Login, Server } from "./server.ts";
import { ServerCertificates } from "./server-certificates.ts";

export interface DockerServerArgs {
  project: string;
  stack: string;
  dockerHost?: string | undefined;
  /** An image from elsewhere; absent: built from infra/images/postgres. */
  image?: string | undefined;
  postgis: boolean;
  /** By what clients reach the server. */
  host: string;
  port?: number | undefined;
  bindAddress: string;
  /** Of the container, in MB; there is no swap beyond it. */
  memory: number;
  cpus?: number | undefined;
  /** /dev/shm, in MB. */
  shmSize: number;
  /** postgresql.conf settings, memory plan included. */
  settings: Record<string, string>;
  passwordKeeper: string;
  /** How long a start may take until SQL runs, in seconds. */
  readyTimeout: number;
  protect: boolean;
  /** The write-ahead log is archived and backups are made, kept for so many days; absent: neither. */
  backups?: { retentionDays: number } | undefined;
  /** Puts authorities where the postgresql provider finds them as a file; answers its path, the same in every clone. */
  authorityFile: (bundle: string) => string;
}

/** How long a container may take to end, in seconds: a checkpoint of a large server is written meanwhile. */
const stopTimeout = 300;

/** A server in a container: its image, network and volumes, the container, the point from which it may be used, its admin provider. */
export class DockerServer extends pulumi.ComponentResource implements Server {
  readonly process: pulumi.Resource;
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly sslmode = "verify-full";
  readonly reservesConnections = true;
  readonly caCertificate: pulumi.Output<string>;
  readonly container: pulumi.Output<string>;
  readonly dataVolume: pulumi.Output<string>;
  /** In which it is called `postgres`. */
  readonly network: pulumi.Output<string>;
  readonly version: pulumi.Output<string>;
  readonly superuser: Login;
  readonly admin: Login;
  readonly provider: postgresql.Provider;
  /** The engine, for what stands beside the server in it. */
  readonly place: DockerPlace;
  readonly image: pulumi.Output<string>;
  readonly volumes: { data: docker.Volume; config: docker.Volume; run: docker.Volume };
  /** Of its files: another one for other contents. */
  readonly revision: pulumi.Output<string>;
  /** Where it archives to and backups go. */
  readonly repository: BackupRepository | undefined;
  /** From which on it is reached over its socket. */
  readonly running: ContainerServer;

  constructor(name: string, args: DockerServerArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:DockerServer", name, {}, options);
    const child = { parent: this };
    const { project, stack, dockerHost } = args;
    this.place = dockerPlace(`${name}-docker`, { project, stack, dockerHost }, child);

    const password = new Password(`${name}-superuser-password`, { keeper: args.passwordKeeper }, child);
    this.superuser = { user: "postgres", password: password.result };
    const container = this.place.name("postgres");
    const certificates = new ServerCertificates(
      `${name}-tls`,
      { project, stack, hosts: [args.host, container, "postgres"] },
      child,
    );
    this.caCertificate = certificates.trustBundle;

    this.image = this.#declareImage(name, args);
    const checked = this.#declareSettings(name, args);
    const { port } = args;
    const published = new Port(`${name}-port`, { dockerHost, port, address: args.bindAddress }, child);
    // Nothing is made in the engine for settings that the image's server would refuse, nor for a port that is taken.
    const checkedFirst = { parent: this, provider: this.place.provider, dependsOn: [checked, published] };
    this.volumes = this.#declareVolumes(name, args, checkedFirst);
    this.dataVolume = this.volumes.data.name;
    this.repository = this.#declareRepository(name, args);
    const configuration = this.#declareFiles(name, args, checked, certificates);
    this.revision = configuration.revision;
    const network = new docker.Network(`${name}-network`, this.place.named("network"), checkedFirst);
    this.network = network.name;
    const process = this.#declareContainer(name, args, published.port, configuration);
    this.process = process;

    const running = new ContainerServer(
      `${name}-running`,
      {
        dockerHost,
        container,
        containerId: process.id,
        revision: configuration.revision,
        settings: checked.settings,
        superuserPassword: password.result,
        timeoutSeconds: args.readyTimeout,
      },
      child,
    );
    this.running = running;
    const access = adminAccess(
      name,
      {
        ...{ host: args.host, port: published.port, database: "postgres", login: this.superuser, superuser: true },
        ...{ sslmode: this.sslmode, caCertificate: this.caCertificate },
        sslrootcert: this.caCertificate.apply(args.authorityFile),
        trigger: running.containerId,
        readyTimeout: args.readyTimeout,
      },
      this,
    );
    ({ host: this.host, port: this.port, version: this.version, admin: this.admin, provider: this.provider } = access);
    this.container = running.container;
    this.registerOutputs({ host: this.host, port: this.port, container: this.container, version: this.version });
  }

  #declareImage(name: string, { image, postgis }: DockerServerArgs): pulumi.Output<string> {
    if (image !== undefined) return pulumi.output(image);
    const args = { POSTGIS: String(postgis) };
    return dockerImage(`${name}-image`, { folder: "postgres", tag: "17", args }, this.place, this);
  }

  #declareSettings(name: string, { dockerHost, settings, backups }: DockerServerArgs): ServerSettings {
    const archiving = backups === undefined ? undefined : { before: archiveDefaults, after: archiveSettings };
    return new ServerSettings(
      `${name}-settings`,
      {
        dockerHost,
        image: this.image,
        settings: { ...containerSettings, ...archiving?.before, ...settings, ...archiving?.after },
      },
      { parent: this },
    );
  }

  #declareFiles(
    name: string,
    { dockerHost }: DockerServerArgs,
    { text }: ServerSettings,
    { certificate, privateKey }: ServerCertificates,
  ): VolumeFiles {
    const { image, volumes, repository } = this;
    const files = pulumi.secret({
      [configurationFiles.postgresql]: text,
      [configurationFiles.hba]: hostBasedAuthentication,
      [configurationFiles.ident]: identityMap,
      [configurationFiles.certificate]: certificate,
      [configurationFiles.key]: privateKey,
      ...(repository === undefined ? {} : { [configurationFiles.backups]: repository.configuration }),
    });
    return new VolumeFiles(
      `${name}-files`,
      { dockerHost, image, volume: volumes.config.name, files },
      { parent: this },
    );
  }

  /** The cluster outlives the stack; configuration is made anew with it. */
  #declareVolumes(name: string, { protect }: DockerServerArgs, common: pulumi.CustomResourceOptions) {
    const declare = (role: string, options: pulumi.CustomResourceOptions) =>
      new docker.Volume(`${name}-${role}`, this.place.named(role), { ...common, ...options });
    return {
      data: declare("data", { protect, retainOnDelete: true }),
      config: declare("config", {}),
      run: declare("run", {}),
    };
  }

  #declareRepository(name: string, { backups, protect }: DockerServerArgs): BackupRepository | undefined {
    if (backups === undefined) return undefined;
    const { place, image, volumes } = this;
    return new BackupRepository(
      `${name}-backups`,
      { place, image, dataVolume: volumes.data.name, retentionDays: backups.retentionDays, protect },
      { parent: this },
    );
  }

  #declareContainer(
    name: string,
    args: DockerServerArgs,
    port: pulumi.Input<number>,
    configuration: VolumeFiles,
  ): docker.Container {
    const { image, volumes, repository } = this;
    const named = this.place.named("postgres");
    return new docker.Container(
      `${name}-postgres`,
      {
        ...named,
        ...confinement(args.memory, "50m"),
        image,
        hostname: named.name,
        ...(args.cpus === undefined ? {} : { cpus: String(args.cpus) }),
        shmSize: args.shmSize,
        stopTimeout,
        destroyGraceSeconds: stopTimeout,
        ports: [{ internal: 5432, external: port, ip: args.bindAddress, protocol: "tcp" }],
        networksAdvanced: [{ name: this.network, aliases: ["postgres"] }],
        volumes: [
          { volumeName: volumes.data.name, containerPath: containerPaths.data },
          // Its files are there before the container is.
          { volumeName: configuration.volume, containerPath: containerPaths.configuration, readOnly: true },
          { volumeName: volumes.run.name, containerPath: "/var/run/postgresql" },
          ...(repository === undefined ? [] : [{ volumeName: repository.volume, containerPath: repositoryPath }]),
        ],
      },
      // Two containers cannot have one port, nor one cluster.
      { parent: this, provider: this.place.provider, deleteBeforeReplace: true },
    );
  }
}
