import { ensurePartitions, missingPartitions } from "../../scripts/database/partitions.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";
import { askDatabase, diffPending, type Pending, pendingInputs, pendingKey } from "./pending-work.ts";

/**
 * Partitions of the coming months, made by the database's own function. As months go by, preview names those that `up` will make.
 */
export const partitions: ResourceType = {
  async check(_context, news, oldInputs) {
    const failures = checkConnection(news);
    if (failures.length > 0) return { inputs: news, failures };
    return { inputs: { ...news, ...pendingInputs(await askMissing(news, oldInputs)) } };
  },

  diff: (_context, old, news) => ({ changes: diffPending(old.inputs, news, ["database", "function", "monthsAhead"]) }),

  async create(context, inputs, preview) {
    const id = `${inputs.database}/partitions`;
    if (!preview) await make(context, inputs);
    return { id, outputs: {} };
  },

  read: async (_context, current) => current,

  async update(context, _old, news, preview) {
    if (!preview) await make(context, news);
    else for (const name of news[pendingKey] as string[]) await context.log("info", `partition to make: ${name}`);
    return {};
  },

  async delete() {},
};

async function askMissing(news: Properties, oldInputs: Properties | undefined): Promise<Pending> {
  // Before the first migration there is neither table nor function: what they make first is theirs to say.
  if (oldInputs === undefined) return { known: true, names: [] };
  return askDatabase(news, oldInputs, async (connection): Promise<Pending> => {
    if (connection === undefined) return { known: true, names: [] };
    try {
      return { known: true, names: await withClient(connection, (client) => missingPartitions(client, specOf(news))) };
    } catch (error) {
      return { known: false, reason: error instanceof Error ? error.message : String(error) };
    }
  });
}

async function make(context: CallContext, inputs: Properties): Promise<void> {
  const connection = connectionOf(inputs);
  if (connection === undefined) throw new Error("Partitions were to be made in a database whose address is not known.");
  const made = await withClient(connection, (client) => ensurePartitions(client, specOf(inputs)));
  for (const name of made) await context.log("info", `made partition ${name}`);
}

function specOf(inputs: Properties) {
  return { function: String(inputs.function), monthsAhead: Number(inputs.monthsAhead) };
}
