import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import { action, type Run } from "../cli/run.ts";
import { table } from "../cli/table.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { migrateVerb } from "./verb.ts";

export function registerMigrateStatus(migrate: Command): void {
  migrateVerb(migrate, "status", "what is applied and what is pending (exit code 4), or does not fit (5)").action(
    action<TargetOptions, []>(status),
  );
}

async function status(run: Run, options: TargetOptions) {
  const { describeProblem, readKnownStatus } = await import("../../migrate/verify.ts");
  const { connection, folder, label } = await resolveTarget(run, options);
  const { applied, pending, problems } = await readKnownStatus(connection, folder);
  run.out.answer({ applied, pending, problems }, () => {
    const rows = [
      ...applied.map((each) => [
        each.filename,
        "applied",
        each.appliedAt.toISOString(),
        each.durationMs === undefined ? "" : `${Math.round(each.durationMs)} ms`,
        each.appliedBy ?? "",
      ]),
      ...pending.map((each) => [each.filename, each.interrupted ? "interrupted" : "pending", "", "", ""]),
    ];
    const counts = `${label}: ${applied.length} applied, ${pending.length} pending`;
    const list = rows.length === 0 ? "" : `${table(["migration", "state", "applied at", "took", "by"], rows)}\n`;
    return [`${list}${counts}`, ...problems.map(describeProblem)].join("\n");
  });
  if (problems.length > 0) return exitCode.wrong;
  return pending.length > 0 ? exitCode.pending : exitCode.done;
}
