import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { BackupObjectives, DrillPlan } from "../../scripts/model/drill-plan.ts";
import { backupEnvironment, metricsPath, repositoryPath } from "../plan/backups.ts";
import { containerPaths, imageHealthcheck } from "../plan/container.ts";
import { sidecarProcesses } from "../plan/container-limits.ts";
import { type DrillChecks, drillFiles, drillPaths, drillPlanText, writableDrillFolders } from "../plan/drill.ts";
import { DrillEvidence, EvidenceKey } from "../provider/sdk/backups.ts";
import { ContainerLimits, VolumeFiles } from "../provider/sdk/containers.ts";
import type { DockerServer } from "./docker-server.ts";
import { hardening } from "./hardening.ts";

export interface BackupDrillArgs {
  server: DockerServer;
  /** Volume with the metrics for Prometheus, as text. */
  metrics: pulumi.Input<string>;
  /** The repository exists once this is known. */
  backups: pulumi.Input<string>;
  plan: Pick<DrillPlan, "schedule">;
  objectives: BackupObjectives;
  /** Queries that must return no row, by database. */
  checks: DrillChecks;
}

/** Memory of the container, in MB: a server with small buffers, and pgBackRest in two processes. */
const memory = 1024;

/** CPU time relative to the other containers, if they need it: half of Docker's default. */
const cpuShares = 512;

/** Time that a running drill has to end its server and to remove the copy, in seconds. */
const stopTimeout = 60;

/**
 * Scheduled restore drills in a container of its own. It reads the repository and the configuration, and has no
 * network, no Docker socket, and no access to the server. The signed evidence is in a volume of its own, which outlives
 * the stack.
 */
export class BackupDrill extends pulumi.ComponentResource {
  readonly container: pulumi.Output<string>;
  /** Public key of the evidence, PEM. */
  readonly publicKey: pulumi.Output<string>;
  /** Number and hash of the newest evidence. The number is 0 if there is none. */
  readonly number: pulumi.Output<number>;
  readonly hash: pulumi.Output<string>;

  constructor(name: string, args: BackupDrillArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:BackupDrill", name, {}, options);
    const { server } = args;
    const { place } = server;
    const { dockerHost } = place;
    const declare = (role: string, more: pulumi.CustomResourceOptions = {}) =>
      new docker.Volume(`${name}-${role}`, place.named(`drill-${role}`), {
        parent: this,
        provider: place.provider,
        ...more,
      });
    const volumes = {
      config: declare("config"),
      // The copy is in it only while a drill runs.
      run: declare("run"),
      evidence: declare("evidence", { retainOnDelete: true }),
    };
    const key = new EvidenceKey(`${name}-key`, {}, { parent: this });
    const files = this.#declareFiles(name, args, volumes.config, key);
    const container = this.#declareContainer(name, args, { ...volumes, config: files.volume });
    const of = { dockerHost, container: container.name, containerId: container.id };
    new ContainerLimits(`${name}-limits`, { ...of, processes: sidecarProcesses.drill }, { parent: this });
    const evidence = new DrillEvidence(`${name}-newest`, { ...of, publicKey: key.publicKey }, { parent: this });
    this.container = container.name;
    this.publicKey = key.publicKey;
    this.number = evidence.number;
    this.hash = evidence.hash;
    this.registerOutputs({ container: this.container });
  }

  /** Declares the files of the container. It reads them again at each drill, so that a change needs no restart. */
  #declareFiles(name: string, args: BackupDrillArgs, config: docker.Volume, key: EvidenceKey): VolumeFiles {
    const { server, objectives, checks } = args;
    const { place, image, repository } = server;
    if (repository === undefined) throw new Error("A server without a repository has no drills.");
    const { project, stack, dockerHost } = place;
    const plan = repository.volume.apply((volume) =>
      drillPlanText({ project, stack, repository: volume, objectives, checks }),
    );
    const files = pulumi.secret({ [drillFiles.plan]: plan, [drillFiles.key]: key.privateKey });
    return new VolumeFiles(`${name}-files`, { dockerHost, image, volume: config.name, files }, { parent: this });
  }

  #declareContainer(
    name: string,
    { server, metrics, backups, plan }: BackupDrillArgs,
    own: { config: pulumi.Output<string>; run: docker.Volume; evidence: docker.Volume },
  ): docker.Container {
    const { place, image, repository, volumes } = server;
    if (repository === undefined) throw new Error("A server without a repository has no drills.");
    const named = place.named("drill");
    return new docker.Container(
      `${name}-container`,
      {
        ...named,
        ...hardening(memory, "10m"),
        cpuShares,
        tmpfs: writableDrillFolders,
        image,
        hostname: named.name,
        command: ["backup-scheduler", "drill", plan.schedule],
        envs: [...backupEnvironment(1)],
        networkMode: "none",
        stopTimeout,
        destroyGraceSeconds: stopTimeout,
        // See the backup container.
        healthcheck: { tests: ["NONE"], ...imageHealthcheck },
        volumes: [
          { volumeName: volumes.config.name, containerPath: containerPaths.configuration, readOnly: true },
          // Until the stanza exists, there is nothing to restore.
          {
            volumeName: pulumi.all([repository.volume, backups]).apply(([volume]) => volume),
            containerPath: repositoryPath,
            readOnly: true,
          },
          { volumeName: own.config, containerPath: drillPaths.configuration, readOnly: true },
          { volumeName: own.run.name, containerPath: containerPaths.data },
          { volumeName: own.evidence.name, containerPath: drillPaths.evidence },
          { volumeName: metrics, containerPath: metricsPath },
        ],
      },
      { parent: this, provider: place.provider, deleteBeforeReplace: true },
    );
  }
}
