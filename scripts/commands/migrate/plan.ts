import { dirname } from "node:path";
import type { Command } from "commander";
import { readDatabaseFile } from "../../database/database-file.ts";
import { exitCode } from "../../errors/operation-error.ts";
import type { MigrationPlan } from "../../migrate/plan/plan.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { describePlan } from "./plan-text.ts";
import { migrateVerb } from "./verb.ts";

interface PlanOptions extends TargetOptions {
  to?: string;
  allow?: string[];
}

export function registerMigratePlan(migrate: Command): void {
  migrateVerb(
    migrate,
    "plan",
    "try what is pending in a scratch database, and say what it locks, rewrites and scans (exit code 4, or 1 where it fails)",
  )
    .option("--to <migration>", "plan up to this one, by number or file name")
    .option("--allow <files...>", "accept what is wrong with exactly these files")
    .action(action<PlanOptions, []>(plan));
}

async function plan(run: Run, options: PlanOptions) {
  const { planMigrations } = await import("../../migrate/plan/plan.ts");
  const { describeProblem } = await import("../../migrate/verify.ts");
  const { connection, admin, folder, database, label } = await resolveTarget(run, options);
  const { partitions } = await readDatabaseFile(dirname(folder), database);
  const onProgress = (text: string) => run.out.note(text);
  const { to, allow } = options;
  const { signal } = run;
  const made = await planMigrations({ connection, admin, folder, partitions, to, allow, onProgress, signal });
  run.out.answer(made, () => {
    if (made.problems.length > 0)
      return [`${label}: the files do not fit what is applied:`, ...made.problems.map(describeProblem)].join("\n");
    return made.files.length === 0 ? `${label}: nothing pending` : describePlan(label, made);
  });
  return answerOf(made);
}

function answerOf({ problems, files, failure }: MigrationPlan) {
  if (problems.length > 0) return exitCode.wrong;
  if (failure !== null) return exitCode.failed;
  return files.length > 0 ? exitCode.pending : exitCode.done;
}
