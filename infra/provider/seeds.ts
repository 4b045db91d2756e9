import { join } from "node:path";
import { describeHolder } from "../../scripts/database/deployment-lock.ts";
import { applySeeds, type SeedEvent } from "../../scripts/seed/apply.ts";
import { pendingSeeds, readSeedInfo } from "../../scripts/seed/info.ts";
import { describeConnection } from "../../scripts/target/connection.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import { type Properties, unknownValue } from "../plugin/values.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";
import { askDatabase, diffPending, type Pending, pendingInputs, pendingKey } from "./pending-work.ts";
import { runId } from "./run-id.ts";
import { cloneRoot } from "./stack-of.ts";

/**
 * A seed set of a database's folder is applied: every file is recorded with its checksum, and runs again when it changed. Preview names the files.
 * Deleting the resource leaves the rows where they are.
 */
export const seeds: ResourceType = {
  async check(_context, news, oldInputs) {
    const failures = checkConnection(news);
    if (failures.length > 0) return { inputs: news, failures };
    return { inputs: { ...news, ...pendingInputs(await askPending(news, oldInputs)) } };
  },

  diff: (_context, old, news) => ({ changes: diffPending(old.inputs, news, ["database", "folder", "set"]) }),

  async create(context, inputs, preview) {
    const id = `${inputs.database}/seeds/${inputs.set}`;
    return { id, outputs: preview ? await announce(context, inputs) : await apply(context, inputs) };
  },

  // What is applied is asked by `check` at every run, from the database itself.
  read: async (_context, current) => current,

  async update(context, _old, news, preview) {
    return preview ? announce(context, news) : apply(context, news);
  },

  async delete() {},
};

async function askPending(news: Properties, oldInputs: Properties | undefined): Promise<Pending> {
  const sets = [String(news.set)];
  const answer = await askDatabase(news, oldInputs, (connection) => pendingSeeds(connection, folderOf(news), sets));
  return answer.known ? { known: true, names: answer.pending.map(({ filename }) => filename) } : answer;
}

async function announce(context: CallContext, inputs: Properties): Promise<Properties> {
  for (const name of inputs[pendingKey] as string[]) await context.log("info", `pending seed: ${inputs.set}/${name}`);
  return { applied: unknownValue };
}

async function apply(context: CallContext, inputs: Properties): Promise<Properties> {
  const connection = connectionOf(inputs);
  if (connection === undefined) throw new Error("Seeds were to be applied to a database whose address is not known.");
  const folder = folderOf(inputs);
  const sets = [String(inputs.set)];
  const onEvent = (event: SeedEvent) => void context.log(...describe(event));
  await applySeeds({ connection, folder, sets, onEvent, signal: context.signal, ...runId() });
  const info = await readSeedInfo(connection, folder, sets);
  if (!info.known) throw new Error(`Could not tell which seeds ${describeConnection(connection)} has: ${info.reason}`);
  return { applied: info.files.map(({ filename }) => filename) };
}

function describe(event: SeedEvent): ["info" | "debug", string] {
  switch (event.kind) {
    case "waiting":
      return ["info", `waiting for another deployer: ${describeHolder(event.holder)}`];
    case "started":
      return ["debug", `seed ${event.index} of ${event.total}: ${event.set}/${event.filename}`];
    case "applied":
      return ["info", `applied ${event.set}/${event.filename} in ${Math.round(event.durationMs)} ms`];
  }
}

function folderOf(inputs: Properties): string {
  return join(cloneRoot, String(inputs.folder));
}
