import type Docker from "dockerode";
import { findArchiveFault, settleArchive } from "../../scripts/backup/stanza.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { onEngine } from "./on-engine.ts";

/**
 * A repository takes a server's write-ahead log: it is made for the server, and a segment that was switched has arrived there. Each preview asks again, and a repository
 * that is gone or an archive that fails shows as a change; `up` then tries, and says what is wrong where it cannot be mended.
 */
export const backupStanza: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  async diff(context, old, news) {
    const changes = changedInputs(old.inputs, news, ["timeoutSeconds"]);
    if (changes.length > 0 || isUnknown(news)) return { changes };
    const fault = await onEngine(news, (docker) => findArchiveFault(docker, placeOf(news)));
    if (fault === undefined) return { changes };
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

  // The repository stays, as the volume does that it is in.
  async delete() {},
};

function outputsOf(inputs: Properties): Properties {
  return { ...inputs, archiving: "" };
}

async function settle(context: CallContext, inputs: Properties): Promise<void> {
  const seconds = Number(inputs.timeoutSeconds ?? 60);
  const begun = await onEngine(inputs, (docker: Docker) => settleArchive(docker, placeOf(inputs), seconds));
  if (begun) await context.log("info", "there was no backup yet: the first one is begun, and goes on by itself");
}

function placeOf(inputs: Properties): { container: string; server: string } {
  return { container: String(inputs.container), server: String(inputs.server) };
}
