import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import type { BackupLocation } from "../../scripts/backup/location.ts";
import type { BackupObjectives, DrillPlan } from "../../scripts/model/drill-plan.ts";
import { parseDrill, parseObjectives } from "../../scripts/settings/drill-section.ts";
import { BackupDrill as BackupDrillComponent } from "../components/backup-drill.ts";
import type { DrillChecks } from "../plan/drill.ts";
import type { Backups } from "./backups.ts";
import { type DockerServer, requireContainer } from "./docker-server.ts";
import { type DrillChecksArgs, readDrillChecks } from "./drill-checks.ts";
import { separateProtect } from "./options.ts";
import { refuseArguments } from "./parsed.ts";
import { claim, requireSameServer } from "./server.ts";

/** Arguments of {@link BackupDrill}. */
export interface BackupDrillArgs {
  /** A server with `backups`. */
  server: DockerServer;
  /** Its backups, which the drills restore. */
  backups: Backups;
  /** Schedule of drills in cron's syntax, in UTC. Default: `0 3 1 * *`. */
  schedule?: string | undefined;
  /**
   * Age at which the last passed drill is overdue, a duration such as `45d`. {@link Monitoring} alerts then. Default:
   * two intervals of the schedule.
   */
  maxAge?: string | undefined;
  /** Longest allowed times, such as `1h` or `24h`. A drill that misses one has failed. Default: none. */
  objectives?:
    | {
        /** Time until a restored server accepts connections. */
        rto?: string | undefined;
        /** Age of the newest restored commit when the drill begins. */
        rpo?: string | undefined;
      }
    | undefined;
  /** Default: none. A drill always examines the tables and indexes, and reads every row. */
  checks?: DrillChecksArgs | undefined;
}

/**
 * Scheduled restore drills of a server's backups, in a container without a network. Each drill leaves signed evidence
 * in a volume. Deleting it ends the drills and keeps the evidence.
 */
export class BackupDrill extends BackupDrillComponent {
  readonly server: DockerServer;
  readonly backups: Backups;
  /** Age in seconds at which the last passed drill is overdue. */
  readonly maxAgeSeconds: number;
  /** Location of the backups with the plan of the drills, for `drillBackup` and `drillBackupIfDue` in `pgroundwork`. */
  readonly location: pulumi.Output<BackupLocation>;

  constructor(name: string, args: BackupDrillArgs, options?: pulumi.ComponentResourceOptions) {
    const { server, backups } = args;
    const component = `BackupDrill ${name}`;
    requireContainer(component, server);
    const { repository, resourceName } = server;
    if (repository === undefined)
      throw new RunError(
        `${component}: the server ${resourceName} archives no WAL, so nothing can be restored. Set its \`backups\` to true.`,
      );
    if (backups === undefined)
      throw new RunError(`${component}: \`backups\` is missing. Declare Backups of ${resourceName}, and pass them.`);
    requireSameServer(component, server, { backups });
    const { plan, objectives, checks } = planOf(component, args);
    claim(server, "BackupDrill");
    super(
      name,
      { server, metrics: backups.metrics, backups: backups.container, plan, objectives, checks },
      separateProtect(options).rest,
    );
    this.server = server;
    this.backups = backups;
    this.maxAgeSeconds = plan.maxAgeSeconds;
    this.location = pulumi
      .all([backups.location, this.container])
      .apply(([location, drillContainer]) => ({ ...location, drillContainer, drill: plan, objectives }));
  }
}

/** Parsed arguments of drills. */
interface ParsedDrill {
  plan: DrillPlan;
  objectives: BackupObjectives;
  checks: DrillChecks;
}

/** @throws RunError that lists every wrong argument */
function planOf(component: string, { schedule, maxAge, objectives: allowed, ...args }: BackupDrillArgs): ParsedDrill {
  const { checks, faults } = readDrillChecks(args.checks ?? {});
  const report = (path: readonly PropertyKey[], message: string) => faults.push({ path: path.map(String), message });
  // Here, the settings of the section `drill` are arguments.
  const plan = parseDrill({ schedule, maxAge }, ([, ...path], message) => report(path, message));
  const objectives = parseObjectives(allowed, report) ?? {};
  if (plan === undefined || faults.length > 0) refuseArguments(component, faults);
  return { plan, objectives, checks };
}
