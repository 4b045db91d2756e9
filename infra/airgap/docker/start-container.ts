import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { Properties } from "../../plugin/values.ts";
import { count, flag, text } from "../property.ts";
import { lastLines } from "./container-log.ts";
import type { Engine } from "./engine.ts";
import { isOfSameStack } from "./labels.ts";
import { startFailure } from "./start-failure.ts";

/** How long a container without a healthcheck to wait for is watched after its start, in ms: a faulty command ends at once. */
const watched = 500;
const interval = 100;

/**
 * Starts a container where it is to run, and waits as long as the program asks.
 *
 * @throws OperationError for a port that is taken, a container that ends at once (which is taken away again) or does not get healthy
 */
export async function startContainer(engine: Engine, id: string, wanted: Properties): Promise<void> {
  if (wanted.start === false) return;
  const container = engine.docker.getContainer(id);
  try {
    await container.start();
  } catch (error) {
    // 304: it runs already.
    if ((error as { statusCode?: number }).statusCode !== 304) {
      await discard(container);
      throw await startFailure(engine, text(wanted, "name"), error);
    }
  }
  if (flag(wanted, "wait")) await untilHealthy(engine, container, wanted);
  else if (wanted.mustRun !== false) await staysUp(engine, container, wanted);
}

async function staysUp({ signal }: Engine, container: Docker.Container, wanted: Properties): Promise<void> {
  const end = Date.now() + watched;
  do {
    await sleep(interval, undefined, { signal });
    await stillRuns(container, wanted);
  } while (Date.now() < end);
}

async function untilHealthy({ signal }: Engine, container: Docker.Container, wanted: Properties): Promise<void> {
  const name = text(wanted, "name");
  const seconds = count(wanted, "waitTimeout") || 60;
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const { Health } = (await stillRuns(container, wanted)).State;
    if (Health === undefined || Health === null || Health.Status === "none") {
      await discard(container);
      throw new OperationError(`Container "${name}" has no healthcheck to wait for.`, {
        remedy: "Give it a healthcheck, or an image that has one, or leave out wait.",
      });
    }
    if (Health.Status === "healthy") return;
    if (Date.now() > deadline) {
      const said = Health.Log?.at(-1)?.Output.trim() || "nothing yet";
      const lines = await lastLines(container);
      // One of ours goes on (a server may be in the middle of its recovery), and the next run takes it over. Another would only be in the way.
      const isOurs = isOfSameStack(wanted, (await container.inspect()).Config.Labels);
      if (!isOurs) await discard(container);
      throw new OperationError(
        `Container "${name}" was not healthy within ${seconds} s (it is ${Health.Status}). Its healthcheck said: ${said}${lines}`,
        {
          remedy: isOurs
            ? "It goes on; run up again to wait further, or give it more with waitTimeout."
            : "Give it more time with waitTimeout.",
        },
      );
    }
    await sleep(interval, undefined, { signal });
  }
}

/** What is inspected of a container that runs; one that has ended is taken away and told of. */
async function stillRuns(container: Docker.Container, wanted: Properties): Promise<Docker.ContainerInspectInfo> {
  const there = await container.inspect();
  const { State: state } = there;
  const mayEnd = wanted.mustRun === false;
  if ((state.Running && !state.Restarting && there.RestartCount === 0) || mayEnd) return there;
  const lines = await lastLines(container);
  await discard(container);
  const killed = state.OOMKilled ? " (out of memory)" : "";
  // Started once more by its restart policy it has no code just now.
  const code = state.Running ? "" : ` with code ${state.ExitCode}`;
  throw new OperationError(`Container "${text(wanted, "name")}" ended right after its start${code}${killed}.${lines}`, {
    remedy: "Correct what it complains of, then run up again.",
  });
}

/** The failure that led here is the one to tell of. */
async function discard(container: Docker.Container): Promise<void> {
  await container.remove({ force: true, v: true }).catch(() => undefined);
}
