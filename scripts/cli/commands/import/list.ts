import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { table } from "../../table.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";

export function registerImportList(parent: Command): void {
  databaseVerb(parent, "list", "list the imports of a database").action(action<TargetOptions, []>(list));
}

async function list(context: CommandContext, options: TargetOptions) {
  const { listImports } = await import("../../../import/verify-import.ts");
  const { connection, label } = await resolveTarget(context, options);
  const runs = await listImports(connection);
  const answer = runs.map(({ id, phase, sourceKind, sourcePath, sourceSha256, startedAt, finishedAt, appliedBy }) => {
    return { id, phase, sourceKind, sourcePath, sourceSha256, startedAt, finishedAt, appliedBy };
  });
  context.out.answer({ imports: answer }, () =>
    runs.length === 0
      ? `${label}: no imports`
      : table(
          ["run", "phase", "started", "source", "by"],
          answer.map((each) => [each.id, each.phase, each.startedAt.toISOString(), each.sourcePath, each.appliedBy]),
        ),
  );
  return exitCode.done;
}
