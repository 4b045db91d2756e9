import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { pooledRoles, poolerRolePlan } from "../../scripts/model/pooler.ts";
import { baseArguments } from "../plan/build-arguments.ts";
import {
  type PoolerSize,
  poolerCommand,
  poolerConfiguration,
  poolerEndpoints,
  poolerExporterCommand,
  poolerFiles,
  poolerMemory,
  poolerPaths,
  poolerUsers,
} from "../plan/pooler.ts";
import { type ContainerProcess, Port, VolumeFiles } from "../provider/sdk/containers.ts";
import { PoolerAccess } from "../provider/sdk/databases.ts";
import { Ready } from "../provider/sdk/servers.ts";
import type { Existing } from "./checks/existing-objects.ts";
import { dockerImage } from "./docker-image.ts";
import type { DockerServer } from "./docker-server.ts";
import { hardening } from "./hardening.ts";
import { declareLogin, type LoginRole } from "./login-role.ts";
import { adminConnection, type Login } from "./server.ts";
import { declareProcess, type SidecarProcessArgs } from "./sidecar-process.ts";

/** A database that clients reach through the pooler. */
export interface PooledDatabase {
  name: string;
  /** Logins of applications, with which the pooler is checked. */
  logins: Record<(typeof pooledRoles)[number], Login>;
  /** Applied migrations. The pooler replaces its server connections after others were applied. */
  migrations: pulumi.Input<readonly string[]>;
}

/** Arguments of {@link PoolerObjects}. */
export interface PoolerObjectsArgs extends PoolerSize {
  server: DockerServer;
  existing: Existing;
  /** Last grants on the database `postgres`, for which further ones wait. */
  postgresAccess: readonly pulumi.Resource[];
  databases: readonly PooledDatabase[];
  /** Address of the engine's machine on which the port is open. */
  bindAddress: string;
  port?: number | undefined;
  /** Image to build from. Default: the Dockerfile's. */
  baseImage?: string | undefined;
  /** Rotation trigger of the pooler's own password. */
  passwordVersion: string;
  protect: boolean;
  /** Limit for each process to pass its check, in seconds. */
  readyTimeout: number;
}

/** Memory of the exporter's container, in MB. */
const exporterMemory = 64;

/**
 * The objects of a pooler, declared as children of its component: the role that looks up logins, the container, and a
 * login to each database through it.
 */
export class PoolerObjects {
  /** Known once SQL has run through the pooler in every database. */
  readonly port: pulumi.Output<number>;
  readonly container: pulumi.Output<string>;
  /** Login with which the pooler looks up all others. */
  readonly login: Login;

  readonly #parent: pulumi.Resource;
  readonly #name: string;
  readonly #args: PoolerObjectsArgs;
  readonly #image: pulumi.Output<string>;
  readonly #run: docker.Volume;
  readonly #running: ContainerProcess;

  constructor(parent: pulumi.Resource, name: string, args: PoolerObjectsArgs) {
    this.#parent = parent;
    this.#name = name;
    this.#args = args;
    const { server, bindAddress, port } = args;
    const build = { folder: "pgbouncer", tag: "latest", args: baseArguments(args.baseImage) };
    this.#image = dockerImage(`${name}-image`, build, server.place, parent);
    const { login, access } = this.#declareLogin();
    this.login = login;
    const files = this.#declareFiles(login);
    const { dockerHost } = server.place;
    // Chosen late: until the container starts, another program can take a free port.
    const late = { parent, dependsOn: [access] };
    const published = new Port(`${name}-port`, { dockerHost, port, address: bindAddress }, late);
    this.#run = this.#declareVolume("run");
    const container = this.#declareContainer(files, published.port);
    this.#running = this.#declareProcess("pooler", container, "pooler-health", {
      revision: this.#revision(files),
      reload: ["pooler-reload"],
      dependsOn: [access],
    });
    const ready = this.#declareReady(published.port);
    this.port = pulumi.all([published.port, pulumi.all(ready.map((each) => each.port))]).apply(([known]) => known);
    this.container = this.#running.container;
  }

  /** Declares the exporter, which Prometheus queries. It ends if PgBouncer's socket does not exist when it starts. */
  declareExporter(): void {
    const exporter = {
      ...hardening(exporterMemory, "10m"),
      command: [...poolerExporterCommand],
      envs: [`GOMEMLIMIT=${Math.floor(exporterMemory * 0.9)}MiB`],
      volumes: [{ volumeName: this.#run.name, containerPath: poolerPaths.run, readOnly: true }],
    };
    const container = this.#container("pooler-exporter", poolerEndpoints.exporter.alias, exporter, [this.#running]);
    this.#declareProcess("pooler-exporter", container, "pooler-exporter-check", { dependsOn: [this.#running] });
  }

  /** Declares the role that looks up logins, and the function with which it does. */
  #declareLogin(): { login: Login; access: PoolerAccess } {
    const { server, existing, passwordVersion, protect, postgresAccess } = this.#args;
    const { login, role }: LoginRole = declareLogin(`${this.#name}-login`, poolerRolePlan, existing, passwordVersion, {
      parent: this.#parent,
      provider: server.provider,
      deletedWith: server.process,
      protect,
      dependsOn: [...postgresAccess],
    });
    const access = new PoolerAccess(
      `${this.#name}-access`,
      { ...adminConnection(server, "postgres"), role: login.user },
      { parent: this.#parent, deletedWith: server.process, dependsOn: [role] },
    );
    return { login, access };
  }

  #declareFiles(login: Login): VolumeFiles {
    const { server, databases, connectionsPerDatabase, maxClients } = this.#args;
    const { place, certificates, host } = server;
    const certificate = certificates.certificateFor("pooler", [host, place.name("pooler"), "pooler"]);
    const names = databases.map(({ name }) => name);
    const files = {
      [poolerFiles.configuration]: poolerConfiguration({
        databases: names,
        user: login.user,
        connectionsPerDatabase,
        maxClients,
      }),
      [poolerFiles.users]: login.password.apply((password) => poolerUsers(login.user, password)),
      [poolerFiles.certificate]: certificate.certificate,
      [poolerFiles.key]: certificate.privateKey,
      [poolerFiles.ca]: server.caCertificate,
    };
    const volume = this.#declareVolume("config");
    return new VolumeFiles(
      `${this.#name}-files`,
      { dockerHost: place.dockerHost, image: this.#image, volume: volume.name, files: pulumi.secret(files) },
      { parent: this.#parent },
    );
  }

  /** Returns a revision that changes with the files, and with the migrations that were applied. */
  #revision(files: VolumeFiles): pulumi.Output<string> {
    const migrations = this.#args.databases.map((database) => database.migrations);
    return pulumi
      .all([files.revision, pulumi.all(migrations)])
      .apply(([revision, all]) =>
        [revision, ...all.map((applied) => `${applied.length} ${applied.at(-1)}`)].join(", "),
      );
  }

  #declareContainer(files: VolumeFiles, port: pulumi.Input<number>): docker.Container {
    const { bindAddress, maxClients } = this.#args;
    // Each client is a file descriptor, and so is each server connection.
    const descriptors = 2 * maxClients + 1_024;
    return this.#container("pooler", poolerEndpoints.pooler.alias, {
      ...hardening(poolerMemory(maxClients), "10m"),
      command: [...poolerCommand],
      ulimits: [{ name: "nofile", soft: descriptors, hard: descriptors }],
      ports: [{ internal: poolerEndpoints.pooler.port, external: port, ip: bindAddress, protocol: "tcp" }],
      volumes: [
        { volumeName: files.volume, containerPath: poolerPaths.configuration, readOnly: true },
        { volumeName: this.#run.name, containerPath: poolerPaths.run },
      ],
    });
  }

  /**
   * Logs in to every database through the pooler, as applications do. After a rotation, PgBouncer needs this to open
   * server connections with the new passwords for clients that have logged in before.
   */
  #declareReady(port: pulumi.Input<number>): Ready[] {
    const { server, databases, readyTimeout } = this.#args;
    const { host, sslmode, caCertificate } = server;
    return databases.flatMap(({ name, logins }) =>
      pooledRoles.map((role) => {
        const connection = { host, port, database: name, ...logins[role], sslmode, caCertificate };
        const waits = { trigger: this.#running.containerId, timeoutSeconds: readyTimeout };
        const options = { parent: this.#parent, dependsOn: [this.#running] };
        return new Ready(`${this.#name}-ready-${name}-${role}`, { ...connection, ...waits }, options);
      }),
    );
  }

  #declareVolume(purpose: string): docker.Volume {
    const { place } = this.#args.server;
    return new docker.Volume(`${this.#name}-${purpose}`, place.named(`pooler-${purpose}`), {
      parent: this.#parent,
      provider: place.provider,
    });
  }

  #container(
    role: string,
    alias: string,
    args: Omit<docker.ContainerArgs, "image" | "name">,
    dependsOn: pulumi.Resource[] = [],
  ): docker.Container {
    const { place, network } = this.#args.server;
    const named = place.named(role);
    return new docker.Container(
      `${this.#name}-${role}`,
      {
        ...named,
        image: this.#image,
        hostname: named.name,
        networksAdvanced: [{ name: network, aliases: [alias] }],
        ...args,
      },
      { parent: this.#parent, provider: place.provider, deleteBeforeReplace: true, dependsOn },
    );
  }

  #declareProcess(
    role: string,
    container: docker.Container,
    check: string,
    given: Pick<SidecarProcessArgs, "revision" | "reload" | "dependsOn">,
  ): ContainerProcess {
    const { server, readyTimeout: timeoutSeconds } = this.#args;
    const process = { dockerHost: server.place.dockerHost, container, check: [check], timeoutSeconds, ...given };
    return declareProcess(`${this.#name}-${role}`, process, this.#parent);
  }
}
