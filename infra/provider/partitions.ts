import { ensurePartitions, missingPartitions } from "../../scripts/database/partitions.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { Properties } from "../plugin/values.ts";
import { pendingWorkType } from "./pending-work.ts";

/** Partitions of the coming months, made by the database's own function. As months go by, preview names those that `up` will make. */
export const partitions = pendingWorkType({
  id: (inputs) => `${inputs.database}/partitions`,
  identity: ["database", "function", "monthsAhead"],
  previewOutputs: {},
  announcement: (name) => `partition to make: ${name}`,

  async ask(connection, inputs, isNew) {
    // Before the first migration there is neither table nor function: what they make first is theirs to say.
    if (connection === undefined || isNew) return { known: true, names: [] };
    try {
      return {
        known: true,
        names: await withClient(connection, (client) => missingPartitions(client, specOf(inputs))),
      };
    } catch (error) {
      return { known: false, reason: error instanceof Error ? error.message : String(error) };
    }
  },

  async run(context, connection, inputs) {
    const made = await withClient(connection, (client) => ensurePartitions(client, specOf(inputs)));
    for (const name of made) await context.log("info", `made partition ${name}`);
    return {};
  },
});

function specOf(inputs: Properties) {
  return { function: String(inputs.function), monthsAhead: Number(inputs.monthsAhead) };
}
