import * as docker from "@pulumi/docker";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { backupEnvironment, backupFunctions, metricsPath, repositoryPath } from "../plan/backups.ts";
import { containerPaths, imageHealthcheck, writableFolders } from "../plan/container.ts";
import { sidecarProcesses } from "../plan/container-limits.ts";
import { BackupStanza } from "../provider/sdk/backups.ts";
import { ContainerLimits } from "../provider/sdk/containers.ts";
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
}

/** Memory of the backup container, in MB. pgBackRest compresses in two processes. */
const memory = 512;

/** Time that pgBackRest has to stop cleanly, in seconds. */
const stopTimeout = 60;

/**
 * Scheduled backups of a server: grants for the backup role, the container that makes the backups, and the check that
 * WAL archiving works.
 */
export class Backups extends pulumi.ComponentResource {
  readonly container: pulumi.Output<string>;
  /** A volume with the backup metrics for Prometheus, as text. */
  readonly metrics: pulumi.Output<string>;

  constructor(name: string, args: BackupsArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:Backups", name, {}, options);
    const { server, roles, archiveTimeout } = args;
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
    const { place } = server;
    const metrics = new docker.Volume(`${name}-metrics`, place.named("backup-metrics"), {
      parent: this,
      provider: place.provider,
    });
    this.metrics = metrics.name;
    const container = this.#declareContainer(name, args);
    new ContainerLimits(
      `${name}-limits`,
      {
        dockerHost: place.dockerHost,
        container: container.name,
        containerId: container.id,
        processes: sidecarProcesses.backups,
      },
      { parent: this },
    );
    const stanza = new BackupStanza(
      `${name}-stanza`,
      {
        dockerHost: server.place.dockerHost,
        container: container.name,
        containerId: container.id,
        server: server.container,
        serverId: server.running.containerId,
        revision: server.revision,
        timeoutSeconds: archiveTimeout,
      },
      { parent: this, dependsOn: [granted] },
    );
    this.container = stanza.container;
    this.registerOutputs({ container: this.container });
  }

  #declareContainer(name: string, { server, full, incremental }: BackupsArgs): docker.Container {
    const { place, image, repository, volumes } = server;
    if (repository === undefined) throw new Error("A server without a repository has no backups.");
    const named = place.named("backup");
    return new docker.Container(
      `${name}-container`,
      {
        ...named,
        ...hardening(memory, "50m"),
        tmpfs: writableFolders,
        image,
        hostname: named.name,
        command: ["backup-scheduler", "run", full, incremental],
        envs: [...backupEnvironment],
        // It needs only sockets and volumes.
        networkMode: "none",
        stopTimeout,
        destroyGraceSeconds: stopTimeout,
        // The image's own health check expects a server. Docker fills in omitted values from the image, and the
        // official plugin compares the result with the declaration.
        healthcheck: { tests: ["NONE"], ...imageHealthcheck },
        volumes: [
          { volumeName: volumes.data.name, containerPath: containerPaths.data, readOnly: true },
          { volumeName: volumes.config.name, containerPath: containerPaths.configuration, readOnly: true },
          { volumeName: volumes.run.name, containerPath: "/var/run/postgresql", readOnly: true },
          { volumeName: repository.volume, containerPath: repositoryPath },
          { volumeName: this.metrics, containerPath: metricsPath },
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
}
