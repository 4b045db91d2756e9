import type Docker from "dockerode";
import { runInContainer } from "../docker/run-in-container.ts";
import { diagnose } from "./diagnosis.ts";
import { type Backup, type BackupOrigin, type BackupType, readRepository } from "./info.ts";

/** Requester of a backup, and the state of the project directory. */
export type BackupRequester = Pick<BackupOrigin, "commit" | "isModified" | "user">;

/**
 * Makes a backup and waits until it is done. If another backup is under way, this one starts after it.
 *
 * @param requester recorded with the backup
 * @returns the new backup; pgBackRest makes a full one if there is none to build on
 * @throws OperationError with the reason if no backup was made
 */
export async function createBackup(
  docker: Docker,
  container: string,
  type: BackupType,
  requester?: BackupRequester,
): Promise<Backup> {
  const before = new Set((await readRepository(docker, container)).backups.map(({ label }) => label));
  const { code, stdout, stderr } = await runInContainer(docker, container, {
    command: ["backup-job", type],
    user: "postgres",
    environment: requester === undefined ? {} : environmentOf(requester),
  });
  if (code !== 0) throw diagnose(code, `${stdout}\n${stderr}`);
  const [, label] = /new backup label = (\S+)/.exec(stdout) ?? [];
  const { backups } = await readRepository(docker, container);
  const made = backups.find((backup) => (label === undefined ? !before.has(backup.label) : backup.label === label));
  if (made === undefined) throw diagnose(code, "P00 ERROR: pgBackRest reported a backup, but the repository has none");
  return made;
}

/** Returns the variables that `backup-job` of the image reads. */
function environmentOf({ commit, isModified, user }: BackupRequester): Record<string, string> {
  return {
    ...(commit === null ? {} : { PGW_COMMIT: commit, PGW_MODIFIED: String(isModified) }),
    ...(user === null ? {} : { PGW_USER: user }),
  };
}

/** Starts a backup in a container and does not wait for it. The result goes to the log of the container. */
export async function beginBackup(docker: Docker, container: string, type: BackupType): Promise<void> {
  const exec = await docker.getContainer(container).exec({
    Cmd: ["sh", "-c", `exec backup-job ${type} >/proc/1/fd/1 2>&1`],
    User: "postgres",
  });
  await exec.start({ Detach: true });
}
