import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { ListedImport } from "../../../import/verify-import.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { table } from "../../table.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";
import { bytes } from "../backup/texts.ts";

export function registerImportList(parent: Command): void {
  databaseVerb(parent, "list", "list the imports of a database").action(action<TargetOptions, []>(list));
}

async function list(context: CommandContext, options: TargetOptions) {
  const { listImports } = await import("../../../import/verify-import.ts");
  const { connection, label } = await resolveTarget(context, options);
  const runs = await listImports(connection);
  const answer = runs.map(({ id, phase, sourceKind, sourcePath, sourceSha256, startedAt, finishedAt, ...run }) => {
    const { appliedBy, stagedBytes } = run;
    return { id, phase, sourceKind, sourcePath, sourceSha256, startedAt, finishedAt, appliedBy, stagedBytes };
  });
  context.out.answer({ imports: answer }, () => (runs.length === 0 ? `${label}: no imports` : describe(runs)));
  return exitCode.done;
}

function describe(runs: readonly ListedImport[]): string {
  const isStaged = runs.some((run) => run.stagedBytes > 0);
  const rows = runs.map((run) => [
    run.id,
    run.phase,
    run.startedAt.toISOString(),
    ...(isStaged ? [run.stagedBytes === 0 ? "" : bytes(run.stagedBytes)] : []),
    run.sourcePath,
    run.appliedBy,
  ]);
  return [
    table(["run", "phase", "started", ...(isStaged ? ["staged rows"] : []), "source", "by"], rows),
    ...(isStaged
      ? [
          "Staged rows are kept until an interrupted run ends: import again to finish it, or run `import rollback <run>`.",
        ]
      : []),
  ].join("\n");
}
