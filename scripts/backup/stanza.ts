import type Docker from "dockerode";
import { SocketError } from "../container/query.ts";
import { isRunning } from "../container/running.ts";
import { lastLogLines } from "../docker/container-log.ts";
import { OperationError } from "../errors/operation-error.ts";
import { readArchiver } from "./archive.ts";
import { beginBackup } from "./create.ts";
import { archiveCommandError, BackupError } from "./diagnosis.ts";
import { readRepository } from "./info.ts";
import { pgBackRest } from "./pgbackrest.ts";

/** The containers that backups of a server are made with. */
export interface BackupPlace {
  /** Name of the container that makes them. */
  container: string;
  /** Name of the server's. */
  server: string;
}

/** How much of a server's log is looked through for what the archive command said. */
const logLines = 200;

/**
 * What is wrong with a server's archive, as far as can be seen without doing anything: the container does not run, the repository cannot be used, the last attempt to
 * archive was a failure. A server that gives no answer is not blamed for its archive.
 */
export async function findArchiveFault(
  docker: Docker,
  { container, server }: BackupPlace,
): Promise<string | undefined> {
  if (!(await isRunning(docker, container))) return `the container ${container}, which makes backups, does not run`;
  const { fault } = await readRepository(docker, container);
  if (fault !== undefined) return fault.message;
  return (await archiveFailure(docker, server))?.message;
}

/** Why the last attempt to archive was a failure; undefined: it was none, or the server does not say. */
export async function archiveFailure(docker: Docker, server: string): Promise<BackupError | undefined> {
  if (!(await isRunning(docker, server))) return undefined;
  const state = await readArchiver(docker, server).catch((error: unknown) => {
    if (error instanceof SocketError) return undefined;
    throw error;
  });
  if (state === undefined || !state.failing) return undefined;
  const { lastFailedSegment, lastFailedAt, waiting } = state;
  const cause = archiveCommandError(await lastLogLines(docker, server, logLines));
  const segments = waiting === 1 ? "1 segment waits" : `${waiting} segments wait`;
  const when = lastFailedAt === null ? "" : `, last at ${new Date(lastFailedAt).toISOString()}`;
  return new BackupError(
    `Archiving fails at ${lastFailedSegment}${when}; ${segments}. ${cause?.message ?? "The server's log says why."}`,
    cause?.remedy === undefined ? {} : { remedy: cause.remedy },
  );
}

/**
 * Makes the repository where it is not there, switches to the next segment and waits until the one before has arrived. Where there is no backup yet, the first is
 * begun, and goes on by itself: what is archived can be restored only on top of one.
 *
 * @param seconds how long a segment may take
 * @returns whether a first backup was begun
 * @throws OperationError saying why nothing arrives
 */
export async function settleArchive(docker: Docker, place: BackupPlace, seconds: number): Promise<boolean> {
  const { container, server } = place;
  await start(docker, container);
  await pgBackRest(docker, container, ["stanza-create"]);
  try {
    await pgBackRest(docker, container, ["check", `--archive-timeout=${seconds}`]);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    // Of a segment that does not come, the server knows more than who waits for it.
    throw (await archiveFailure(docker, server)) ?? error;
  }
  const { backups, underWay } = await readRepository(docker, container);
  if (backups.length > 0 || underWay) return false;
  await beginBackup(docker, container, "full");
  return true;
}

async function start(docker: Docker, container: string): Promise<void> {
  const { State, RestartCount } = await docker.getContainer(container).inspect();
  if (State.Restarting || (State.Running && RestartCount > 2))
    throw new OperationError(
      `The container ${container} ends soon after each start: ${await lastLogLines(docker, container, 5)}`,
    );
  if (!State.Running) await docker.getContainer(container).start();
}
