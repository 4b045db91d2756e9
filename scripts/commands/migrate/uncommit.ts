import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { requireUnprotected } from "./unprotected.ts";
import { migrateVerb } from "./verb.ts";

export function registerMigrateUncommit(migrate: Command): void {
  migrateVerb(
    migrate,
    "uncommit",
    "undo the newest committed migration, and make it current.sql again; only for what no other database has run",
  ).action(action<TargetOptions, []>(uncommit));
}

async function uncommit(run: Run, options: TargetOptions) {
  const { uncommitMigration } = await import("../../migrate/authoring/uncommit.ts");
  const target = await resolveTarget(run, options);
  requireUnprotected(target, "Migrations are written");
  const { connection, folder, label } = target;
  const { filename, undone } = await uncommitMigration({ connection, folder, signal: run.signal, runId: run.runId });
  run.out.answer({ filename, undone }, () =>
    [
      `${filename} is current.sql again`,
      undone ? `${label}: undone` : `${label}: it was not applied there`,
      "Another database that has it no longer fits the files.",
    ].join("\n"),
  );
  return exitCode.done;
}
