import { describeHolder } from "../../../../scripts/ledger/deployment-lock.ts";
import { applySeeds, type SeedEvent } from "../../../../scripts/seed/apply.ts";
import { pendingSeeds, readKnownSeedInfo } from "../../../../scripts/seed/info.ts";
import { unknownValue } from "../../../provider-protocol/values.ts";
import { folderOf } from "../../inputs/stack-of.ts";
import { pendingWorkType } from "./pending-work.ts";
import { runId } from "./run-id.ts";

/**
 * The applied seed set of a database's folder. Every file is recorded with its checksum, and runs again if it changes.
 * Preview lists the files.
 */
export const seeds = pendingWorkType({
  id: (inputs) => `${inputs.database}/seeds/${inputs.set}`,
  identity: ["database", "folder", "set"],
  previewOutputs: { applied: unknownValue },
  announcement: (name, inputs) => `pending seed: ${inputs.set}/${name}`,

  async ask(connection, inputs) {
    const answer = await pendingSeeds(connection, folderOf(inputs), [String(inputs.set)]);
    return answer.known ? { known: true, names: answer.pending.map(({ filename }) => filename) } : answer;
  },

  async run(context, connection, inputs) {
    const folder = folderOf(inputs);
    const sets = [String(inputs.set)];
    const onEvent = (event: SeedEvent) => void context.log(...describe(event));
    await applySeeds({ connection, folder, sets, onEvent, signal: context.signal, ...runId() });
    const { files } = await readKnownSeedInfo(connection, folder, sets);
    return { applied: files.map(({ filename }) => filename) };
  },
});

function describe(event: SeedEvent): ["info" | "status", string] {
  switch (event.kind) {
    case "waiting":
      return ["info", `waiting for another deployer: ${describeHolder(event.holder)}`];
    case "started":
      return ["status", `seed ${event.index} of ${event.total}: ${event.set}/${event.filename}`];
    case "applied":
      return ["info", `applied ${event.set}/${event.filename} in ${Math.round(event.durationMs)} ms`];
  }
}
