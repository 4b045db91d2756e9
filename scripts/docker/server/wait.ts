import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { lastLogLines } from "../container-log.ts";
import { isMissing } from "../docker-error.ts";
import { fullVolumeOf } from "./disk-space.ts";
import { queryInContainer, SocketError } from "./query.ts";
import { startContainer } from "./running.ts";

const clock = "select extract(epoch from clock_timestamp())::float8 * 1000 as now";

const intervalMs = 200;
/** Number of log lines that an error shows. */
const shownLines = 15;
/** Number of restarts within one wait after which the server counts as one that cannot start. */
const mostRestarts = 2;

/**
 * Waits until the server in a container answers SQL on its socket.
 *
 * @param seconds time limit
 * @returns the time of the answer by the clock of the engine's machine. `isFirstAnswer` is true if it answered the
 * first query: it may have been ready long before.
 * @throws OperationError if the server ends, keeps restarting, or does not answer in time. It has the end of the log,
 * or the space of the volume if that is full
 */
export async function waitForServer(
  docker: Docker,
  container: string,
  seconds: number,
  signal: AbortSignal,
): Promise<{ answeredAt: number; isFirstAnswer: boolean }> {
  const deadline = performance.now() + seconds * 1_000;
  // A server that crashed and recovered long ago keeps its count.
  let before: number | undefined;
  let isStartedAgain = false;
  // Of a container that runs again, Docker says 0.
  let lastExit = "";
  for (let said = "", isFirstAnswer = true; ; isFirstAnswer = false) {
    signal.throwIfAborted();
    const { State: state, RestartCount: restarts } = await inspect(docker, container);
    before ??= restarts;
    if (state.Restarting) lastExit = `, last with exit code ${state.ExitCode}`;
    if (!state.Running && !state.Restarting)
      throw await neverCame(docker, container, `has ended with exit code ${state.ExitCode}`);
    // Docker's next attempt can be a minute away, and the files may have been corrected since the last one.
    if (state.Restarting && before > 0 && !isStartedAgain) {
      await startContainer(docker, container);
      [before, isStartedAgain] = [0, true];
      continue;
    }
    if (restarts - before > mostRestarts)
      throw await neverCame(docker, container, `exits soon after each start${lastExit}`);
    try {
      if (state.Running) {
        const [{ now } = { now: Number.NaN }] = await queryInContainer<{ now: number }>(docker, container, clock);
        return { answeredAt: now, isFirstAnswer };
      }
    } catch (error) {
      if (!(error instanceof SocketError) && !isGoneMeanwhile(error)) throw error;
      said = error instanceof Error ? error.message : said;
    }
    if (performance.now() > deadline)
      throw await neverCame(docker, container, `did not answer within ${seconds} s (${said})`);
    await sleep(intervalMs, undefined, { signal });
  }
}

async function inspect(docker: Docker, container: string): Promise<Docker.ContainerInspectInfo> {
  try {
    return await docker.getContainer(container).inspect();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OperationError(`The container ${container} is gone.`, { hint: "Run `npm run up` again." });
  }
}

/** Returns true if Docker refused to run a command because the container is about to end or to restart. */
function isGoneMeanwhile(error: unknown): boolean {
  return error instanceof Error && /is not running|is restarting|is paused/.test(error.message);
}

async function neverCame(docker: Docker, container: string, how: string): Promise<OperationError> {
  const log = await lastLogLines(docker, container, shownLines);
  const full = await fullVolumeOf(docker, container, log);
  if (full !== undefined) {
    const { reason, hint } = full;
    return new OperationError(`The server in the container ${container} ${how}: ${reason}.`, { hint });
  }
  const end = log === "" ? "" : ` The end of its log:\n${log.replaceAll(/^/gm, "  ")}`;
  return new OperationError(`The server in the container ${container} ${how}.${end}`);
}
