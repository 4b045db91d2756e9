import { dirname } from "node:path";
import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { readDatabaseFile } from "../../../databases/database-file.ts";
import type { MigrationPlan } from "../../../migrate/plan/plan.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveTarget, resolveTargets, type Target, type TargetOptions } from "../../target.ts";
import { describePlan } from "./plan-text.ts";
import { answerOfDatabases } from "./verb.ts";

interface PlanOptions extends TargetOptions {
  to?: string;
  allow?: string[];
}

export function registerMigratePlan(migrate: Command): void {
  databaseVerb(
    migrate,
    "plan",
    "run pending migrations in a scratch cluster and print what they lock, rewrite and scan (exit code 4; 1 if " +
      "one fails; 5 if one could not be tried); then the draft in current.sql, which does not change the exit code",
  )
    .option("--to <migration>", "last migration to plan (number or file name)")
    .option("--allow <files...>", "accept the problems of exactly these files")
    .action(action<PlanOptions, []>(plan));
}

async function plan(context: CommandContext, options: PlanOptions) {
  const { planMigrations } = await import("../../../migrate/plan/plan.ts");
  const { describeProblem, problemsTitle } = await import("../../../migrate/verify.ts");
  const onProgress = (text: string) => showStep(context.out, text);
  const { to, allow } = options;
  const { signal } = context;
  const made: { target: Target; plan: MigrationPlan }[] = [];
  for (const target of await targetsOf(context, options)) {
    const { connection, admin, docker, folder, database } = target;
    const { partitions } = await readDatabaseFile(dirname(folder), database);
    const asked = { connection, admin, docker, folder, partitions, to, allow, onProgress, signal };
    made.push({ target, plan: await planMigrations(asked) });
  }
  const answers = made.map(({ target: { database }, plan: each }) => ({ database, ...each }));
  const describe = ({ target: { label }, plan: each }: (typeof made)[number]) => {
    if (each.problems.length > 0)
      return [`${label}: ${problemsTitle(each.problems)}:`, ...each.problems.map(describeProblem)].join("\n");
    return describePlan(label, each);
  };
  context.out.answer(answerOfDatabases(answers), () => made.map(describe).join("\n\n"));
  const codes = made.map(({ target, plan: each }) => codeOf(each, target.protected === true));
  return [exitCode.failed, exitCode.wrong, exitCode.pending].find((code) => codes.includes(code)) ?? exitCode.done;
}

/** Returns one database if the options name a file, because a file belongs to one database. */
async function targetsOf(context: CommandContext, options: PlanOptions): Promise<Target[]> {
  const namesFile = options.to !== undefined || options.allow !== undefined;
  return namesFile ? [await resolveTarget(context, options)] : resolveTargets(context, options);
}

function codeOf({ problems, files, failure, triedOn }: MigrationPlan, isProtected: boolean) {
  if (problems.length > 0) return exitCode.wrong;
  if (failure !== null) return exitCode.failed;
  if (files.length === 0) return exitCode.done;
  // An unknown result is never a pass. For real data, neither is a trial on another major version.
  const isOtherVersion = triedOn !== null && triedOn.major !== triedOn.liveMajor;
  if (files.some(({ trial }) => trial !== "passed") || (isProtected && isOtherVersion)) return exitCode.wrong;
  return exitCode.pending;
}
