import type Docker from "dockerode";
import { findArchiveFault, findInLastScan, settleArchive } from "../../../../scripts/backup/stanza.ts";
import type { CallContext, ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";

/**
 * A repository that receives a server's WAL: it was created for the server, and a segment arrived there after a WAL
 * switch. Each preview checks it again and shows a missing repository or failing WAL archiving as a change. `up` then
 * tries to repair it, and reports faults that cannot be repaired. Findings of the sidecar's last scan of the repository
 * are warnings.
 */
export const backupStanza: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  async diff(context, old, news) {
    const changes = changedInputs(old.inputs, news, ["timeoutSeconds"]);
    if (changes.length > 0 || isUnknown(news)) return { changes };
    const fault = await onEngine(news, (docker) => findArchiveFault(docker, placeOf(news)));
    if (fault === undefined) {
      // No `up` can repair damaged or missing parts of the repository.
      for (const { text, hint } of await onEngine(news, (docker) => findInLastScan(docker, placeOf(news))))
        await context.log("warning", hint === undefined ? text : `${text} ${hint}`);
      return { changes };
    }
    await context.log("warning", fault);
    return { changes: [{ path: "archiving", kind: "update", input: false }] };
  },

  async create(context, inputs, preview) {
    if (!preview) await settle(context, inputs);
    return { id: String(inputs.container), outputs: outputsOf(inputs) };
  },

  async read(_context, current) {
    const fault = await onEngine(current.inputs, (docker) => findArchiveFault(docker, placeOf(current.inputs)));
    return { ...current, outputs: { ...current.outputs, archiving: fault ?? "" } };
  },

  async update(context, _old, news, preview) {
    if (!preview) await settle(context, news);
    return outputsOf(news);
  },

  // The repository stays, as does the volume that contains it.
  async delete() {},
};

function outputsOf(inputs: Properties): Properties {
  return { ...inputs, archiving: "" };
}

async function settle(context: CallContext, inputs: Properties): Promise<void> {
  const seconds = Number(inputs.timeoutSeconds ?? 60);
  const begun = await onEngine(inputs, (docker: Docker) => settleArchive(docker, placeOf(inputs), seconds));
  if (begun)
    await context.log("info", "there was no backup yet: the first one has started and continues in the background");
}

function placeOf(inputs: Properties): { container: string; server: string } {
  return { container: String(inputs.container), server: String(inputs.server) };
}
