import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { poll } from "../../core/poll.ts";
import { lastLogLines } from "../container-log.ts";
import { isConflict, isMissing } from "../docker-error.ts";
import { runInContainer } from "../run-in-container.ts";

const pollIntervalMs = 200;
/** Number of log lines that an error shows. */
const shownLines = 10;

/**
 * Waits until a check passes: a command of the container's image that prints problems on stderr.
 *
 * @param seconds time limit
 * @throws OperationError with the last output of the check and the end of the container's log
 */
export async function waitForCheck(
  docker: Docker,
  container: string,
  check: readonly string[],
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  let said: string | undefined = "";
  const attempt = async () => {
    said = await runCheck(docker, container, check);
    return said === undefined ? true : undefined;
  };
  await poll(attempt, {
    intervalMs: pollIntervalMs,
    timeoutMs: seconds * 1_000,
    signal,
    timedOut: () => failure(docker, container, `was not ready within ${seconds} s`, said ?? ""),
  });
}

/**
 * Makes the process of a container read its files again.
 *
 * @param command the command for it, run in the container; undefined: the process reads them only at its start and is
 * restarted
 * @throws OperationError with the command's error output
 */
export async function reloadProcess(
  docker: Docker,
  container: string,
  command: readonly string[] | undefined,
): Promise<void> {
  if (command === undefined) {
    await docker.getContainer(container).restart();
    return;
  }
  const { code, stderr } = await runInContainer(docker, container, { command });
  if (code !== 0) throw new OperationError(`The container ${container} cannot read its new files:\n${stderr.trim()}`);
}

/** Returns the problem that the check reports, or undefined. */
async function runCheck(docker: Docker, container: string, command: readonly string[]): Promise<string | undefined> {
  try {
    const { code, stderr } = await runInContainer(docker, container, { command });
    return code === 0 ? undefined : stderr.trim() || `${command[0]} ended with ${code}`;
  } catch (error) {
    // Docker runs no command in a container that has ended or is about to restart.
    if (isConflict(error)) return "it is not running";
    if (isMissing(error))
      throw new OperationError(`The container ${container} is gone.`, { hint: "Run `npm run up` again." });
    throw error;
  }
}

async function failure(docker: Docker, container: string, how: string, said: string): Promise<OperationError> {
  const log = await lastLogLines(docker, container, shownLines);
  const end = log === "" ? "" : ` The end of its log:\n${log.replaceAll(/^/gm, "  ")}`;
  return new OperationError(`The container ${container} ${how}: ${said}.${end}`);
}
