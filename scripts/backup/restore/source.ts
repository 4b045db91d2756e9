import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isRunning } from "../../docker/server/running.ts";
import { type ArchiveNames, readArchiveNames } from "../archive-names.ts";
import { diagnose, UnusableBackup } from "../diagnosis.ts";
import { type BackedUpCluster, type Backup, readDetails, readRepository } from "../info.ts";
import { askServerWal, readServerWal, type ServerWal } from "../server-wal.ts";
import { type StackBackups, withRepository } from "../stack-backups.ts";
import { parseSegment } from "../wal.ts";
import { readHistory } from "../window/repository-state.ts";
import { leadsTo, open } from "../window/timelines.ts";

/** Source of a restore, read before the restore begins. */
export interface RestoreSource {
  backup: Backup;
  archive: ArchiveNames;
  server: ServerWal;
  /** OIDs of the tablespaces in the backup. */
  tablespaces: number[];
  cluster: BackedUpCluster;
}

/**
 * Finds the backup to restore and the content of the archive, and refuses a backup that cannot be restored.
 *
 * @param label omit for everything archived, from the newest backup that leads to the newest timeline
 * @param archiveRest makes the server archive the rest of its WAL; returns the reason if it could not
 * @param needs `any backup` if the newest one will do, wherever it leads
 * @throws OperationError if there is no such backup, or its own WAL is missing, or a former generation of the
 *   repository has no target
 */
export async function findSource(
  docker: Docker,
  stack: StackBackups,
  label: string | undefined,
  archiveRest: () => Promise<string | undefined>,
  needs: "any backup" | "the present" = "the present",
): Promise<RestoreSource> {
  if (stack.formerGeneration !== undefined && label === undefined) throw notTheNewest(stack.formerGeneration);
  const sidecarRuns = await isRunning(docker, stack.container);
  return withRepository(docker, stack, sidecarRuns, async (container) => {
    const { backup: named, backups } = await findBackup(docker, container, label);
    const failure = label === undefined ? await archiveRest() : undefined;
    // Read before the archive is listed, so that everything the server had archived must be in the list.
    const server = (await isRunning(docker, stack.server))
      ? await askServerWal(docker, stack.server)
      : await readServerWal(docker, container);
    if (failure !== undefined && "unknown" in server.written) server.written.unknown += ` (${failure})`;
    const archive = await readArchiveNames(docker, container, named.archiveId);
    const isPresent = label === undefined && needs === "the present";
    const backup = isPresent ? await newestToPresent(docker, container, backups, archive) : named;
    requireOwnWal(backup, archive);
    const { tablespaces, cluster } = await readDetails(docker, container, backup.label);
    return { backup, archive, server, tablespaces, cluster };
  });
}

function notTheNewest(generation: number): OperationError {
  return new OperationError(`Generation ${generation} of the repository does not have the newest state.`, {
    hint:
      "Name a target in it with --backup or --time, or omit --generation. " +
      "`npm run pgw -- backup window` shows which moments each generation has.",
    exitCode: exitCode.usage,
  });
}

async function findBackup(
  docker: Docker,
  container: string,
  label: string | undefined,
): Promise<{ backup: Backup; backups: Backup[] }> {
  const { backups, fault } = await readRepository(docker, container);
  if (fault !== undefined) throw fault;
  const found = label === undefined ? backups.at(-1) : backups.find((backup) => backup.label === label);
  if (found !== undefined) return { backup: found, backups };
  if (label === undefined || backups.length === 0) throw diagnose(75, "");
  throw new OperationError(`The repository has no backup with the label "${label}".`, {
    hint: `It has: ${backups.map((backup) => backup.label).join(", ")}.`,
    exitCode: exitCode.usage,
  });
}

/**
 * Finds the newest backup from which a recovery can follow the newest timeline of the archive. If the history of that
 * timeline cannot be read, it is the newest backup: the restore is reported as incomplete then.
 *
 * @throws UnusableBackup if there is none, as after a restore in place that was killed before its backup
 */
async function newestToPresent(
  docker: Docker,
  container: string,
  backups: readonly Backup[],
  archive: ArchiveNames,
): Promise<Backup> {
  const newest = backups.at(-1);
  if (newest === undefined) throw diagnose(75, "");
  const timeline = newestTimeline(archive);
  if (parseSegment(newest.wal.to).timeline === timeline || !archive.histories.includes(timeline)) return newest;
  const before = await readHistory(docker, container, newest.archiveId, timeline);
  if (before === undefined) return newest;
  const path = [...before, { timeline, end: open }];
  const found = backups.findLast((backup) => backup.archiveId === newest.archiveId && leadsTo(path, backup));
  if (found !== undefined) return found;
  throw new UnusableBackup(
    `No backup leads to timeline ${timeline}, the newest in the archive. The server continued on it after a restore.`,
    {
      hint:
        "Make a backup of the present: `npm run pgw -- backup create --type full`. For a moment before that restore, " +
        "name a backup with --backup, or a --time: `npm run pgw -- backup window` shows them.",
    },
  );
}

function newestTimeline({ segments, histories }: ArchiveNames): number {
  let newest = Math.max(1, ...histories);
  for (const name of segments) newest = Math.max(newest, parseSegment(name).timeline);
  return newest;
}

/** Requires the first and last segment of a backup, because recovery needs both to reach a consistent state. */
function requireOwnWal({ label, wal }: Backup, { segments }: ArchiveNames): void {
  const missing = [wal.from, wal.to].find((name) => !segments.has(name));
  if (missing === undefined) return;
  throw new UnusableBackup(
    `Cannot restore the backup ${label}: it needs the WAL segment ${missing}, which is missing from the archive.`,
    { hint: "Restore another backup with --backup. `npm run pgw -- backup list` shows them." },
  );
}
