import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import type { Baseline } from "../../../migrate/baseline.ts";
import type { OtherTool } from "../../../migrate/other-tools.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { type TargetOptions, targetToChange } from "../../target.ts";
import { describeDifference } from "./differences.ts";

interface BaselineOptions extends TargetOptions {
  to?: string;
  dryRun?: boolean;
  acceptDifferences?: boolean;
}

export function registerMigrateBaseline(migrate: Command): void {
  databaseVerb(
    migrate,
    "baseline",
    "adopt a database that already has the schema: record the migrations as applied and run none",
  )
    .option("--to <migration>", "last migration to record (number or file name); later ones stay pending")
    .option("--dry-run", "compare the schemas and record nothing (exit code 4)")
    .option("--accept-differences", "record the migrations although the schema differs from the one they create")
    .action(action<BaselineOptions, []>(adopt));
}

async function adopt(context: CommandContext, { to, dryRun, acceptDifferences, ...options }: BaselineOptions) {
  const { baseline } = await import("../../../migrate/baseline.ts");
  const { connection, admin, docker, folder, label, protected: isProtected } = await targetToChange(context, options);
  const result = await baseline({
    ...{ connection, admin, docker, folder, protected: isProtected },
    onProgress: (text) => showStep(context.out, text),
    to,
    dryRun,
    acceptDifferences,
    onWait: (holder) => context.out.note(`waiting for another deployer: ${describeHolder(holder)}`),
    signal: context.signal,
    runId: context.runId,
  });
  for (const tool of result.otherTools) context.out.note(describeTool(tool));
  context.out.answer(result, () => describe(label, result));
  if (result.recorded) return exitCode.done;
  return result.differences.length > 0 || result.notCompared !== null ? exitCode.wrong : exitCode.pending;
}

function describe(label: string, result: Baseline): string {
  const { files, recorded, objects, differences, notCompared, skippedHooks } = result;
  const range = files.length === 1 ? `${files[0]}` : `${files[0]} to ${files.at(-1)}`;
  const count = differences.length === 1 ? "1 object differs" : `${differences.length} objects differ`;
  const doubt =
    notCompared === null ? [] : [`${label}: the schema could not be compared with that of ${range}: ${notCompared}`];
  const answer =
    differences.length > 0
      ? [`${label}: ${count} from the schema of ${range}:`, ...differences.map(describeDifference)]
      : notCompared === null
        ? [`${label}: the schema matches that of ${range}, ${objects} objects`]
        : [];
  const skipped = skippedHooks.map((hook) => `${label}: compared without the hook ${hook}, because it runs a command`);
  const compared = [...answer, ...doubt, ...skipped].join("\n");
  if (recorded) return `${compared}\n${label}: ${files.length} recorded as applied, none run`;
  return differences.length === 0 && notCompared === null
    ? `${compared}\n${label}: ${files.length} would be recorded as applied`
    : `${compared}\nNothing was recorded. Change the schema to match, name the last applied file with --to, or add --accept-differences.`;
}

function describeTool({ tool, table, migrations, newest }: OtherTool): string {
  const said =
    migrations === null
      ? "but this role cannot read it"
      : `${migrations} recorded${newest === null ? "" : `, the newest ${newest}`}`;
  return `${table} belongs to ${tool}: ${said}. Stop using that tool before you migrate with pgroundwork.`;
}
