import type Docker from "dockerode";
import { runInContainer } from "../docker/run-in-container.ts";
import { diagnose } from "./diagnosis.ts";
import { type Backup, type BackupType, readRepository } from "./info.ts";

/**
 * Makes a backup, after any other that is under way, and waits for its end.
 *
 * @returns the new backup; pgBackRest makes a full one where there is none to build on
 * @throws OperationError saying why it was not made
 */
export async function createBackup(docker: Docker, container: string, type: BackupType): Promise<Backup> {
  const before = new Set((await readRepository(docker, container)).backups.map(({ label }) => label));
  const { code, stdout, stderr } = await runInContainer(docker, container, {
    command: ["backup-job", type],
    user: "postgres",
  });
  if (code !== 0) throw diagnose(code, `${stdout}\n${stderr}`);
  const [, label] = /new backup label = (\S+)/.exec(stdout) ?? [];
  const { backups } = await readRepository(docker, container);
  const made = backups.find((backup) => (label === undefined ? !before.has(backup.label) : backup.label === label));
  if (made === undefined) throw diagnose(code, "P00 ERROR: it says that it made a backup, and the repository has none");
  return made;
}

/** Has a container make a backup and does not wait; its log says what becomes of it. */
export async function beginBackup(docker: Docker, container: string, type: BackupType): Promise<void> {
  const exec = await docker.getContainer(container).exec({
    Cmd: ["sh", "-c", `exec backup-job ${type} >/proc/1/fd/1 2>&1`],
    User: "postgres",
  });
  await exec.start({ Detach: true });
}
