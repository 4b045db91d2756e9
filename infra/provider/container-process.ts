import { reloadProcess, waitForCheck } from "../../scripts/container/process.ts";
import { isRunning, startContainer } from "../../scripts/container/running.ts";
import { withDocker } from "../../scripts/docker/client.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";

/**
 * The process of a container as it is declared: it runs, it has read its files, it passes its check. All of it in place: new files have it read them again, and
 * replace no container.
 */
export const containerProcess: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  async diff(_context, old, news) {
    const changes = changedInputs(old.inputs, news, ["timeoutSeconds", "reload", "check"]);
    if (changes.length > 0) return { changes };
    const running = await withDocker(hostOf(news), (docker) => isRunning(docker, String(news.container)));
    return { changes: running ? [] : [{ path: "running", kind: "update", input: false }] };
  },

  async create(context, inputs, preview) {
    if (!preview) await settle(context, inputs, undefined);
    return { id: String(inputs.container), outputs: { ...inputs, running: true } };
  },

  // A container that is gone shows at its own resource.
  async read(_context, current) {
    const running = await withDocker(hostOf(current.inputs), (docker) =>
      isRunning(docker, String(current.inputs.container)),
    );
    return { ...current, outputs: { ...current.outputs, running } };
  },

  async update(context, old, news, preview) {
    if (!preview) await settle(context, news, old.inputs);
    return { ...news, running: true };
  },

  async delete() {},
};

/** Makes it so. What was done before is done again: each step asks for nothing but its own end. */
async function settle({ signal }: CallContext, inputs: Properties, before: Properties | undefined): Promise<void> {
  const container = String(inputs.container);
  const check = inputs.check as string[];
  const seconds = Number(inputs.timeoutSeconds ?? 60);
  await withDocker(hostOf(inputs), async (docker) => {
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

function hostOf(inputs: Properties): string | undefined {
  return inputs.dockerHost as string | undefined;
}
