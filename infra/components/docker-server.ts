import * as docker from "@pulumi/docker";
import type * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { archiveDefaults, archiveSettings, repositoryFile, repositoryPath, sidecarRole } from "../plan/backups.ts";
import { type PostgresBuild, postgresBuildArguments } from "../plan/build-arguments.ts";
import {
  configurationFiles,
  containerPaths,
  containerSettings,
  hostBasedAuthentication,
  identityMap,
  writableFolders,
} from "../plan/container.ts";
import { processLimit } from "../plan/container-limits.ts";
import { RestoredCluster } from "../provider/sdk/backups.ts";
import { ContainerLimits, ContainerServer, Port, ServerSettings, VolumeFiles } from "../provider/sdk/containers.ts";
import { Password } from "../provider/sdk/servers.ts";
import { adminAccess } from "./admin-access.ts";
import { BackupRepository, type BackupRepositoryArgs } from "./backup-repository.ts";
import { type DockerPlace, type DockerPlaceArgs, dockerPlace } from "./docker-engine.ts";
import { dockerImage } from "./docker-image.ts";
import { hardening } from "./hardening.ts";
import type { Login, Server } from "./server.ts";
import { ServerCertificates } from "./server-certificates.ts";

export interface DockerServerArgs extends Pick<DockerPlaceArgs, "project" | "stack" | "server" | "ready"> {
  dockerHost?: string | undefined;
  /** Prebuilt image to pull instead of building infra/images/postgres. */
  image?: string | undefined;
  /** Arguments of the build. Undefined ones have the Dockerfile's defaults. */
  build: PostgresBuild;
  /** Host name that clients use. */
  host: string;
  port?: number | undefined;
  bindAddress: string;
  /** Memory limit of the container, in MB, without additional swap. */
  memory: number;
  cpus?: number | undefined;
  /** Size of /dev/shm, in MB. */
  shmSize: number;
  /** Settings of postgresql.conf, including the memory plan. */
  settings: Record<string, string>;
  passwordVersion: string;
  /** Limit for a start until SQL runs, in seconds. */
  readyTimeout: number;
  protect: boolean;
  /** Enables WAL archiving and backups into one or two repositories. If absent, both are off. */
  backups?:
    | (Pick<BackupRepositoryArgs, "repositories" | "passphrase" | "generation"> & { walLimitPercent: number })
    | undefined;
  /** Restores the cluster from a remote repository before the server starts: `latest`, or a time. */
  restore?: string | undefined;
  imageTrigger: DockerPlace["imageTrigger"];
  /**
   * Writes CA certificates to a file for the postgresql provider. Returns its path, which is the same in every project
   * directory.
   *
   * @param server name that the server had when it was created, if the stack can have several
   */
  caFile: (bundle: string, server: string | undefined) => string;
}

/** Limit for stopping a container, in seconds: a large server writes a checkpoint first. */
const stopTimeout = 300;

/** A server in a container: image, network, volumes, container, readiness check and admin provider. */
export class DockerServer extends pulumi.ComponentResource implements Server {
  readonly process: pulumi.Resource;
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly sslmode = "verify-full";
  readonly reservesConnections = true;
  readonly caCertificate: pulumi.Output<string>;
  readonly certificates: ServerCertificates;
  readonly container: pulumi.Output<string>;
  readonly dataVolume: pulumi.Output<string>;
  /** The Docker network in which the server is called `postgres`. */
  readonly network: pulumi.Output<string>;
  readonly version: pulumi.Output<string>;
  readonly superuser: Login;
  readonly admin: Login;
  readonly provider: postgresql.Provider;
  /** The engine, for the server's sidecars. */
  readonly place: DockerPlace;
  readonly image: pulumi.Output<string>;
  readonly volumes: { data: docker.Volume; config: docker.Volume; run: docker.Volume; log: docker.Volume };
  /** Changes with the contents of the configuration files. */
  readonly revision: pulumi.Output<string>;
  /** The repository for WAL archive and backups. */
  readonly repository: BackupRepository | undefined;
  /** Once it is created, the server accepts connections over its socket. */
  readonly running: ContainerServer;

  constructor(name: string, args: DockerServerArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:DockerServer", name, {}, options);
    const child = { parent: this };
    const { project, stack, dockerHost } = args;
    this.place = dockerPlace(`${name}-docker`, { ...args, dockerHost }, child);

    const password = new Password(`${name}-superuser-password`, { keeper: args.passwordVersion }, child);
    this.superuser = { user: "postgres", password: password.result };
    const container = this.place.name("postgres");
    const certificates = new ServerCertificates(
      `${name}-tls`,
      { project, stack, hosts: [args.host, container, "postgres"] },
      child,
    );
    this.certificates = certificates;
    this.caCertificate = certificates.caCertificate;

    this.image = this.#declareImage(name, args);
    const checked = this.#declareSettings(name, args);
    const { port } = args;
    const published = new Port(`${name}-port`, { dockerHost, port, address: args.bindAddress }, child);
    // Nothing is created in the engine if the image's server would refuse the settings or the port is taken.
    const checkedFirst = { parent: this, provider: this.place.provider, dependsOn: [checked, published] };
    this.volumes = this.#declareVolumes(name, args, checkedFirst);
    this.dataVolume = this.volumes.data.name;
    this.repository = this.#declareRepository(name, args);
    const configuration = this.#declareFiles(name, args, checked, certificates);
    this.revision = configuration.revision;
    const network = new docker.Network(`${name}-network`, this.place.named("network"), checkedFirst);
    this.network = network.name;
    const restored = this.#declareRestored(name, args, configuration);
    const process = this.#declareContainer(name, args, published.port, configuration, restored);
    this.process = process;

    new ContainerLimits(
      `${name}-limits`,
      { dockerHost, container, containerId: process.id, processes: processLimit(args.settings) },
      child,
    );
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
        sslrootcert: pulumi
          .all([this.caCertificate, this.place.server])
          .apply(([bundle, server]) => args.caFile(bundle, server)),
        trigger: running.containerId,
        readyTimeout: args.readyTimeout,
      },
      this,
    );
    ({ host: this.host, port: this.port, version: this.version, admin: this.admin, provider: this.provider } = access);
    this.container = running.container;
    this.registerOutputs({ host: this.host, port: this.port, container: this.container, version: this.version });
  }

  #declareImage(name: string, { image, build }: DockerServerArgs): pulumi.Output<string> {
    if (image !== undefined) return pulumi.output(image);
    const args = postgresBuildArguments(build);
    return dockerImage(`${name}-image`, { folder: "postgres", tag: "17", args }, this.place, this);
  }

  #declareSettings(name: string, { dockerHost, settings, backups, memory, shmSize }: DockerServerArgs): ServerSettings {
    const archiving = backups && {
      before: archiveDefaults,
      after: archiveSettings(backups.repositories, backups.walLimitPercent, backups.generation),
    };
    return new ServerSettings(
      `${name}-settings`,
      {
        dockerHost,
        image: this.image,
        settings: { ...containerSettings, ...archiving?.before, ...settings, ...archiving?.after },
        memoryMb: memory,
        shmSizeMb: shmSize,
        container: this.place.name("postgres"),
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
    const own = pulumi.secret({
      [configurationFiles.postgresql]: text,
      [configurationFiles.hba]: hostBasedAuthentication,
      [configurationFiles.ident]: identityMap,
      [configurationFiles.certificate]: certificate,
      [configurationFiles.key]: privateKey,
    });
    const files =
      repository === undefined
        ? own
        : pulumi.all([own, repository.files]).apply(([others, backups]) => ({ ...others, ...backups }));
    return new VolumeFiles(
      `${name}-files`,
      { dockerHost, image, volume: volumes.config.name, files },
      { parent: this },
    );
  }

  /** Declares the volumes. The cluster outlives the stack, and the others are created again with the stack. */
  #declareVolumes(name: string, { protect }: DockerServerArgs, common: pulumi.CustomResourceOptions) {
    const declare = (role: string, options: pulumi.CustomResourceOptions) =>
      new docker.Volume(`${name}-${role}`, this.place.named(role), { ...common, ...options });
    return {
      data: declare("data", { protect, retainOnDelete: true }),
      config: declare("config", {}),
      run: declare("run", {}),
      log: declare("log", {}),
    };
  }

  #declareRepository(name: string, { backups, protect }: DockerServerArgs): BackupRepository | undefined {
    if (backups === undefined) return undefined;
    const { place, image, volumes } = this;
    return new BackupRepository(
      `${name}-backups`,
      { ...backups, place, image, dataVolume: volumes.data.name, protect },
      { parent: this },
    );
  }

  /** Declares where the cluster comes from. Without a remote repository, there is nothing that it could come from. */
  #declareRestored(
    name: string,
    { dockerHost, restore }: DockerServerArgs,
    configuration: VolumeFiles,
  ): RestoredCluster[] {
    const { image, place, repository, volumes } = this;
    const remote = repository?.repositories.find(({ isRemote }) => isRemote);
    if (repository?.network === undefined || remote === undefined) return [];
    const restored = new RestoredCluster(
      `${name}-cluster`,
      {
        ...{ dockerHost, image, volume: volumes.data.name, network: repository.network },
        configurationVolume: configuration.volume,
        configurationFile: repositoryFile(remote.index),
        repositoryVolume: remote.volume,
        ...{ serverContainer: place.name("postgres"), backupContainer: place.name(sidecarRole(remote.index)) },
        ...(restore === undefined ? {} : { restore }),
      },
      { parent: this },
    );
    return [restored];
  }

  #declareContainer(
    name: string,
    args: DockerServerArgs,
    port: pulumi.Input<number>,
    configuration: VolumeFiles,
    dependsOn: pulumi.Resource[],
  ): docker.Container {
    const { image, volumes, repository } = this;
    const named = this.place.named("postgres");
    return new docker.Container(
      `${name}-postgres`,
      {
        ...named,
        ...hardening(args.memory, "50m"),
        tmpfs: writableFolders,
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
          // Its files exist before the container does.
          { volumeName: configuration.volume, containerPath: containerPaths.configuration, readOnly: true },
          { volumeName: volumes.run.name, containerPath: "/var/run/postgresql" },
          { volumeName: volumes.log.name, containerPath: containerPaths.log },
          ...(repository === undefined ? [] : [{ volumeName: repository.volume, containerPath: repositoryPath }]),
        ],
      },
      // Two containers cannot share one port or one cluster.
      { parent: this, provider: this.place.provider, deleteBeforeReplace: true, dependsOn },
    );
  }
}
