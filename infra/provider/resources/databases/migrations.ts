import type { Connection } from "../../../../scripts/connection/connection.ts";
import { describeHolder } from "../../../../scripts/ledger/deployment-lock.ts";
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";
import { describeBlocker } from "../../../../scripts/migrate/blockers.ts";
import { pendingMigrations, readKnownStatus, requireNoProblems } from "../../../../scripts/migrate/verify.ts";
import { type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { folderOf } from "../../inputs/stack-of.ts";
import { pendingWorkType } from "./pending-work.ts";
import { runId } from "./run-id.ts";

/**
 * The applied migrations of a database's folder. Preview lists the pending files. An applied file that was edited or is
 * missing fails both preview and up. With `lint`, so does a pending file that is unsafe on a database in use.
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
    // Before the first migration the database is not in use, and may not exist.
    if (connection !== undefined && status.applied.length > 0) await gate(connection, inputs);
    const namesOf = (files: readonly { filename: string }[]) => files.map(({ filename }) => filename);
    return { known: true, names: namesOf(status.pending), applied: namesOf(status.applied) };
  },

  async run(context, connection, inputs) {
    const folder = folderOf(inputs);
    await gate(connection, inputs);
    const onEvent = (event: MigrationEvent) => void context.log(...describe(event));
    const admin = adminOf(connection, inputs);
    await applyMigrations({ connection, folder, admin, onEvent, signal: context.signal, ...runId() });
    const { applied } = await readKnownStatus(connection, folder);
    return { applied: applied.map(({ filename }) => filename) };
  },
});

/** Returns the login for hooks marked `root`. */
function adminOf(connection: Connection, { adminUser, adminPassword }: Properties): Connection | undefined {
  if (adminUser === undefined) return undefined;
  return {
    ...connection,
    user: String(adminUser),
    password: adminPassword === undefined ? undefined : String(adminPassword),
  };
}

/** @throws OperationError if lint is enabled and finds errors */
async function gate(connection: Connection, inputs: Properties): Promise<void> {
  if (inputs.lint !== true) return;
  const { refuseUnsafe } = await import("../../../../scripts/migrate/lint/pending.ts");
  await refuseUnsafe(connection, folderOf(inputs));
}

function describe(event: MigrationEvent): ["info" | "warning" | "status", string] {
  switch (event.kind) {
    case "waiting":
      return ["info", `waiting for another deployer: ${describeHolder(event.holder)}`];
    case "edit-recorded":
      return ["info", `recorded the edit of ${event.filename}, which its AllowInvalidHash accepts`];
    case "hook":
      return ["info", event.text];
    case "lock-timeout": {
      const who = event.blockers.map(describeBlocker).join(", ") || "another session";
      return ["warning", `${event.filename} was blocked by ${who}: lock timeout, retrying`];
    }
    case "started":
      return ["status", `migration ${event.index} of ${event.total}: ${event.filename}`];
    case "applied":
      return ["info", `applied ${event.filename} in ${Math.round(event.durationMs)} ms`];
  }
}
