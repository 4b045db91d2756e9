import { withClient } from "../connection/client.ts";
import { readCommitted } from "./committed.ts";
import { type ApplyOptions, type ApplyResult, findWork, hasWork } from "./work.ts";

export type { ApplyOptions, ApplyResult, MigrationEvent } from "./work.ts";

/**
 * Applies a folder's pending migrations in order, each recorded in its own transaction. It waits for any other deployer
 * of this database and then checks again: if several run at once, one does the work and all succeed. A file that hits
 * its lock timeout is retried. In a new database the hook `afterReset` runs first, once.
 *
 * @throws OperationError for problems with what is applied (nothing is run then), and if a lock was not acquired in
 * time; SqlFileError for a file that fails (the files before it stay applied); ConnectionError
 */
export async function applyMigrations(options: ApplyOptions): Promise<ApplyResult> {
  const { connection, folder } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      // If nothing is pending, no lock is needed: what is recorded is committed.
      if (!hasWork(await findWork(client, files, options))) return { applied: [] };
      // Loading what runs files takes longer than finding that there is nothing to run.
      const { deployPending } = await import("./run-pending.ts");
      return deployPending(client, files, options);
    },
    "pgroundwork migrate",
    { pipeline: true },
  );
}

/**
 * Creates the tables that record migrations, and nothing else. Does nothing if they exist.
 *
 * @returns true if anything was created
 */
export async function initialiseTracking(options: Pick<ApplyOptions, "connection" | "folder" | "signal">) {
  const { createTracking } = await import("./run-pending.ts");
  return withClient(options.connection, (client) => createTracking(client, options), "pgroundwork migrate");
}
