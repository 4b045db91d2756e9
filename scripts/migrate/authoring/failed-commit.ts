import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { CommittedMigration } from "../committed.ts";
import { readTracking } from "../tracking.ts";

/**
 * Outcome of a migration whose commit failed after it was started, according to the database's records.
 * - untouched: the database has nothing of it, so it can become a draft again.
 * - open: it ran outside a transaction and did not complete. Part of it may be applied.
 * - applied: it is applied, and something after it failed.
 * - unknown: the records cannot be read.
 */
export type FailedOutcome = "untouched" | "open" | "applied" | "unknown";

/** Reads what the database recorded about a migration whose commit failed. */
export async function outcomeAfterFailure(
  connection: Connection,
  { hash }: Pick<CommittedMigration, "hash">,
): Promise<FailedOutcome> {
  try {
    const tracking = await withClient(connection, readTracking, "pgroundwork migrate");
    if (!tracking.known) return "unknown";
    if (tracking.rows.some((row) => row.hash === hash)) return "applied";
    const entry = tracking.ledger.find((each) => each.hash === hash);
    return entry?.direction === "up" && entry.finishedAt === null ? "open" : "untouched";
  } catch {
    // The error of the commit is the one to report.
    return "unknown";
  }
}

/** Returns the error of a commit with the statement that the migration stays committed. */
export function keptError(error: unknown, filename: string, outcome: Exclude<FailedOutcome, "untouched">): unknown {
  if (!(error instanceof OperationError)) return error;
  const kept = `committed/${filename} stays committed, and current.sql is empty: ${reasons[outcome]}.`;
  return new OperationError(`${error.message}\n${kept}`, {
    ...(outcome === "open" && error.hint !== undefined ? { hint: error.hint } : { hint: hints[outcome] }),
    exitCode: error.exitCode,
    cause: error,
  });
}

const reasons = {
  open: "part of it may be applied",
  applied: "it is applied",
  unknown: "it is not known if it was applied",
};

const hints = {
  open: "Run `migrate repair`.",
  applied: "Correct the cause. To change the migration: `migrate uncommit`.",
  unknown:
    "Run `migrate status` to see what was applied, then `migrate up`. To change the migration: `migrate uncommit`.",
};
