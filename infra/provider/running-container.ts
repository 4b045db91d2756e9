import { isRunning } from "../../scripts/container/running.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { onEngine } from "./on-engine.ts";

/** What tells one kind of process in a container from another. */
export interface RunningContainer {
  secretOutputs?: readonly string[];
  /** Inputs whose change alone is nothing to do. */
  ignored: readonly string[];
  /** Makes it so, also where it was done before: each step asks for nothing but its own end. `before`: the inputs until now; undefined: there were none. */
  settle(context: CallContext, inputs: Properties, before: Properties | undefined): Promise<void>;
  /** Says in a preview what a change does. */
  describe?(context: CallContext, old: Properties, news: Properties): Promise<void>;
}

/** A resource that is what runs in a container, as it is declared. It is seen again at each preview whether it runs. */
export function runningContainer({ secretOutputs, ignored, settle, describe }: RunningContainer): ResourceType {
  const runs = (inputs: Properties) => onEngine(inputs, (docker) => isRunning(docker, String(inputs.container)));
  return {
    ...(secretOutputs === undefined ? {} : { secretOutputs }),

    async check(_context, news) {
      return { inputs: news };
    },

    async diff(_context, old, news) {
      const changes = changedInputs(old.inputs, news, ignored);
      if (changes.length > 0) return { changes };
      return { changes: (await runs(news)) ? [] : [{ path: "running", kind: "update", input: false }] };
    },

    async create(context, inputs, preview) {
      if (!preview) await settle(context, inputs, undefined);
      return { id: String(inputs.container), outputs: { ...inputs, running: true } };
    },

    // A container that is gone shows at its own resource; here it would take along what only the state knows, a password.
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
