import { join } from "node:path";
import { describeHolder } from "../../scripts/database/deployment-lock.ts";
import { applyMigrations, type MigrationEvent } from "../../scripts/migrate/apply.ts";
import { describeProblem, pendingMigrations } from "../../scripts/migrate/verify.ts";
import { describeConnection } from "../../scripts/target/connection.ts";
import type { CallContext, CheckFailure, ResourceType } from "../plugin/resource-type.ts";
import { type Properties, unknownValue } from "../plugin/values.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";
import { askDatabase, diffPending, type Pending, pendingInputs, pendingKey } from "./pending-work.ts";
import { runId } from "./run-id.ts";
import { cloneRoot } from "./stack-of.ts";

/**
 * The committed migrations of a database's folder are applied. Preview names the pending files; an applied file that was edited, or is
 * missing, fails preview and up alike. Deleting the resource changes nothing in the database.
 */
export const migrations: ResourceType = {
  async check(_context, news, oldInputs) {
    const failures = checkConnection(news);
    if (failures.length > 0) return { inputs: news, failures };
    const { pending, problems } = await askPending(news, oldInputs);
    return { inputs: { ...news, ...pendingInputs(pending) }, failures: problems };
  },

  diff: (_context, old, news) => ({ changes: diffPending(old.inputs, news, ["database", "folder"]) }),

  async create(context, inputs, preview) {
    const id = `${inputs.database}/migrations`;
    if (preview) return { id, outputs: await announce(context, inputs) };
    return { id, outputs: await apply(context, inputs) };
  },

  // What is applied is asked by `check` at every run, from the database itself.
  read: async (_context, current) => current,

  async update(context, _old, news, preview) {
    return preview ? announce(context, news) : apply(context, news);
  },

  async delete() {},
};

async function askPending(
  news: Properties,
  oldInputs: Properties | undefined,
): Promise<{ pending: Pending; problems: CheckFailure[] }> {
  const status = await askDatabase(news, oldInputs, (connection) => pendingMigrations(connection, folderOf(news)));
  if (!status.known) return { pending: status, problems: [] };
  const problems = status.problems.map((problem) => ({
    property: "folder",
    reason: describeProblem(problem).replace(/^- /, ""),
  }));
  return { pending: { known: true, names: status.pending.map(({ filename }) => filename) }, problems };
}

async function announce(context: CallContext, inputs: Properties): Promise<Properties> {
  for (const name of inputs[pendingKey] as string[]) await context.log("info", `pending migration: ${name}`);
  return { applied: unknownValue };
}

async function apply(context: CallContext, inputs: Properties): Promise<Properties> {
  const connection = connectionOf(inputs);
  if (connection === undefined)
    throw new Error("Migrations were asked to run on a database whose address is not known.");
  const folder = folderOf(inputs);
  const onEvent = (event: MigrationEvent) => void context.log(...describe(event));
  await applyMigrations({ connection, folder, onEvent, signal: context.signal, ...runId() });
  const status = await pendingMigrations(connection, folder);
  if (!status.known)
    throw new Error(`Could not tell what is applied to ${describeConnection(connection)}: ${status.reason}`);
  return { applied: status.applied.map(({ filename }) => filename) };
}

function describe(event: MigrationEvent): ["info" | "warning" | "debug", string] {
  switch (event.kind) {
    case "waiting":
      return ["info", `waiting for another deployer: ${describeHolder(event.holder)}`];
    case "hooks-not-run":
      return ["warning", `hooks of .gmrc are not run: ${event.hooks.join(", ")}`];
    case "started":
      return ["debug", `migration ${event.index} of ${event.total}: ${event.filename}`];
    case "applied":
      return ["info", `applied ${event.filename} in ${Math.round(event.durationMs)} ms`];
  }
}

function folderOf(inputs: Properties): string {
  return join(cloneRoot, String(inputs.folder));
}
