import type Docker from "dockerode";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { isRunning } from "../../../docker/server/running.ts";
import { BackupError } from "../../diagnosis.ts";
import { type BackedUpCluster, type Backup, readRepository } from "../../info.ts";
import { pgBackRest } from "../../pgbackrest.ts";
import type { StackBackups } from "../../stack-backups.ts";
import { archiveFailure } from "../../stanza.ts";
import { type ClusterVolume, clusters } from "./cluster-volume.ts";

/*
 * What a restore in place requires before it restores anything. What fails only after the restore was confirmed would
 * cost the time of the whole restore, in an emergency.
 */

/**
 * Requires that a backup container runs and makes no backup.
 *
 * @throws OperationError (not allowed) if a backup is being made
 */
export async function requireNoBackup(docker: Docker, stack: StackBackups): Promise<void> {
  if (!(await isRunning(docker, stack.container))) {
    throw new OperationError(`The backup container ${stack.container} is not running.`, {
      hint: "Run `up`, which starts it. Nothing was changed.",
    });
  }
  const { underWay, fault } = await readRepository(docker, stack.container);
  if (fault !== undefined) throw fault;
  if (!underWay) return;
  throw new OperationError("A backup is being made, and would fail.", {
    hint: "Wait until it has ended (`npm run pgw -- backup list`), then run again. Nothing was changed.",
    exitCode: exitCode.notAllowed,
  });
}

/**
 * Requires that the server archives its WAL: its present is archived before the clusters are exchanged. A server that
 * does not run archives nothing, and is not required to.
 */
export async function requireArchiving(docker: Docker, { server, container }: StackBackups): Promise<void> {
  if (!(await isRunning(docker, server))) return;
  const failure =
    (await archiveFailure(docker, server)) ??
    (await pgBackRest(docker, container, ["check"]).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof BackupError) return error;
        throw error;
      },
    ));
  if (failure === undefined) return;
  throw new OperationError(`The present cannot be archived before the restore. ${failure.message}`, {
    hint: `Nothing was changed. ${failure.hint ?? "See `npm run pgw -- backup list`."}`,
  });
}

/**
 * Requires that a backup is one of the cluster that it will replace. The server cannot start on another major version,
 * and the archive refuses the WAL of another cluster.
 *
 * @throws OperationError (not allowed) if it is not
 */
export async function requireSameCluster(
  volume: ClusterVolume,
  { backup: { label }, cluster }: { backup: Pick<Backup, "label">; cluster: BackedUpCluster },
): Promise<void> {
  const live = await readCluster(volume);
  const found =
    cluster.version !== live.version
      ? `is of PostgreSQL ${cluster.version}, and the server is PostgreSQL ${live.version}`
      : cluster.systemIdentifier !== live.systemIdentifier
        ? `is of the cluster ${cluster.systemIdentifier}, and the server's is ${live.systemIdentifier}`
        : undefined;
  if (found === undefined) return;
  throw new OperationError(`The backup ${label} cannot take the place of the stack's cluster: it ${found}.`, {
    hint: "Nothing was changed. Restore it with --to or --to-volume, or one database of it with --only.",
    exitCode: exitCode.notAllowed,
  });
}

async function readCluster(volume: ClusterVolume): Promise<BackedUpCluster> {
  const text = await volume.run(`cat ${clusters}/data/PG_VERSION; LC_ALL=C pg_controldata ${clusters}/data`);
  const [version = ""] = text.split("\n");
  const [, systemIdentifier = ""] = /^Database system identifier: *(\d+)$/m.exec(text) ?? [];
  return { version: version.trim(), systemIdentifier };
}
