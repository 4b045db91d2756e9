import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { dumpStatements } from "../scripts/backup/dump/statements.ts";
import { OperationError } from "../scripts/core/operation-error.ts";
import { databaseFolder } from "../scripts/databases/database-file.ts";
import type { WithJobs } from "../scripts/model/cron.ts";
import { dumpMaxAge } from "../scripts/model/dump-plan.ts";
import { backupIntervals } from "../scripts/model/schedule.ts";
import type { BackupsOutput, EvidenceOutput, MonitoringOutput, PoolerOutput } from "../scripts/model/stack-outputs.ts";
import type { BackupPlan } from "../scripts/settings/backups-section.ts";
import type { Settings } from "../scripts/settings/settings.ts";
import { readCheckFiles } from "../scripts/validate/check-files.ts";
import type { Existing } from "./components/checks/existing-objects.ts";
import type { DockerServer } from "./components/docker-server.ts";
import type { PooledDatabase } from "./components/pooler.ts";
import type { Login } from "./components/server.ts";
import type { ServerRoles } from "./components/server-roles.ts";
import { repositoryFile } from "./plan/backups.ts";
import { containerSettings } from "./plan/container.ts";
import { type DrillChecks, drillCheck } from "./plan/drill.ts";
import { dumpPlanOf } from "./plan/dumps.ts";
import { type PoolerSize, planPoolerSize } from "./plan/pooler.ts";

/** The project directory. */
const root = fileURLToPath(new URL("..", import.meta.url));

type DockerSettings = Extract<Settings, { server: "docker" }>;

/** Outputs as the program declares them: values are known now, or only after the run. */
export type Declared<T> = [T] extends [string | number | boolean | undefined]
  ? pulumi.Input<T>
  : T extends readonly (infer Each)[]
    ? pulumi.Output<T> | readonly Declared<Each>[]
    : { readonly [Name in keyof T]: Declared<T[Name]> };

/** Stack outputs of the sidecars. */
export interface SidecarOutputs {
  monitoring?: Declared<MonitoringOutput>;
  backups?: Declared<BackupsOutput>;
  pooler?: Declared<PoolerOutput>;
  /** Logins of sidecars that the server's own roles do not include. A restore in place sets their passwords. */
  logins?: Record<string, Login>;
}

/** Objects that the sidecars of a server use. */
export interface DeclaredObjects {
  roles: ServerRoles;
  existing: Existing;
  databases: readonly PooledDatabase[];
}

/**
 * Makes sure that the engine has the images of others that the sidecars need. `up` pulls them, and a preview only asks
 * their registry.
 *
 * @throws OperationError if one cannot be pulled
 */
export async function requireImages({ monitoring, dockerHost }: DockerSettings): Promise<void> {
  if (monitoring?.grafana !== true) return;
  const { withDocker } = await import("../scripts/docker/client.ts");
  const { requireImage } = await import("../scripts/docker/image.ts");
  const setting = "monitoring.grafanaImage, or set monitoring.grafana to false";
  await withDocker(dockerHost, (docker) =>
    requireImage(docker, monitoring.grafanaImage, setting, pulumi.runtime.isDryRun()),
  );
}

/** Declares the containers that a server's settings ask for next to it: monitoring, backups, drills, the pooler. */
export async function declareSidecars(
  settings: DockerSettings,
  server: DockerServer,
  objects: DeclaredObjects,
  { databases, planned }: { databases: readonly WithJobs[]; planned: Readonly<Record<string, string>> },
): Promise<SidecarOutputs> {
  const { roles } = objects;
  const names = databases.map(({ name }) => name);
  const { metrics, ...backups } = await backedUp(settings, server, roles, names);
  const declared = databases.flatMap((database) => database.jobs).length;
  // One more deletes the records of runs.
  const jobs = declared === 0 ? 0 : declared + 1;
  return {
    ...(await monitored(settings, server, roles, { textfiles: metrics, jobs, databases: names })),
    ...backups,
    ...(await pooled(settings, server, objects, planned)),
  };
}

async function monitored(
  { monitoring, backups, pooler, readyTimeout, baseImage, passwordVersion }: DockerSettings,
  server: DockerServer,
  roles: ServerRoles,
  given: { textfiles: pulumi.Output<string> | undefined; jobs: number; databases: readonly string[] },
): Promise<SidecarOutputs> {
  if (monitoring === undefined) return {};
  const { Monitoring } = await import("./components/monitoring.ts");
  const { place, network, caCertificate, dataVolume: data, repository, volumes } = server;
  const { textfiles, jobs, databases } = given;
  const { health: hasHealth, healthPort: port, healthLimits: limits, ...others } = monitoring;
  const { grafana: hasGrafana, grafanaImage, grafanaPort, ...plan } = others;
  const { prometheus, alertmanager, health, grafana } = new Monitoring("monitoring", {
    ...{ place, baseImage, network, caCertificate, readyTimeout, textfiles, jobs },
    ...{ login: roles.logins.monitor, roles: [...roles.roles, roles.monitoring] },
    volumes: { data, ...(repository === undefined ? {} : { backup: repository.volume }) },
    log: volumes.log.name,
    backupIntervals: backups && backupIntervals(backups),
    pooler: pooler !== undefined,
    drillMaxAge: backups?.drill?.maxAgeSeconds,
    dumpMaxAge: backups?.dumps && dumpMaxAge(backups.dumps),
    health: hasHealth
      ? { databases, port, repositories: repository?.repositories.length ?? 0, passwordVersion, limits }
      : undefined,
    grafana: hasGrafana ? { image: grafanaImage, port: grafanaPort } : undefined,
    ...plan,
  });
  return {
    monitoring: {
      prometheus,
      ...(alertmanager === undefined ? {} : { alertmanager }),
      ...(health === undefined ? {} : { health }),
      ...(grafana === undefined ? {} : { grafana }),
    },
  };
}

async function pooled(
  settings: DockerSettings,
  server: DockerServer,
  { roles, existing, databases }: DeclaredObjects,
  planned: Readonly<Record<string, string>>,
): Promise<SidecarOutputs> {
  const { pooler, monitoring, bindAddress, readyTimeout, baseImage, passwordVersion } = settings;
  if (pooler === undefined) return {};
  const { Pooler } = await import("./components/pooler.ts");
  const { port, container, login } = new Pooler("pooler", {
    ...{ server, existing, databases, bindAddress, readyTimeout, baseImage, passwordVersion },
    postgresAccess: roles.postgresAccess,
    ...poolerSize({ ...containerSettings, ...planned }, databases.length, pooler),
    port: pooler.port,
    protect: settings.protected,
    monitored: monitoring !== undefined,
  });
  return { pooler: { port, container }, logins: { [login.user]: login } };
}

/** @throws OperationError if the server does not have the connections */
function poolerSize(...plan: Parameters<typeof planPoolerSize>): PoolerSize {
  try {
    return planPoolerSize(...plan);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OperationError(`The setting pooler does not fit the server: ${error.message}.`, {
      hint: "Increase pgroundwork:maxConnections, or reduce poolSize in pgroundwork:pooler.",
    });
  }
}

/** Limit for archiving one WAL segment into the repository, in seconds. */
const archiveTimeout = 60;

/** @returns `metrics`: a volume with the backup metrics that Prometheus reads */
async function backedUp(
  { backups }: DockerSettings,
  server: DockerServer,
  { roles }: ServerRoles,
  databases: readonly string[],
): Promise<SidecarOutputs & { metrics?: pulumi.Output<string> }> {
  if (backups === undefined || server.repository === undefined) return {};
  const { Backups } = await import("./components/backups.ts");
  const { full, incremental, drill, objectives } = backups;
  const { repository } = server;
  const { passphrase, network, generation } = repository;
  const dumps = dumpPlanOf(backups.dumps);
  const { metrics, container, sidecars } = new Backups("backups", {
    ...{ server, roles, full, incremental, archiveTimeout },
    dumps: dumps && { plan: dumps, databases, statements: dumpStatements() },
  });
  const { data, config, run } = server.volumes;
  const outputs = sidecars.map(({ container, volume, isRemote, index, retentionDays }) => ({
    container,
    image: server.image,
    volumes: { repository: volume, data: data.name, configuration: config.name, run: run.name },
    schedule: { full, incremental },
    retentionDays,
    // Outputs of a stack with the default repository have none of these.
    ...(index === 1 ? {} : { configurationFile: repositoryFile(index) }),
    ...(isRemote && network !== undefined ? { network } : {}),
    ...(generation === 1 ? {} : { former: repository.formerOf(index) }),
  }));
  const [first, second] = outputs;
  if (first === undefined) throw new Error("Backups need a repository.");
  const planned = {
    ...(generation === 1 ? {} : { generation, formerPassphrases: repository.formerPassphrases() }),
    ...(dumps === undefined ? {} : { dumps }),
    ...(drill === undefined ? {} : { drill }),
    ...(objectives === undefined ? {} : { objectives }),
  };
  const drills = drill?.sidecar === true ? await drilled(server, backups, { metrics, container }, databases) : {};
  return {
    metrics,
    backups: { ...first, passphrase, ...(second === undefined ? {} : { second }), ...planned, ...drills },
  };
}

/** Declares the container that runs restore drills. */
async function drilled(
  server: DockerServer,
  { drill, objectives = {} }: BackupPlan,
  { metrics, container: backups }: { metrics: pulumi.Output<string>; container: pulumi.Output<string> },
  databases: readonly string[],
): Promise<{ evidence?: Declared<EvidenceOutput> }> {
  if (drill === undefined) return {};
  const { BackupDrill } = await import("./components/backup-drill.ts");
  const checks = drill.checks ? await drillChecks(databases) : {};
  const { container, publicKey, number, hash } = new BackupDrill("drill", {
    ...{ server, metrics, backups, objectives, checks },
    plan: drill,
  });
  return { evidence: { container, publicKey, number, hash } };
}

/** Reads the check files of databases. */
async function drillChecks(databases: readonly string[]): Promise<DrillChecks> {
  const read = databases.map(async (name) => {
    const files = await readCheckFiles(databaseFolder(join(root, "migrations"), name));
    return [name, files.map(drillCheck)] as const;
  });
  return Object.fromEntries((await Promise.all(read)).filter(([, checks]) => checks.length > 0));
}
