import { describeHolder, type LockHolder } from "../../../ledger/deployer.ts";
import { describeBlocker } from "../../../migrate/blockers.ts";
import type { LockTimeout } from "../../../migrate/lock-retry.ts";
import type { CommandContext } from "../../context.ts";

/** Prints which deployer holds the lock. */
export function showWaiting(context: CommandContext, holder: LockHolder): void {
  context.out.note(`waiting for another deployer: ${describeHolder(holder)}`);
}

/** Prints that a file ran into its lock timeout, which sessions blocked it, and when it is tried again. */
export function showLockTimeout(
  context: CommandContext,
  { filename, blockers, pauseMs }: LockTimeout & { filename: string },
): void {
  const who = blockers.length === 0 ? "" : `, blocked by ${blockers.map(describeBlocker).join(", ")}`;
  context.out.warn(`${filename}: lock timeout${who}; retrying in ${(pauseMs / 1000).toFixed(1)} s`);
}
