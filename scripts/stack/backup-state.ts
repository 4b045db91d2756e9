import type Docker from "dockerode";
import type { ReadDrillRecord } from "../backup/drill/state.ts";
import type { BackupFinding } from "../backup/findings.ts";
import type { Backup, BackupType } from "../backup/info.ts";
import { ageInSeconds } from "../core/age.ts";
import { OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";
import { isRunning } from "../docker/server/running.ts";
import type { DrillPlan } from "../model/drill-plan.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";

/** A complete backup. Times in ISO 8601. */
export interface LastBackup {
  label: string;
  type: BackupType;
  finishedAt: string;
  ageSeconds: number;
}

/** State of a stack's backups, or the reason why it is not known. */
export type BackupState =
  | {
      known: true;
      /** The newest complete backup, and the newest full one. */
      last: LastBackup | null;
      lastFull: LastBackup | null;
      /** End of the oldest backup: nothing before it can be restored. `backup window` proves what can. ISO 8601. */
      restorableFrom: string | null;
      /** Last time at which WAL was archived; null if the server did not say. ISO 8601. */
      lastArchivedAt: string | null;
      /** Last runs of a backup type that failed and that no later backup made up for. */
      failedRuns: { type: BackupType; startedAt: string; exitCode: number | null }[];
      /** True while a backup is being made. */
      underWay: boolean;
      /** Problems, and checks that gave no answer. `backup list` scans the repository now. */
      findings: BackupFinding[];
    }
  | { known: false; reason: string };

/**
 * Reads the last backup of a server, and the problems that can be read in a moment: in the list of backups, in WAL
 * archiving, and those that the last scan of the repository found. Returns null if the server makes no backups.
 */
export async function readBackupState(server: ServerOutput, now: Date): Promise<BackupState | null> {
  if (server.kind !== "docker" || server.backups === undefined) return null;
  const { container, schedule, dumps, drill: plan, evidence, second } = server.backups;
  try {
    return await withDocker(server.dockerHost, async (docker): Promise<BackupState> => {
      // A temporary container could read the repository, too, but starting one takes long and is not only reading.
      if (!(await isRunning(docker, container)))
        return { known: false, reason: `the container ${container} does not run` };
      const { readRepository } = await import("../backup/info.ts");
      const { readLastRuns } = await import("../backup/list.ts");
      const { explainArchiver, findInLastScan, readArchiverIfUp } = await import("../backup/stanza.ts");
      const { failedRuns, findInBackups } = await import("../backup/findings.ts");
      const { findInLag, readLastLag } = await import("../backup/archive-lag.ts");
      const { findInScheduledDumps } = await import("../backup/dump/scheduled-state.ts");
      const { backupIntervals } = await import("../model/schedule.ts");
      const { backups, underWay, fault } = await readRepository(docker, container);
      if (fault !== undefined) return { known: false, reason: fault.message };
      const newest = backups.at(-1);
      const intervals = backupIntervals(schedule);
      const gaps = intervals && { full: intervals.full, any: intervals.incr };
      const lastRuns = await readLastRuns(docker, container);
      const archiver = await readArchiverIfUp(docker, server.container);
      const failure = archiver && (await explainArchiver(docker, server.container, archiver));
      const findings: BackupFinding[] = [
        ...findInBackups({ backups, underWay, gaps, lastRuns, now }),
        ...(failure === undefined ? [] : [{ level: "wrong" as const, text: failure.message }]),
        // The first scan follows the first backup.
        ...(newest === undefined ? [] : await findInLastScan(docker, { container, server: server.container })),
        ...findInLag(await readLastLag(docker, container, now), now, second && 1),
        ...(second === undefined ? [] : findInLag(await readLastLag(docker, second.container, now), now, 2)),
        ...(dumps === undefined ? [] : await findInScheduledDumps(docker, container, dumps, now)),
        ...(plan === undefined
          ? []
          : await findInDrills(docker, { container, drillContainer: evidence?.container }, plan, now)),
      ];
      const summary = (backup: Backup | undefined): LastBackup | null =>
        backup === undefined
          ? null
          : {
              label: backup.label,
              type: backup.type,
              finishedAt: backup.finishedAt,
              ageSeconds: Math.round(ageInSeconds(backup.finishedAt, now)),
            };
      const archivedAt = archiver?.state.lastArchivedAt ?? null;
      return {
        known: true,
        last: summary(newest),
        lastFull: summary(backups.findLast(({ type }) => type === "full")),
        restorableFrom: backups[0]?.finishedAt ?? null,
        lastArchivedAt: archivedAt === null ? null : new Date(archivedAt).toISOString(),
        failedRuns: (underWay ? [] : failedRuns(lastRuns, backups, now)).map(({ type, started, exitCode }) => ({
          type,
          startedAt: new Date(started * 1_000).toISOString(),
          exitCode,
        })),
        underWay,
        findings,
      };
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}

/** Returns a finding if no restore drill is current. */
async function findInDrills(
  docker: Docker,
  { container, drillContainer }: { container: string; drillContainer: string | undefined },
  plan: DrillPlan,
  now: Date,
): Promise<BackupFinding[]> {
  const { readDrills } = await import("../backup/drill/record.ts");
  const { judgeDrills } = await import("../backup/drill/state.ts");
  const read = async (): Promise<ReadDrillRecord> => {
    try {
      return { record: await readDrills(docker, container, drillContainer) };
    } catch (error) {
      if (error instanceof OperationError) return { unreadable: error.message };
      throw error;
    }
  };
  const { state, text } = judgeDrills(await read(), plan, now);
  if (state === "current") return [];
  const level = state === "failed" || state === "overdue" ? "wrong" : "unknown";
  return [{ level, text, hint: "Run a drill: `npm run pgw -- backup drill`." }];
}
