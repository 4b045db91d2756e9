import * as docker from "@pulumi/docker";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { backupEnvironment, backupFunctions, metricsPath, repositoryPath } from "../plan/backups.ts";
import { containerPaths } from "../plan/container.ts";
import { BackupStanza } from "../provider/sdk.ts";
import { confinement } from "./confinement.ts";
import type { DockerServer } from "./docker-server.ts";

export interface BackupsArgs {
  server: DockerServer;
  /** The role `backup`, among others: what is granted to it waits for them. */
  roles: pulumi.Resource[];
  /** In cron's syntax, UTC. */
  full: string;
  incremental: string;
  /** How long archiving one segment may take, in seconds. */
  archiveTimeout: number;
}

/** Of the container that makes backups, in MB: pgBackRest compresses in two processes. */
const memory = 512;

/** How long pgBackRest is given to end in order, in seconds. */
const stopTimeout = 60;

/** Backups of a server on a schedule: what the role that makes them may call, the container that makes them, and the proof that archiving works. */
export class Backups extends pulumi.ComponentResource {
  readonly container: pulumi.Output<string>;
  /** A volume with what is told to Prometheus of them, as text. */
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
        ...confinement(memory, "50m"),
        image,
        hostname: named.name,
        command: ["backup-scheduler", "run", full, incremental],
        envs: [...backupEnvironment],
        // Sockets and volumes are all that it needs.
        networkMode: "none",
        stopTimeout,
        destroyGraceSeconds: stopTimeout,
        // The image's own asks for a server.
        healthcheck: { tests: ["NONE"] },
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
        // The socket of a server that runs, and files that are there.
        dependsOn: [server.running],
      },
    );
  }
}
