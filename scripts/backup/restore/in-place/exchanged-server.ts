import type Docker from "dockerode";
import { OperationError } from "../../../core/operation-error.ts";
import { poll } from "../../../core/poll.ts";
import { executeInContainer, queryInContainer } from "../../../docker/server/query.ts";
import { isRunning, startContainer } from "../../../docker/server/running.ts";
import { waitForServer } from "../../../docker/server/wait.ts";
import { undoRestoreCommand } from "../../../model/command-lines.ts";
import { createBackup } from "../../create.ts";
import { type Backup, readRepository } from "../../info.ts";
import type { StackBackups } from "../../stack-backups.ts";
import { parseSegment } from "../../wal.ts";
import { containerServer } from "../contents.ts";
import { restoreAccess } from "./access.ts";
import { temporarySettings } from "./cluster-volume.ts";
import type { InPlaceRequest, StartRequest } from "./in-place-request.ts";
import { findDifferences, passwordsOf, type StackDifferences, setPasswords } from "./logins.ts";

/*
 * The server while its cluster is exchanged: it stops, starts on the other cluster, and is backed up.
 */

/** Seconds that the server may take to shut down. It archives its last segment then. */
const stopSeconds = 600;

/**
 * Stops the server, so that its cluster can be exchanged.
 *
 * @throws OperationError if it did not stop
 */
export async function stopServer(docker: Docker, { server }: StackBackups, { onStep }: InPlaceRequest): Promise<void> {
  onStep("stopping the server");
  const container = docker.getContainer(server);
  if (await isRunning(docker, server)) await container.stop({ t: stopSeconds });
  const { State } = await container.inspect();
  if (!State.Running && !State.Restarting) return;
  throw new OperationError(`The container ${server} did not stop.`, {
    hint: "Nothing was changed. Stop it with `docker stop`, then run again.",
  });
}

/** Starts the stopped server again if some work on its volume fails. */
export async function startAgainIfFailed(
  docker: Docker,
  { server }: StackBackups,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    await startContainer(docker, server).catch(() => {});
    throw error;
  }
}

/** Starts the server on the exchanged cluster with the stack's passwords, roles and privileges, and accepts clients. */
export async function bringBack(docker: Docker, stack: StackBackups, request: StartRequest): Promise<StackDifferences> {
  try {
    const access = await request.declaredAccess();
    const passwords = passwordsOf(request.outputs, access);
    const differences = await startExchanged(docker, stack, request, passwords);
    const { server } = stack;
    await restoreAccess(containerServer(docker, server), access, (database, reason) =>
      request.onNote(
        `Privileges in the database ${database} could not be set: ${reason} \`refresh\`, then \`up\`, set them.`,
      ),
    );
    if (differences.missingRoles.length === 0) return differences;
    return { ...differences, missingRoles: await setPasswords(docker, server, passwords) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new OperationError(error.message, {
      hint: `The clusters are exchanged. \`${undoRestoreCommand(stack.owner.stack)}\` returns to the former one, if this was no undo.`,
      cause: error,
    });
  }
}

async function startExchanged(
  docker: Docker,
  { server }: StackBackups,
  request: StartRequest,
  passwords: ReadonlyMap<string, string>,
): Promise<StackDifferences> {
  request.onStep("starting the server");
  // From here on, an interruption would only leave the work half done.
  const { signal } = new AbortController();
  await startContainer(docker, server);
  await waitForServer(docker, server, request.startSeconds, signal);
  await untilPromoted(docker, server, request.startSeconds);
  const missing = await setPasswords(docker, server, passwords);
  const resets = temporarySettings.map((name) => `alter system reset ${name};`);
  await executeInContainer(docker, server, [...resets, "select pg_reload_conf();"].join("\n"));
  return findDifferences(docker, server, request.outputs, missing);
}

async function untilPromoted(docker: Docker, server: string, seconds: number): Promise<void> {
  const query = "select pg_is_in_recovery() as recovering";
  const attempt = async () => {
    const [found] = await queryInContainer<{ recovering: boolean }>(docker, server, query);
    return found?.recovering === false ? true : undefined;
  };
  await poll(attempt, {
    intervalMs: 200,
    timeoutMs: seconds * 1_000,
    timedOut: () =>
      new OperationError(`The server did not end its recovery within ${seconds} s.`, {
        hint: "See its log: `npm run pgw -- logs`. It runs on the exchanged cluster.",
      }),
  });
}

/**
 * Makes a full backup if the newest one is of another timeline than the server: the default restore would begin with
 * that, and could not reach the present.
 *
 * @throws OperationError if the backup fails
 */
export async function requireBackupOfTimeline(
  docker: Docker,
  stack: StackBackups,
  request: InPlaceRequest,
): Promise<void> {
  const query =
    "select timeline_id::int as timeline from pg_split_walfile_name(pg_walfile_name(pg_current_wal_insert_lsn()))";
  const [found] = await queryInContainer<{ timeline: number }>(docker, stack.server, query);
  const { backups } = await readRepository(docker, stack.container);
  const newest = backups.at(-1);
  if (newest !== undefined && parseSegment(newest.wal.to).timeline === found?.timeline) return;
  const made = await backUp(docker, stack, request);
  if ("label" in made) return;
  throw new OperationError(`There is no backup of the restored cluster, and none could be made: ${made.failed}`, {
    hint: "The former cluster was not removed. Make one, then run again: `npm run pgw -- backup create --type full`.",
  });
}

/** Makes a full backup, because restores of the new timeline should not depend on an earlier one. */
export async function backUp(
  docker: Docker,
  { container }: StackBackups,
  { onStep }: InPlaceRequest,
): Promise<Backup | { failed: string }> {
  onStep("making a full backup");
  try {
    return await createBackup(docker, container, "full");
  } catch (error) {
    if (error instanceof OperationError) return { failed: error.message };
    throw error;
  }
}
