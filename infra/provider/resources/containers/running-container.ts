import { runsSteadily } from "../../../../scripts/docker/server/running.ts";
import type { CallContext, ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";

/** One kind of process in a container. */
export interface RunningContainer {
  /** Inputs whose change alone needs no action. */
  ignored: readonly string[];
  /**
   * Makes the process match its declaration. It must be repeatable: each step depends only on its own result.
   *
   * @param before the previous inputs; undefined if there were none
   */
  settle(context: CallContext, inputs: Properties, before: Properties | undefined): Promise<void>;
  /** Warns of faults in each preview and `up`. They are not changes, because no `up` repairs them. It must not fail. */
  warn?(context: CallContext, inputs: Properties): Promise<void>;
  /** Logs the effect of a change in a preview. */
  describe?(context: CallContext, old: Properties, news: Properties): Promise<void>;
}

/** Returns a resource type for a process that runs in a container as declared. Each preview checks again if it runs. */
export function runningContainer({ ignored, settle, warn, describe }: RunningContainer): ResourceType {
  const runs = (inputs: Properties) => onEngine(inputs, (docker) => runsSteadily(docker, String(inputs.container)));
  return {
    async check(_context, news) {
      return { inputs: news };
    },

    async diff(context, old, news) {
      if (!isUnknown([news.dockerHost, news.container])) await warn?.(context, news);
      const changes = changedInputs(old.inputs, news, ignored);
      if (changes.length > 0) return { changes };
      return { changes: (await runs(news)) ? [] : [{ path: "running", kind: "update", input: false }] };
    },

    async create(context, inputs, preview) {
      if (!preview) await settle(context, inputs, undefined);
      return { id: String(inputs.container), outputs: { ...inputs, running: true } };
    },

    // A container that is gone is reported by its own resource. Deleting this one would also lose data that only the
    // state has, such as a password.
    async read(_context, current) {
      return { ...current, outputs: { ...current.outputs, running: await runs(current.inputs) } };
    },

    async update(context, old, news, preview) {
      if (preview) await describe?.(context, old.inputs, news);
      else await settle(context, news, old.inputs);
      return { ...news, running: true };
    },

    async delete() {},
  };
}
