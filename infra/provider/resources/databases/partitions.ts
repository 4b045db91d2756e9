import { withClient } from "../../../../scripts/connection/client.ts";
import { ensurePartitions, missingPartitions } from "../../../../scripts/databases/partitions.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { pendingWorkType } from "./pending-work.ts";

/**
 * Partitions for the coming months, created by the database's own function. As months go by, preview lists the
 * partitions that `up` will create.
 */
export const partitions = pendingWorkType({
  id: (inputs) => `${inputs.database}/partitions`,
  identity: ["database", "function", "monthsAhead"],
  previewOutputs: {},
  announcement: (name) => `partition to create: ${name}`,

  async ask(connection, inputs, isNew) {
    // Before the first migration neither the table nor the function exists. The migrations decide what to create first.
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
    for (const name of made) await context.log("info", `created partition ${name}`);
    return {};
  },
});

function specOf(inputs: Properties) {
  return { function: String(inputs.function), monthsAhead: Number(inputs.monthsAhead) };
}
