import type { Command } from "commander";
import { describeHolder } from "../../database/deployment-lock.ts";
import { exitCode } from "../../errors/operation-error.ts";
import type { Baseline } from "../../migrate/baseline.ts";
import type { OtherTool } from "../../migrate/other-tools.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { describeDifference } from "./differences.ts";
import { migrateVerb } from "./verb.ts";

interface BaselineOptions extends TargetOptions {
  to?: string;
  dryRun?: boolean;
  acceptDifferences?: boolean;
}

export function registerMigrateBaseline(migrate: Command): void {
  migrateVerb(migrate, "baseline", "adopt a database whose schema is there already: record the files, run none")
    .option("--to <migration>", "record up to this one, by number or file name; those after it stay pending")
    .option("--dry-run", "compare, and record nothing (exit code 4)")
    .option("--accept-differences", "record although the schema is not what the files make")
    .action(action<BaselineOptions, []>(adopt));
}

async function adopt(run: Run, { to, dryRun, acceptDifferences, ...options }: BaselineOptions) {
  const { baseline } = await import("../../migrate/baseline.ts");
  const { connection, admin, folder, label } = await resolveTarget(run, options);
  const result = await baseline({
    connection,
    admin,
    folder,
    to,
    dryRun,
    acceptDifferences,
    onWait: (holder) => run.out.note(`waiting for another deployer: ${describeHolder(holder)}`),
    signal: run.signal,
    runId: run.runId,
  });
  for (const tool of result.otherTools) run.out.note(describeTool(tool));
  run.out.answer(result, () => describe(label, result));
  if (result.recorded) return exitCode.done;
  return result.differences.length > 0 ? exitCode.wrong : exitCode.pending;
}

function describe(label: string, { files, recorded, objects, differences }: Baseline): string {
  const range = files.length === 1 ? `${files[0]}` : `${files[0]} to ${files.at(-1)}`;
  const count = differences.length === 1 ? "1 object differs" : `${differences.length} objects differ`;
  const compared =
    differences.length === 0
      ? `${label}: the schema is what ${range} make, ${objects} objects`
      : [`${label}: ${count} from what ${range} make:`, ...differences.map(describeDifference)].join("\n");
  if (recorded) return `${compared}\n${label}: ${files.length} recorded as applied, none was run`;
  return differences.length === 0
    ? `${compared}\n${label}: ${files.length} would be recorded as applied`
    : `${compared}\nNothing was recorded. Bring the schema to it, name with --to the last file whose work is there, or add --accept-differences.`;
}

function describeTool({ tool, table, migrations, newest }: OtherTool): string {
  const said =
    migrations === null
      ? "and this role may not read it"
      : `${migrations} recorded${newest === null ? "" : `, the newest ${newest}`}`;
  return `${table} is ${tool}'s: ${said}; take that tool out of your deployments before you migrate with this one`;
}
