import { reloadProcess, waitForCheck } from "../../scripts/container/process.ts";
import { isRunning, startContainer } from "../../scripts/container/running.ts";
import type { CallContext } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { onEngine } from "./on-engine.ts";
import { runningContainer } from "./running-container.ts";

/**
 * The process of a container as it is declared: it runs, it has read its files, it passes its check. All of it in place: new files have it read them again, and
 * replace no container.
 */
export const containerProcess = runningContainer({
  ignored: ["timeoutSeconds", "reload", "check"],
  settle,
});

async function settle({ signal }: CallContext, inputs: Properties, before: Properties | undefined): Promise<void> {
  const container = String(inputs.container);
  const check = inputs.check as string[];
  const seconds = Number(inputs.timeoutSeconds ?? 60);
  await onEngine(inputs, async (docker) => {
    const wasRunning = await isRunning(docker, container);
    await startContainer(docker, container);
    // One that was started since has read them then.
    const isNew = before === undefined || before.containerId !== inputs.containerId || !wasRunning;
    if (!isNew && before.revision !== inputs.revision) {
      const reload = inputs.reload as string[] | undefined;
      if (reload !== undefined) await waitForCheck(docker, container, check, seconds, signal);
      await reloadProcess(docker, container, reload);
    }
    await waitForCheck(docker, container, check, seconds, signal);
  });
}
