import type { EvidencePosition } from "../../../../scripts/backup/drill/evidence.ts";
import { type ReadEvidence, readEvidence } from "../../../../scripts/backup/drill/evidence-volume.ts";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import type { ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { onEngine } from "../../inputs/on-engine.ts";

/**
 * Number and hash of the newest evidence of restore drills. Each `up` copies them into the state. From then on,
 * evidence that was changed or removed is reported, also if it was the newest. `up` cannot repair that.
 */
export const drillEvidence: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  async diff(context, old, news) {
    const changes = changedInputs(old.inputs, news);
    if (isUnknown(news)) return { changes };
    const { newest, faults } = await readWith(news, positionOf(old.outputs));
    for (const fault of faults) await context.log("warning", fault);
    if (newest.number > positionOf(old.outputs).number) changes.push({ path: "number", kind: "update", input: false });
    return { changes };
  },

  async create(_context, inputs, preview) {
    return { id: String(inputs.container), outputs: await outputsOf(inputs, none, preview) };
  },

  read: async (_context, current) => current,

  update: (_context, old, news, preview) => outputsOf(news, positionOf(old.outputs), preview),

  // The volume with the evidence stays.
  async delete() {},
};

const none: EvidencePosition = { number: 0, hash: "" };

function positionOf({ number, hash }: Properties): EvidencePosition {
  return { number: Number(number ?? 0), hash: String(hash ?? "") };
}

async function outputsOf(inputs: Properties, known: EvidencePosition, preview: boolean): Promise<Properties> {
  if (preview || isUnknown(inputs)) return { ...inputs, ...known };
  const { newest } = await readWith(inputs, known);
  return { ...inputs, ...(newest.number > known.number ? newest : known) };
}

/** Reads the evidence. A container that cannot be read is a fault, and no change. */
async function readWith(inputs: Properties, known: EvidencePosition): Promise<ReadEvidence> {
  try {
    return await onEngine(inputs, (docker) =>
      readEvidence(docker, String(inputs.container), String(inputs.publicKey), known),
    );
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { newest: known, faults: [`The evidence of restore drills could not be read: ${error.message}`] };
  }
}
