import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { lastLogLines } from "../docker/container-log.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { SocketError } from "../docker/server/query.ts";
import { isRunning } from "../docker/server/running.ts";
import { type Archiver, readArchiver } from "./archive.ts";
import { beginBackup } from "./create.ts";
import { archiveCommandError, BackupError, diagnose } from "./diagnosis.ts";
import type { BackupFinding } from "./findings.ts";
import { readRepository } from "./info.ts";
import { pgBackRest } from "./pgbackrest.ts";
import { findInScan, readScan } from "./scan.ts";
import { paths } from "./stack-backups.ts";

/** Containers that take part in the backups of a server. */
export interface BackupPlace {
  /** Name of the container that makes backups. */
  container: string;
  /** Name of the server's container. */
  server: string;
}

/** Number of lines of the server's log that are searched for errors of the archive command. */
const logLines = 200;

/**
 * Looks for a problem of WAL archiving without changing anything. It reports a stopped backup container, an unusable
 * repository, and a failed last attempt to archive. A server that does not answer is not reported.
 */
export async function findArchiveFault(
  docker: Docker,
  { container, server }: BackupPlace,
): Promise<string | undefined> {
  if (!(await isRunning(docker, container))) return `the backup container ${container} is not running`;
  const { fault } = await readRepository(docker, container);
  if (fault !== undefined) return fault.message;
  return (await archiveFailure(docker, server))?.message;
}

/** Returns the findings of the last scan of the repository, read in the backup container. */
export async function findInLastScan(docker: Docker, { container }: BackupPlace): Promise<BackupFinding[]> {
  return findInScan(await readScan(docker, container), new Date());
}

/** Time in seconds after which an archive command that has not ended counts as hanging. */
const longestIdleSeconds = 300;

/**
 * Explains why WAL is not archived: another archive command, one that hangs, or a failed last attempt. Returns
 * undefined if WAL is archived, or if the server does not answer.
 */
export async function archiveFailure(docker: Docker, server: string): Promise<BackupError | undefined> {
  const archiver = await readArchiverIfUp(docker, server);
  return archiver && explainArchiver(docker, server, archiver);
}

/** Reads how a server archives. Returns undefined if it does not answer. */
export async function readArchiverIfUp(docker: Docker, server: string): Promise<Archiver | undefined> {
  if (!(await isRunning(docker, server))) return undefined;
  return readArchiver(docker, server).catch((error: unknown) => {
    if (error instanceof SocketError) return undefined;
    throw error;
  });
}

/** Explains why a server does not archive. Returns undefined if it does, or if archiving is off. */
export async function explainArchiver(
  docker: Docker,
  server: string,
  { state, command, idleSeconds }: Archiver,
): Promise<BackupError | undefined> {
  const { lastFailedSegment, lastFailedAt, waiting } = state;
  if (state.mode === "off") return undefined;
  if (!/\bpgbackrest\b.*\barchive-push\b/.test(command)) return otherCommand(command);
  if (!state.failing) return hanging(idleSeconds, waiting);
  const cause = archiveCommandError(await lastLogLines(docker, server, logLines));
  const segments = waiting === 1 ? "1 segment is waiting" : `${waiting} segments are waiting`;
  const when = lastFailedAt === null ? "" : `, last at ${new Date(lastFailedAt).toISOString()}`;
  return new BackupError(
    `WAL archiving is failing at ${lastFailedSegment}${when}; ${segments}. ${cause?.message ?? "See the server's log."}`,
    cause?.hint === undefined ? {} : { hint: cause.hint },
  );
}

function otherCommand(command: string): BackupError {
  const found = command === "" ? "archive_command is empty" : "archive_command does not call pgBackRest";
  return new BackupError(`No WAL reaches the repository: ${found}.`, {
    hint: "As superuser: `alter system reset archive_command; select pg_reload_conf();`, then `npm run up`.",
  });
}

function hanging(idleSeconds: number | null, waiting: number): BackupError | undefined {
  if (idleSeconds === null || idleSeconds < longestIdleSeconds) return undefined;
  return new BackupError(
    `WAL archiving has made no progress for ${idleSeconds} s; segments that wait: ${waiting}. The archive command hangs.`,
    { hint: "See the server's log, and check the disk of the repository." },
  );
}

/**
 * Creates the repository if it does not exist. Then it switches to the next WAL segment and waits until the previous
 * one is archived. If there is no backup, it starts the first one and does not wait for it. Archived WAL can only be
 * restored on top of a backup.
 *
 * @param seconds how long a segment may take
 * @returns true if a first backup was started
 * @throws OperationError with the reason if no segment is archived
 */
export async function settleArchive(docker: Docker, place: BackupPlace, seconds: number): Promise<boolean> {
  const { container, server } = place;
  await start(docker, container);
  await pgBackRest(docker, container, ["stanza-create"]);
  await archiveHistory(docker, container);
  try {
    await pgBackRest(docker, container, ["check", `--archive-timeout=${seconds}`]);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    // The server knows more about a missing segment than the process that waits for it.
    throw (await archiveFailure(docker, server)) ?? error;
  }
  const { backups, underWay } = await readRepository(docker, container);
  if (backups.length > 0 || underWay) return false;
  await beginBackup(docker, container, "full");
  return true;
}

/**
 * Archives the history of the server's timeline. The server archived it when the timeline began, which may have been
 * into another repository, and no restore can follow a timeline without its history.
 */
async function archiveHistory(docker: Docker, container: string): Promise<void> {
  // The newest one. A timeline's history has the earlier ones of the server in it.
  const script = `for file in $(ls ${paths.data}/pg_wal | grep '\\.history$' | tail -n 1); do
    pgbackrest --no-archive-async archive-push ${paths.data}/pg_wal/$file || exit; done`;
  const { code, stdout, stderr } = await runInContainer(docker, container, { command: ["sh", "-c", script] });
  if (code !== 0) throw diagnose(code, `${stdout}\n${stderr}`);
}

async function start(docker: Docker, container: string): Promise<void> {
  const { State, RestartCount } = await docker.getContainer(container).inspect();
  if (State.Restarting || (State.Running && RestartCount > 2))
    throw new OperationError(
      `The container ${container} exits soon after each start: ${await lastLogLines(docker, container, 5)}`,
    );
  if (!State.Running) await docker.getContainer(container).start();
}
