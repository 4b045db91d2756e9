import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import { poll } from "../../../scripts/core/poll.ts";
import { fullVolumeOf } from "../../../scripts/docker/server/disk-space.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { count, flag, text } from "../property.ts";
import { lastLines } from "./container-log.ts";
import type { Engine } from "./engine.ts";
import { isOfSameStack } from "./labels.ts";
import { startFailure } from "./start-failure.ts";

/**
 * Minimum time to watch a container without a health check to wait for, in ms. A faulty command ends soon after its
 * start.
 */
const minWatchMs = 500;
const pollIntervalMs = 100;

/**
 * Starts a container if it should run, and waits as long as the program requests.
 *
 * @throws OperationError if a port is taken, the container ends at once (it is then removed), or it does not become
 * healthy
 */
export async function startContainer(engine: Engine, id: string, wanted: Properties): Promise<void> {
  if (wanted.start === false) return;
  const container = engine.docker.getContainer(id);
  const startedAt = performance.now();
  try {
    await container.start();
  } catch (error) {
    // 304: it already runs.
    if ((error as { statusCode?: number }).statusCode !== 304) {
      await discard(container);
      throw await startFailure(engine, text(wanted, "name"), error);
    }
  }
  if (flag(wanted, "wait")) await untilHealthy(engine, container, wanted);
  // A machine that starts a container slowly also reports its end slowly.
  else if (wanted.mustRun !== false)
    await staysUp(engine, container, wanted, Math.max(minWatchMs, 2 * (performance.now() - startedAt)));
}

async function staysUp(
  engine: Engine,
  container: Docker.Container,
  wanted: Properties,
  watchMs: number,
): Promise<void> {
  const end = performance.now() + watchMs;
  do {
    await sleep(pollIntervalMs, undefined, { signal: engine.signal });
    await stillRuns(engine, container, wanted);
  } while (performance.now() < end);
}

async function untilHealthy(engine: Engine, container: Docker.Container, wanted: Properties): Promise<void> {
  const { signal } = engine;
  const name = text(wanted, "name");
  const seconds = count(wanted, "waitTimeout") || 60;
  let health: Docker.ContainerInspectInfo["State"]["Health"] | undefined;
  const attempt = async () => {
    const { Health } = (await stillRuns(engine, container, wanted)).State;
    health = Health;
    if (Health === undefined || Health === null || Health.Status === "none") {
      await discard(container);
      throw new OperationError(`Container "${name}" has no healthcheck to wait for.`, {
        hint: "Define a healthcheck, use an image that has one, or remove wait.",
      });
    }
    return Health.Status === "healthy" ? true : undefined;
  };
  const timedOut = async () => {
    const said = health?.Log?.at(-1)?.Output.trim() || "nothing yet";
    const lines = await lastLines(container);
    // A container of this stack keeps running (a server may be recovering), and the next run adopts it. Any other
    // would block the next run.
    const isOurs = isOfSameStack(wanted, (await container.inspect()).Config.Labels);
    if (!isOurs) await discard(container);
    return new OperationError(
      `Container "${name}" did not become healthy within ${seconds} s (status: ${health?.Status}). Output of its healthcheck: ${said}${lines}`,
      {
        hint: isOurs
          ? "It keeps running. Run `up` again to wait longer, or increase waitTimeout."
          : "Increase waitTimeout.",
      },
    );
  };
  await poll(attempt, { intervalMs: pollIntervalMs, timeoutMs: seconds * 1_000, signal, timedOut });
}

/** Inspects a container that should run. If it has ended, removes it and throws. */
async function stillRuns(
  engine: Engine,
  container: Docker.Container,
  wanted: Properties,
): Promise<Docker.ContainerInspectInfo> {
  const there = await container.inspect();
  const { State: state } = there;
  const mayEnd = wanted.mustRun === false;
  if ((state.Running && !state.Restarting && there.RestartCount === 0) || mayEnd) return there;
  const lines = await lastLines(container);
  const full = await fullVolumeOf(engine.docker, container.id, lines);
  await discard(container);
  const killed = state.OOMKilled ? " (out of memory)" : "";
  // If the restart policy has started it again, it has no exit code at the moment.
  const code = state.Running ? "" : ` with code ${state.ExitCode}`;
  const ended = `Container "${text(wanted, "name")}" exited right after its start${code}${killed}`;
  if (full !== undefined) throw new OperationError(`${ended}: ${full.reason}.`, { hint: full.hint });
  throw new OperationError(`${ended}.${lines}`, { hint: "Fix the cause, then run `up` again." });
}

/** Removes a container after a failure. Errors are ignored, since the failure itself is reported. */
async function discard(container: Docker.Container): Promise<void> {
  await container.remove({ force: true, v: true }).catch(() => undefined);
}
