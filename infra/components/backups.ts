import * as docker from "@pulumi/docker";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { backupEnvironment, backupFunctions, metricsPath, repositoryPath, sidecarRole } from "../plan/backups.ts";
import { containerPaths, imageHealthcheck, writableFolders } from "../plan/container.ts";
import { sidecarProcesses } from "../plan/container-limits.ts";
import { dumpSchedules, dumpsEnvironment, dumpsPath, type ScheduledDumps } from "../plan/dumps.ts";
import { BackupStanza } from "../provider/sdk/backups.ts";
import { ContainerLimits } from "../provider/sdk/containers.ts";
import type { BackupRepository, DeclaredRepository } from "./backup-repository.ts";
import type { DockerPlace } from "./docker-engine.ts";
import type { DockerServer } from "./docker-server.ts";
import { hardening } from "./hardening.ts";

export interface BackupsArgs {
  server: DockerServer;
  /** Roles that the grants wait for, including `backup`. */
  roles: pulumi.Resource[] | Promise<pulumi.Resource[]>;
  /** Schedule in cron's syntax, in UTC. */
  full: string;
  incremental: string;
  /** Limit for archiving one segment, in seconds. */
  archiveTimeout: number;
  /** Absent if no dumps are scheduled. */
  dumps?: Omit<ScheduledDumps, "stack"> | undefined;
}

/** Memory of the backup container, in MB. pgBackRest compresses in two processes. */
const memory = 512;

/** Time that pgBackRest has to stop cleanly, in seconds. */
const stopTimeout = 60;

/** Container that makes backups into one repository. */
export interface DeclaredSidecar extends DeclaredRepository {
  /** Its name, once WAL archiving into the repository was tried. */
  container: pulumi.Output<string>;
}

/**
 * Scheduled backups of a server: grants for the backup role, and for each repository the container that makes the
 * backups and the check that WAL archiving works.
 */
export class Backups extends pulumi.ComponentResource {
  /** Container of the first repository. */
  readonly container: pulumi.Output<string>;
  readonly sidecars: readonly DeclaredSidecar[];
  /** A volume with the backup metrics for Prometheus, as text. */
  readonly metrics: pulumi.Output<string>;

  constructor(name: string, args: BackupsArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:Backups", name, {}, options);
    const { server, roles } = args;
    const { place, repository } = server;
    if (repository === undefined) throw new Error("A server without a repository has no backups.");
    const granted = new postgresql.Grant(
      `${name}-functions`,
      {
        database: "postgres",
        role: "backup",
        schema: "pg_catalog",
        objectType: "function",
        objects: [...backupFunctions],
        privileges: ["EXECUTE"],
      },
      { parent: this, provider: server.provider, deletedWith: server.process, dependsOn: roles },
    );
    const metrics = new docker.Volume(`${name}-metrics`, place.named("backup-metrics"), {
      parent: this,
      provider: place.provider,
    });
    this.metrics = metrics.name;
    const stanzas: BackupStanza[] = [];
    // One after the other: each switches the server's WAL and waits for the segment.
    for (const each of repository.repositories)
      stanzas.push(this.#declareSidecar(name, args, repository, each, [granted, ...stanzas]));
    this.sidecars = repository.repositories.map((each, at) => ({
      ...each,
      container: stanzas[at]?.container ?? pulumi.output(""),
    }));
    const [first] = stanzas;
    if (first === undefined) throw new Error("Backups need a repository.");
    this.container = first.container;
    this.registerOutputs({ container: this.container });
  }

  #declareSidecar(
    name: string,
    args: BackupsArgs,
    repository: BackupRepository,
    each: DeclaredRepository,
    dependsOn: pulumi.Resource[],
  ): BackupStanza {
    const { server, archiveTimeout } = args;
    const { place } = server;
    const suffix = each.index === 1 ? "" : `-${each.index}`;
    const container = this.#declareContainer(`${name}-container${suffix}`, args, repository, each);
    new ContainerLimits(
      `${name}-limits${suffix}`,
      {
        dockerHost: place.dockerHost,
        container: container.name,
        containerId: container.id,
        processes: sidecarProcesses.backups,
      },
      { parent: this },
    );
    return new BackupStanza(
      `${name}-stanza${suffix}`,
      {
        dockerHost: place.dockerHost,
        container: container.name,
        containerId: container.id,
        server: server.container,
        serverId: server.running.containerId,
        revision: server.revision,
        timeoutSeconds: archiveTimeout,
      },
      { parent: this, dependsOn },
    );
  }

  #declareContainer(
    name: string,
    { server, full, incremental, dumps }: BackupsArgs,
    { network }: BackupRepository,
    { index, isRemote, volume }: DeclaredRepository,
  ): docker.Container {
    const { place, image, volumes } = server;
    const named = place.named(sidecarRole(index));
    // One container makes them, whatever the number of repositories.
    const dumped = index === 1 ? dumps : undefined;
    return new docker.Container(
      name,
      {
        ...named,
        ...hardening(memory, "50m"),
        tmpfs: writableFolders,
        image,
        hostname: named.name,
        command: [
          "backup-scheduler",
          "run",
          full,
          incremental,
          ...(dumped === undefined ? [] : dumpSchedules(dumped.plan)),
        ],
        envs: [
          ...backupEnvironment(index),
          // Each backup is annotated with it.
          pulumi.interpolate`PGW_IMAGE=${image}`,
          ...(dumped === undefined ? [] : dumpsEnvironment({ ...dumped, stack: place.stack })),
        ],
        // With a repository in a volume, it needs only sockets and volumes.
        ...(isRemote && network !== undefined ? { networksAdvanced: [{ name: network }] } : { networkMode: "none" }),
        stopTimeout,
        destroyGraceSeconds: stopTimeout,
        // The image's own health check expects a server. Docker fills in omitted values from the image, and the
        // official plugin compares the result with the declaration.
        healthcheck: { tests: ["NONE"], ...imageHealthcheck },
        volumes: [
          { volumeName: volumes.data.name, containerPath: containerPaths.data, readOnly: true },
          { volumeName: volumes.config.name, containerPath: containerPaths.configuration, readOnly: true },
          { volumeName: volumes.run.name, containerPath: "/var/run/postgresql", readOnly: true },
          { volumeName: volume, containerPath: repositoryPath },
          { volumeName: this.metrics, containerPath: metricsPath },
          ...(dumped === undefined ? [] : [{ volumeName: this.#declareDumps(place), containerPath: dumpsPath }]),
        ],
      },
      {
        parent: this,
        provider: place.provider,
        deleteBeforeReplace: true,
        // The server must run and its files must exist before the container uses its socket.
        dependsOn: [server.running],
      },
    );
  }

  /** Declares the volume with scheduled dumps. It outlives the stack. */
  #declareDumps(place: DockerPlace): pulumi.Output<string> {
    const options = { parent: this, provider: place.provider, retainOnDelete: true };
    return new docker.Volume("backups-dumps", place.named("dumps"), options).name;
  }
}
