import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { lastLogLines } from "../../docker/container-log.ts";
import { unlessMissing } from "../../docker/docker-error.ts";
import { withScratchContainer } from "../../docker/scratch-container.ts";
import { holderLabel } from "../../docker/scratch-holder.ts";
import { isRunning } from "../../docker/server/running.ts";
import { labelsOf } from "../../model/labels.ts";
import { BackupError, diagnose, UnusableBackup } from "../diagnosis.ts";
import type { Backup, BackupOrigin } from "../info.ts";
import { pgBackRest } from "../pgbackrest.ts";
import { measureNotArchived, type NotArchived } from "../server-wal.ts";
import { paths, repositoryOptions, type StackBackups } from "../stack-backups.ts";
import { endOfSegment, formatLsn, parseLsn } from "../wal.ts";
import { type WalReader, withWalReader } from "../window/wal-reader.ts";
import { markText, unfinishedMark } from "./begun-restore.ts";
import { findArchiveEnd, findIncompleteness } from "./completeness.ts";
import type { ClusterContents } from "./contents.ts";
import {
  describePoint,
  findPointSource,
  findUnreadPart,
  goalOf,
  type PointSource,
  type RestoredPoint,
} from "./point.ts";
import type { Recovery } from "./recovery.ts";
import type { RequestedPoint, RestorePlace, RestoreRequest } from "./request.ts";
import { type ProvenCluster, proveCluster, type RecoveryGoal, specOf } from "./scratch-server.ts";
import { findSource, type RestoreSource } from "./source.ts";
import { requireSpace } from "./space.ts";
import { tablespaceOptions, tablespacesNextToLive } from "./tablespaces.ts";

/** A position in the WAL. */
export interface Position {
  lsn: string;
  timeline: number;
}

/** Image of a backup, compared with the one of the server that read it. */
export interface ComparedImage extends Pick<BackupOrigin, "image" | "postgres"> {
  /** null: the backup does not have it. */
  isSame: boolean | null;
}

/** Result of a restore. */
export interface Restored extends ClusterContents {
  /** Label of the restored backup. */
  backup: string;
  /** Position at which recovery ended. */
  reached: Position & { lastCommitAt: string | null };
  /** Position at which recovery should end: the end of the archive, or of the named backup. */
  expected: Position;
  /** Reason rows may be missing that the archive should hold. Omitted if recovery got as far as expected. */
  incompleteReason?: string;
  /** WAL that is on the server but not in the archive. Omitted if a backup or a point in time was named. */
  notArchived?: NotArchived;
  /** Omitted if no point in time was named. */
  point?: RestoredPoint;
  madeWith: ComparedImage;
}

/** Result of a restore without what does not depend on the restored cluster. */
type Judged = Omit<Restored, "madeWith">;

/**
 * Restores a cluster separately from the stack and verifies it. A server of the same image starts on it, without a
 * network, and reads every row of every table. The stack's data is not changed. The restored cluster is shut down
 * cleanly, and WAL archiving is off.
 *
 * @throws OperationError if it cannot be restored, or the destination is not empty
 */
export async function restoreBackup(docker: Docker, stack: StackBackups, request: RestoreRequest): Promise<Restored> {
  return restoreAt(docker, stack, request, undefined);
}

/** @param place undefined for a new volume */
async function restoreAt(
  docker: Docker,
  stack: StackBackups,
  request: RestoreRequest,
  place: RestorePlace | undefined,
): Promise<Restored> {
  const { backup: label, point, onStep } = request;
  if (point !== undefined) return restorePoint(docker, stack, request, point, place);
  const source = await findSource(docker, stack, label, () => archiveRest(docker, stack, onStep));
  return restoreFrom(docker, stack, request, place, source, (proven) =>
    label === undefined ? judgeLatest(source, proven) : judgeBackup(source, proven),
  );
}

/**
 * Restores and verifies a cluster as {@link restoreBackup} does, in a new folder of the volume of the stack's own
 * cluster, which is not changed and can be in use. If it fails, the folder stays.
 *
 * @param data the new data directory, in containers that mount the volume
 */
export async function restoreNextToLive(
  docker: Docker,
  stack: StackBackups,
  request: Omit<RestoreRequest, "to">,
  data: string,
): Promise<Restored> {
  const to = { kind: "volume", name: stack.volumes.data } as const;
  return restoreAt(
    docker,
    stack,
    { ...request, to },
    { volume: stack.volumes.data, data, nextToLive: true, becomesLive: true },
  );
}

/**
 * Restores and verifies a cluster as {@link restoreBackup} does, in the empty volume of the stack's own cluster. If it
 * fails, a mark in the volume says that the cluster is not complete.
 */
export async function restoreIntoEmpty(
  docker: Docker,
  stack: StackBackups,
  request: Omit<RestoreRequest, "to">,
): Promise<Restored> {
  const to = { kind: "volume", name: stack.volumes.data } as const;
  const place = { volume: stack.volumes.data, data: paths.data, nextToLive: false, becomesLive: true };
  if (request.point !== undefined) {
    // pgBackRest reads WAL only for a cluster with the same identity, which every backup has. The restore of the point
    // continues in the same folder, and keeps the files that are the same.
    const source = await findSource(docker, stack, undefined, async () => "the machine is lost", "any backup");
    request.onStep(`restoring ${source.backup.label}, to find the target`);
    await restoreFiles(docker, stack, place, source, { ...request, to });
  }
  return restoreAt(docker, stack, { ...request, to }, place);
}

/** Restores a point in time. The target is found in the WAL before anything is created. */
async function restorePoint(
  docker: Docker,
  stack: StackBackups,
  request: RestoreRequest,
  point: RequestedPoint,
  place: RestorePlace | undefined,
): Promise<Restored> {
  return withWalReader(docker, stack, async (reader) => {
    request.onStep("looking for the target");
    const source = await findPointSource(docker, stack, reader, point, () =>
      archiveRest(docker, stack, request.onStep),
    );
    return restoreFrom(
      docker,
      stack,
      request,
      place,
      source,
      (proven) => judgePoint(source, proven, reader),
      goalOf(source, reader),
    );
  });
}

async function restoreFrom(
  docker: Docker,
  stack: StackBackups,
  request: RestoreRequest,
  place: RestorePlace | undefined,
  source: Pick<RestoreSource, "backup" | "tablespaces" | "cluster">,
  judge: (proven: ProvenCluster) => Judged | Promise<Judged>,
  goal?: RecoveryGoal,
): Promise<Restored> {
  const madeWith = compareImage(source.backup, stack.image);
  if (place !== undefined)
    return { ...(await judge(await restoreTo(docker, stack, place, source, request, goal))), madeWith };
  const volume = await makeVolume(docker, stack, request);
  let isKept = false;
  try {
    const own = { volume, data: paths.data, nextToLive: false, becomesLive: false };
    const proven = await restoreTo(docker, stack, own, source, request, goal);
    isKept = request.to.kind === "volume";
    return { ...(await judge(proven)), madeWith };
  } finally {
    if (!isKept) await docker.getVolume(volume).remove({ force: true });
  }
}

async function restoreTo(
  docker: Docker,
  stack: StackBackups,
  place: RestorePlace,
  source: Pick<RestoreSource, "backup" | "tablespaces" | "cluster">,
  request: RestoreRequest,
  goal: RecoveryGoal | undefined,
): Promise<ProvenCluster> {
  request.signal.throwIfAborted();
  if (place.nextToLive && source.tablespaces.length > 0)
    throw tablespacesNextToLive(`The backup ${source.backup.label} has tablespaces`);
  await request.accept?.(source);
  if (place.nextToLive) await requireSpace(docker, stack.server, source.backup.size, "a second cluster");
  request.onStep(`restoring ${source.backup.label}`);
  await restoreFiles(docker, stack, place, source, request);
  const proven = await proveCluster(docker, stack, place, request, goal);
  if (!("earlier" in proven)) return proven;
  request.onStep("restoring again, to just before a DROP DATABASE that had not committed");
  await restoreFiles(docker, stack, { ...place, isBegun: true }, source, request);
  const again = await proveCluster(docker, stack, place, request, proven.earlier, proven.locations);
  if ("earlier" in again) throw new Error("A goal before a DROP DATABASE has no earlier one.");
  return again;
}

/** Makes the server archive the rest of its WAL. Returns the reason if it could not. */
async function archiveRest(
  docker: Docker,
  stack: StackBackups,
  onStep: (step: string) => void,
): Promise<string | undefined> {
  if (stack.formerGeneration !== undefined) return "a former generation of the repository gets no more WAL";
  if (!(await isRunning(docker, stack.server))) return "the server is not running";
  if (!(await isRunning(docker, stack.container))) return `the container ${stack.container} is not running`;
  onStep("archiving the remaining WAL");
  try {
    await pgBackRest(docker, stack.container, ["check"]);
    return undefined;
  } catch (error) {
    if (error instanceof BackupError) return error.message;
    throw error;
  }
}

function judgeLatest(
  { backup, archive, server }: RestoreSource,
  { recovery, foundGoal: _, ...contents }: ProvenCluster,
): Judged {
  const archivedByServer = server.archived;
  const facts = { archive, firstSegment: backup.wal.from, archivedByServer, recovery };
  const expected = findArchiveEnd(facts);
  const incompleteReason = findIncompleteness(facts);
  return {
    backup: backup.label,
    ...contents,
    reached: reachedBy(recovery),
    expected: { lsn: formatLsn(expected.lsn), timeline: expected.timeline },
    ...(incompleteReason === undefined ? {} : { incompleteReason }),
    notArchived: measureNotArchived(server, expected),
  };
}

/** Judges a restore of a named backup. It is complete at the backup's own end, without the WAL archived later. */
function judgeBackup({ backup }: RestoreSource, { recovery, foundGoal: _, ...contents }: ProvenCluster): Judged {
  const reached = reachedBy(recovery);
  const { timeline } = endOfSegment(backup.wal.to, recovery.segmentBytes);
  const isShort = parseLsn(reached.lsn) < parseLsn(backup.lsn.to);
  return {
    backup: backup.label,
    ...contents,
    reached,
    expected: { lsn: backup.lsn.to, timeline },
    ...(isShort
      ? { incompleteReason: `recovery ended at ${reached.lsn}, but the backup ends at ${backup.lsn.to}` }
      : {}),
  };
}

/** Judges a restore of a point in time, and reads which commit is the last one before the end of recovery. */
async function judgePoint(
  { backup, chosen, facts }: PointSource,
  { recovery, foundGoal, ...contents }: ProvenCluster,
  reader: WalReader,
): Promise<Judged> {
  const reached = reachedBy(recovery);
  const end = parseLsn(reached.lsn);
  const incompleteReason = foundGoal ? undefined : findUnreadPart(backup, chosen, facts, recovery);
  const expected = foundGoal || incompleteReason === undefined ? end : chosen.part.to;
  return {
    backup: backup.label,
    ...contents,
    reached,
    expected: { lsn: formatLsn(expected), timeline: reached.timeline },
    ...(incompleteReason === undefined ? {} : { incompleteReason }),
    point: await describePoint(chosen, facts, end, reader),
  };
}

function compareImage({ origin: { image, postgres } }: Backup, own: string): ComparedImage {
  return { image, postgres, isSame: image === null ? null : image === own };
}

function reachedBy({ timelines, lastCommitAt }: Recovery): Restored["reached"] {
  const { end = 0n, timeline = 0 } = timelines.at(-1) ?? {};
  return { lsn: formatLsn(end), timeline, lastCommitAt };
}

async function makeVolume(docker: Docker, { owner }: StackBackups, { to, holder }: RestoreRequest): Promise<string> {
  const role = to.kind === "volume" ? "restored" : "scratch";
  const name =
    to.kind === "volume" ? to.name : `${owner.project}-${owner.stack}-restore-${randomBytes(4).toString("hex")}`;
  if ((await unlessMissing(docker.getVolume(name).inspect())) !== undefined) {
    throw new OperationError(`The volume ${name} already exists.`, {
      hint: "Name a volume that does not exist: a restore does not overwrite anything.",
      exitCode: exitCode.usage,
    });
  }
  await docker.createVolume({ Name: name, Labels: { ...labelsOf({ ...owner, role }), [holderLabel]: holder } });
  return name;
}

async function restoreFiles(
  docker: Docker,
  stack: StackBackups,
  { volume, data, nextToLive, becomesLive, isBegun = becomesLive && !nextToLive }: RestorePlace & { isBegun?: boolean },
  { backup: { label }, tablespaces }: Pick<RestoreSource, "backup" | "tablespaces">,
  request: RestoreRequest,
): Promise<void> {
  const asItWas = request.backup !== undefined;
  // A backup on a timeline that was abandoned later is restored on its own timeline.
  const target = asItWas
    ? ["--type=immediate", "--recovery-option=recovery_target_timeline=current", "--target-action=promote"]
    : [];
  const options = repositoryOptions(stack).split(" ");
  const given = [
    "--archive-mode=off",
    ...(isBegun ? ["--delta"] : []),
    "--log-level-console=info",
    `--set=${label}`,
    `--pg1-path=${data}`,
    ...tablespaceOptions(tablespaces),
    ...target,
  ];
  const restore = ["pgbackrest", ...options, ...given, "restore"];
  const mark = nextToLive ? `${data}.mark` : `${paths.cluster}/${unfinishedMark}`;
  const script = 'set -e; mkdir -p -m 0700 "$1"; printf %s "$3" >"$2"; shift 3; exec "$@"';
  const command = ["sh", "-c", script, "restore", data, mark, markText(request.holder), ...restore];
  await withScratchContainer(docker, specOf(stack, volume, command), async (container) => {
    await container.start();
    const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
    if (code === 0) return;
    const failure = diagnose(code, await lastLogLines(docker, container.id, 100));
    const { message, hint } = failure;
    const Kind = failure instanceof UnusableBackup ? UnusableBackup : BackupError;
    throw new Kind(`Cannot restore the backup ${label}. ${message}`, {
      hint: hint ?? "Restore another backup with --backup. `npm run pgw -- backup list` shows which can be restored.",
    });
  });
}
