import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { MigrationEvent } from "../../../migrate/apply.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { type Target, type TargetOptions, targetToChange } from "../../target.ts";
import { showLockTimeout, showWaiting } from "./lock-events.ts";
import { renewConnections } from "./pooled-connections.ts";
import { type RunOptions, withRunOptions } from "./verb.ts";

interface UpOptions extends TargetOptions, RunOptions {
  to?: string;
  dryRun?: boolean;
}

export function registerMigrateUp(migrate: Command): void {
  const verb = databaseVerb(migrate, "up", "apply the pending migrations")
    .option("--to <migration>", "last migration to apply (number or file name)")
    .option(
      "--dry-run",
      "list the pending migrations and run nothing (exit code 4); `migrate plan` tries them in a scratch cluster",
    );
  withRunOptions(verb).action(action<UpOptions, []>(up));
}

async function up(context: CommandContext, options: UpOptions) {
  const target = await targetToChange(context, options);
  if (options.dryRun === true) return dryRun(context, target, options);
  const { applyMigrations } = await import("../../../migrate/apply.ts");
  const { connection, admin, folder, label } = target;
  const { to, allow, lockTimeout, statementTimeout, retryFor } = options;
  if (target.protected === true) {
    const { refuseUnsafe } = await import("../../../migrate/lint/pending.ts");
    await refuseUnsafe(connection, folder, { to, allow });
  }
  const { applied } = await applyMigrations({
    connection,
    admin,
    folder,
    to,
    allow,
    timeouts: { lockTimeout, statementTimeout, retryFor },
    onEvent: (event) => showMigrationEvent(context, event),
    signal: context.signal,
    runId: context.runId,
  });
  if (applied.length > 0) await renewConnections(context, target, options);
  context.out.answer({ applied }, () =>
    applied.length === 0 ? `${label}: nothing pending` : `${label}: ${applied.length} applied`,
  );
  return exitCode.done;
}

async function dryRun(context: CommandContext, target: Target, { to, allow }: UpOptions) {
  const { previewMigrations } = await import("../../../migrate/preview.ts");
  const pending = await previewMigrations(target.connection, target.folder, { to, allow });
  context.out.answer({ pending }, () => {
    const lines = pending.map(
      ({ filename, transactional, statements }) =>
        `  ${filename}  ${statements} ${statements === 1 ? "statement" : "statements"}${transactional ? "" : ", outside a transaction"}`,
    );
    return pending.length === 0
      ? `${target.label}: nothing pending`
      : [`${target.label}: ${pending.length} would be applied`, ...lines].join("\n");
  });
  return pending.length > 0 ? exitCode.pending : exitCode.done;
}

/** Prints the progress of each file as it happens. */
export function showMigrationEvent(context: CommandContext, event: MigrationEvent): void {
  switch (event.kind) {
    case "waiting":
      showWaiting(context, event.holder);
      return;
    case "edit-recorded":
      context.out.note(
        `recorded the edit of ${event.filename}, which its AllowInvalidHash accepts; it does not run again`,
      );
      return;
    case "hook":
      context.out.note(event.text);
      return;
    case "started":
      showStep(context.out, `applying ${event.filename} (${event.index} of ${event.total})`, { announce: false });
      return;
    case "lock-timeout":
      showLockTimeout(context, event);
      return;
    case "applied":
      context.out.endStep();
      context.out.note(`applied ${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
