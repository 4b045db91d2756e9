import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { lastLogLines } from "../docker/container-log.ts";
import { isConflict, isMissing } from "../docker/docker-error.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { OperationError } from "../errors/operation-error.ts";

const between = 200;
/** Lines of the container's log that are shown where its process is not as it should be. */
const shownLines = 10;

/**
 * Waits until what runs in a container passes a check: a command of its image, which says on stderr what is wrong.
 *
 * @param seconds how long at most
 * @throws OperationError with what the check said last and the end of the container's log
 */
export async function waitForCheck(
  docker: Docker,
  container: string,
  check: readonly string[],
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    signal.throwIfAborted();
    const said = await runCheck(docker, container, check);
    if (said === undefined) return;
    if (performance.now() > deadline) throw await failure(docker, container, `is not ready within ${seconds} s`, said);
    await sleep(between, undefined, { signal });
  }
}

/**
 * Has the process of a container read its files again.
 *
 * @param command what makes it, run in the container; undefined: it reads them only when it starts, and is started again
 * @throws OperationError with what the command said
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

/** What is wrong; undefined: nothing. */
async function runCheck(docker: Docker, container: string, command: readonly string[]): Promise<string | undefined> {
  try {
    const { code, stderr } = await runInContainer(docker, container, { command });
    return code === 0 ? undefined : stderr.trim() || `${command[0]} ended with ${code}`;
  } catch (error) {
    // Docker runs no command in a container that has ended or is about to start again.
    if (isConflict(error)) return "it does not run";
    if (isMissing(error))
      throw new OperationError(`The container ${container} is gone.`, { remedy: "Run `npm run up` again." });
    throw error;
  }
}

async function failure(docker: Docker, container: string, how: string, said: string): Promise<OperationError> {
  const log = await lastLogLines(docker, container, shownLines);
  const end = log === "" ? "" : ` The end of its log:\n${log.replaceAll(/^/gm, "  ")}`;
  return new OperationError(`The container ${container} ${how}: ${said}.${end}`);
}
