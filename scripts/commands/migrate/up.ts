import type { Command } from "commander";
import { describeHolder } from "../../database/deployment-lock.ts";
import { exitCode } from "../../errors/operation-error.ts";
import type { MigrationEvent } from "../../migrate/apply.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { migrateVerb } from "./verb.ts";

export function registerMigrateUp(migrate: Command): void {
  migrateVerb(migrate, "up", "apply what is pending").action(action<TargetOptions, []>(up));
}

async function up(run: Run, options: TargetOptions) {
  const { applyMigrations } = await import("../../migrate/apply.ts");
  const { connection, folder, label } = await resolveTarget(run, options);
  const onEvent = (event: MigrationEvent) => showEvent(run, event);
  const { applied } = await applyMigrations({ connection, folder, onEvent, signal: run.signal, runId: run.runId });
  run.out.answer({ applied }, () =>
    applied.length === 0 ? `${label}: nothing pending` : `${label}: ${applied.length} applied`,
  );
  return exitCode.done;
}

function showEvent(run: Run, event: MigrationEvent): void {
  switch (event.kind) {
    case "waiting":
      run.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
      return;
    case "hooks-not-run":
      run.out.warn(`hooks of .gmrc are not run: ${event.hooks.join(", ")}`);
      return;
    case "started":
      return;
    case "applied":
      run.out.note(`applied ${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
