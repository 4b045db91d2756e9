import { describeHolder } from "../../scripts/database/deployment-lock.ts";
import { applyMigrations, type MigrationEvent } from "../../scripts/migrate/apply.ts";
import { describeBlocker } from "../../scripts/migrate/blockers.ts";
import { pendingMigrations, readKnownStatus, requireNoProblems } from "../../scripts/migrate/verify.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { type Properties, unknownValue } from "../plugin/values.ts";
import { pendingWorkType } from "./pending-work.ts";
import { runId } from "./run-id.ts";
import { folderOf } from "./stack-of.ts";

/**
 * The committed migrations of a database's folder are applied. Preview names the pending files; an applied file that was edited, or is
 * missing, fails preview and up alike, and so does with `lint` a pending file that is unsafe on a database in use.
 */
export const migrations = pendingWorkType({
  id: (inputs) => `${inputs.database}/migrations`,
  identity: ["database", "folder"],
  previewOutputs: { applied: unknownValue },
  announcement: (name) => `pending migration: ${name}`,

  async ask(connection, inputs) {
    const status = await pendingMigrations(connection, folderOf(inputs));
    if (!status.known) return status;
    requireNoProblems(status.problems);
    // Before the first migration there is nothing in use, and maybe no database.
    if (connection !== undefined && status.applied.length > 0) await gate(connection, inputs);
    const namesOf = (files: readonly { filename: string }[]) => files.map(({ filename }) => filename);
    return { known: true, names: namesOf(status.pending), applied: namesOf(status.applied) };
  },

  async run(context, connection, inputs) {
    const folder = folderOf(inputs);
    await gate(connection, inputs);
    const onEvent = (event: MigrationEvent) => void context.log(...describe(event));
    await applyMigrations({ connection, folder, onEvent, signal: context.signal, ...runId() });
    const { applied } = await readKnownStatus(connection, folder);
    return { applied: applied.map(({ filename }) => filename) };
  },
});

/** @throws OperationError where lint is asked for and finds errors */
async function gate(connection: Connection, inputs: Properties): Promise<void> {
  if (inputs.lint !== true) return;
  const { refuseUnsafe } = await import("../../scripts/lint/pending.ts");
  await refuseUnsafe(connection, folderOf(inputs));
}

function describe(event: MigrationEvent): ["info" | "warning" | "debug", string] {
  switch (event.kind) {
    case "waiting":
      return ["info", `waiting for another deployer: ${describeHolder(event.holder)}`];
    case "hook":
      return ["info", event.text];
    case "gave-way": {
      const who = event.blockers.map(describeBlocker).join(", ") || "another session";
      return ["warning", `${event.filename} gave way to ${who}; it is tried again`];
    }
    case "started":
      return ["debug", `migration ${event.index} of ${event.total}: ${event.filename}`];
    case "applied":
      return ["info", `applied ${event.filename} in ${Math.round(event.durationMs)} ms`];
  }
}
