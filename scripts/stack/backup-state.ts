import type { Finding } from "../backup/findings.ts";
import type { BackupType } from "../backup/info.ts";
import { OperationError } from "../core/operation-error.ts";
import { withDocker } from "../docker/client.ts";
import { isRunning } from "../docker/server/running.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";

/** State of a stack's backups, or the reason why it is not known. */
export type BackupState =
  | {
      known: true;
      /** The newest complete backup. Times in ISO 8601. */
      last: { label: string; type: BackupType; finishedAt: string; ageSeconds: number } | null;
      /** True while a backup is being made. */
      underWay: boolean;
      /** Problems, and checks that gave no answer. `backup list` scans the repository now. */
      findings: Finding[];
    }
  | { known: false; reason: string };

/**
 * Reads the last backup of a server, and the problems that can be read in a moment: in the list of backups, in WAL
 * archiving, and those that the last scan of the repository found. Returns null if the server makes no backups.
 */
export async function readBackupState(server: ServerOutput, now: Date): Promise<BackupState | null> {
  if (server.kind !== "docker" || server.backups === undefined) return null;
  const { container, schedule } = server.backups;
  try {
    return await withDocker(server.dockerHost, async (docker): Promise<BackupState> => {
      // A temporary container could read the repository, too, but starting one takes long and is not only reading.
      if (!(await isRunning(docker, container)))
        return { known: false, reason: `the container ${container} does not run` };
      const { readRepository } = await import("../backup/info.ts");
      const { readLastRuns } = await import("../backup/list.ts");
      const { archiveFailure, findInLastScan } = await import("../backup/stanza.ts");
      const { ageInSeconds, findInBackups } = await import("../backup/findings.ts");
      const { backupIntervals } = await import("../model/schedule.ts");
      const { backups, underWay, fault } = await readRepository(docker, container);
      if (fault !== undefined) return { known: false, reason: fault.message };
      const newest = backups.at(-1);
      const intervals = backupIntervals(schedule);
      const gaps = intervals && { full: intervals.full, any: intervals.incr };
      const lastRuns = await readLastRuns(docker, container);
      const failure = await archiveFailure(docker, server.container);
      const findings: Finding[] = [
        ...findInBackups({ backups, underWay, gaps, lastRuns, now }),
        ...(failure === undefined ? [] : [{ level: "wrong" as const, text: failure.message }]),
        // The first scan follows the first backup.
        ...(newest === undefined ? [] : await findInLastScan(docker, { container, server: server.container })),
      ];
      const last =
        newest === undefined
          ? null
          : {
              label: newest.label,
              type: newest.type,
              finishedAt: newest.finishedAt,
              ageSeconds: Math.round(ageInSeconds(newest.finishedAt, now)),
            };
      return { known: true, last, underWay, findings };
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}
