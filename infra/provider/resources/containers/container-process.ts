import { reloadProcess, waitForCheck } from "../../../../scripts/docker/server/process.ts";
import { isRunning, startContainer } from "../../../../scripts/docker/server/running.ts";
import type { CallContext } from "../../../provider-protocol/resource-type.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { runningContainer } from "./running-container.ts";

/**
 * The process of a container as declared: it runs, has read its files, and passes its check. Everything is applied in
 * place: new files make the process read them again, without replacing the container.
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
    // A process that was started since then has already read them.
    const isNew = before === undefined || before.containerId !== inputs.containerId || !wasRunning;
    if (!isNew && before.revision !== inputs.revision) {
      const reload = inputs.reload as string[] | undefined;
      if (reload !== undefined) await waitForCheck(docker, container, check, seconds, signal);
      await reloadProcess(docker, container, reload);
    }
    await waitForCheck(docker, container, check, seconds, signal);
  });
}
