import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { executeInContainer } from "../docker/server/query.ts";
import { isRunning } from "../docker/server/running.ts";
import { diagnose } from "./diagnosis.ts";
import { readRepository } from "./info.ts";
import { pgBackRest } from "./pgbackrest.ts";
import type { StackBackups } from "./stack-backups.ts";

/**
 * Creates a restore point that can be restored: the repository has a backup before it, and the archive has its WAL.
 *
 * @param name letters, digits and underscores
 * @throws OperationError if the restore point could not be restored
 */
export async function createRestorePoint(
  docker: Docker,
  { server, container }: Pick<StackBackups, "server" | "container">,
  name: string,
): Promise<void> {
  await requireBackup(docker, container);
  await executeInContainer(docker, server, `select pg_create_restore_point('${name}')`);
  // It waits until the segment that has the restore point is in the archive.
  await pgBackRest(docker, container, ["check"]);
}

/**
 * Requires a backup, without which a restore point is of no use.
 *
 * @param container container that makes the backups
 */
export async function requireBackup(docker: Docker, container: string): Promise<void> {
  if (!(await isRunning(docker, container)))
    throw new OperationError(`The backup container ${container} is not running.`, {
      hint: "Run `up`, which starts it.",
    });
  const { backups, fault } = await readRepository(docker, container);
  if (fault !== undefined) throw fault;
  if (backups.length === 0) throw diagnose(75, "");
}
