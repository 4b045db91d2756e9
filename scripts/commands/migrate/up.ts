import type { Command } from "commander";
import { describeHolder } from "../../database/deployment-lock.ts";
import { exitCode } from "../../errors/operation-error.ts";
import type { MigrationEvent } from "../../migrate/apply.ts";
import { describeBlocker } from "../../migrate/blockers.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type Target, type TargetOptions } from "../cli/target.ts";
import { migrateVerb, type RunOptions, withRunOptions } from "./verb.ts";

interface UpOptions extends TargetOptions, RunOptions {
  to?: string;
  dryRun?: boolean;
}

export function registerMigrateUp(migrate: Command): void {
  const verb = migrateVerb(migrate, "up", "apply what is pending")
    .option("--to <migration>", "apply up to this one, by number or file name")
    .option(
      "--dry-run",
      "say what would be applied, and run nothing (exit code 4); `migrate plan` tries it in a scratch database",
    );
  withRunOptions(verb).action(action<UpOptions, []>(up));
}

async function up(run: Run, options: UpOptions) {
  const target = await resolveTarget(run, options);
  if (options.dryRun === true) return dryRun(run, target, options);
  const { applyMigrations } = await import("../../migrate/apply.ts");
  const { connection, admin, folder, label } = target;
  const { to, allow, lockTimeout, statementTimeout, retryFor } = options;
  if (target.protected === true) {
    const { refuseUnsafe } = await import("../../lint/pending.ts");
    await refuseUnsafe(connection, folder, { to, allow });
  }
  const { applied } = await applyMigrations({
    connection,
    admin,
    folder,
    to,
    allow,
    timeouts: { lockTimeout, statementTimeout, retryFor },
    onEvent: (event) => showMigrationEvent(run, event),
    signal: run.signal,
    runId: run.runId,
  });
  run.out.answer({ applied }, () =>
    applied.length === 0 ? `${label}: nothing pending` : `${label}: ${applied.length} applied`,
  );
  return exitCode.done;
}

async function dryRun(run: Run, target: Target, { to, allow }: UpOptions) {
  const { previewMigrations } = await import("../../migrate/preview.ts");
  const pending = await previewMigrations(target.connection, target.folder, { to, allow });
  run.out.answer({ pending }, () => {
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

/** Says as it happens what becomes of each file. */
export function showMigrationEvent(run: Run, event: MigrationEvent): void {
  switch (event.kind) {
    case "waiting":
      run.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
      return;
    case "hook":
      run.out.note(event.text);
      return;
    case "started":
      return;
    case "gave-way": {
      const who = event.blockers.length === 0 ? "" : `: ${event.blockers.map(describeBlocker).join(", ")}`;
      run.out.warn(
        `${event.filename} gave way to who holds its lock${who}; again in ${(event.pauseMs / 1000).toFixed(1)} s`,
      );
      return;
    }
    case "applied":
      run.out.note(`applied ${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
