import type { Command } from "commander";
import type { Difference } from "../../catalog/compare.ts";
import { exitCode } from "../../errors/operation-error.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type Target, type TargetOptions } from "../cli/target.ts";
import { describeDifference } from "./differences.ts";
import { migrateVerb } from "./verb.ts";

interface VerifyOptions extends TargetOptions {
  schema?: boolean;
}

export function registerMigrateVerify(migrate: Command): void {
  migrateVerb(migrate, "verify", "check that what is applied is what the files say (exit code 5 where not)")
    .option("--schema", "compare the live schema with what the applied files make in a scratch database, too")
    .action(action<VerifyOptions, []>(verify));
}

async function verify(run: Run, options: VerifyOptions) {
  const { describeProblem, readKnownStatus } = await import("../../migrate/verify.ts");
  const target = await resolveTarget(run, options);
  const { label } = target;
  const { applied, problems } = await readKnownStatus(target.connection, target.folder);
  const drift = problems.length === 0 && options.schema === true ? await schemaDrift(target) : undefined;
  const answer = { verified: applied.length, problems, ...(drift === undefined ? {} : { schema: drift }) };
  run.out.answer(answer, () => {
    if (problems.length > 0)
      return [`${label}: the files do not fit what is applied:`, ...problems.map(describeProblem)].join("\n");
    const files = `${label}: ${applied.length} applied migrations are as their files say`;
    return drift === undefined ? files : [files, describeDrift(label, drift)].join("\n");
  });
  return problems.length > 0 || (drift?.differences.length ?? 0) > 0 ? exitCode.wrong : exitCode.done;
}

async function schemaDrift({ connection, admin, folder }: Target) {
  const { readSchemaDrift } = await import("../../migrate/schema-drift.ts");
  return readSchemaDrift(connection, admin, folder);
}

function describeDrift(
  label: string,
  { objects, differences }: { objects: number; differences: Difference[] },
): string {
  if (differences.length === 0) return `${label}: the schema is what they make, ${objects} objects`;
  const count = differences.length === 1 ? "1 object differs" : `${differences.length} objects differ`;
  return [`${label}: ${count} from what they make:`, ...differences.map(describeDifference)].join("\n");
}
