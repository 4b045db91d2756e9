import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { lastLogLines } from "../docker/container-log.ts";
import { isMissing } from "../docker/docker-error.ts";
import { OperationError } from "../errors/operation-error.ts";
import { queryInContainer, SocketError } from "./query.ts";

const clock = "select extract(epoch from clock_timestamp())::float8 * 1000 as now";

const between = 200;
/** Lines of the container's log that are shown where it does not come up. */
const shownLines = 15;

/**
 * Waits until the server in a container answers SQL on its socket.
 *
 * @param seconds how long at most
 * @returns when it answered, by the clock of the engine's machine, and whether it did so when first asked: it may have been ready long before then
 * @throws OperationError with the end of its log, where it ends, starts over and over, or does not answer in time
 */
export async function waitForServer(
  docker: Docker,
  container: string,
  seconds: number,
  signal: AbortSignal,
): Promise<{ answeredAt: number; atOnce: boolean }> {
  const deadline = performance.now() + seconds * 1_000;
  for (let said = "", atOnce = true; ; atOnce = false) {
    signal.throwIfAborted();
    const { State: state, RestartCount: restarts } = await inspect(docker, container);
    if (!state.Running && !state.Restarting)
      throw await neverCame(docker, container, `has ended with ${state.ExitCode}`);
    if (restarts > 2)
      throw await neverCame(docker, container, `ends soon after each start, last with ${state.ExitCode}`);
    try {
      if (state.Running) {
        const [{ now } = { now: Number.NaN }] = await queryInContainer<{ now: number }>(docker, container, clock);
        return { answeredAt: now, atOnce };
      }
    } catch (error) {
      if (!(error instanceof SocketError) && !isGoneMeanwhile(error)) throw error;
      said = error instanceof Error ? error.message : said;
    }
    if (performance.now() > deadline)
      throw await neverCame(docker, container, `does not answer within ${seconds} s (${said})`);
    await sleep(between, undefined, { signal });
  }
}

async function inspect(docker: Docker, container: string): Promise<Docker.ContainerInspectInfo> {
  try {
    return await docker.getContainer(container).inspect();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OperationError(`The container ${container} is gone.`, { remedy: "Run `npm run up` again." });
  }
}

/** Docker refuses to run a command in a container that is about to end or to restart. */
function isGoneMeanwhile(error: unknown): boolean {
  return error instanceof Error && /is not running|is restarting|is paused/.test(error.message);
}

async function neverCame(docker: Docker, container: string, how: string): Promise<OperationError> {
  const log = await lastLogLines(docker, container, shownLines);
  const end = log === "" ? "" : ` The end of its log:\n${log.replaceAll(/^/gm, "  ")}`;
  return new OperationError(`The server in the container ${container} ${how}.${end}`);
}
