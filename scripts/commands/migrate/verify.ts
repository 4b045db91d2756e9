import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { migrateVerb } from "./verb.ts";

export function registerMigrateVerify(migrate: Command): void {
  migrateVerb(migrate, "verify", "check that what is applied is what the files say (exit code 5 where not)").action(
    action<TargetOptions, []>(verify),
  );
}

async function verify(run: Run, options: TargetOptions) {
  const { describeProblem, readKnownStatus } = await import("../../migrate/verify.ts");
  const { connection, folder, label } = await resolveTarget(run, options);
  const { applied, problems } = await readKnownStatus(connection, folder);
  run.out.answer({ verified: applied.length, problems }, () =>
    problems.length === 0
      ? `${label}: ${applied.length} applied migrations are as their files say`
      : [`${label}: the files do not fit what is applied:`, ...problems.map(describeProblem)].join("\n"),
  );
  return problems.length > 0 ? exitCode.wrong : exitCode.done;
}
