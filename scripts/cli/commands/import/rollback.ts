import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { RollbackResult } from "../../../import/run/rollback.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import { canAsk, confirm } from "../../confirm.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { table } from "../../table.ts";
import { type TargetOptions, targetToChange } from "../../target.ts";

interface RollbackOptions extends TargetOptions {
  dryRun?: boolean;
  yes?: boolean;
}

export function registerImportRollback(parent: Command): void {
  databaseVerb(
    parent,
    "rollback [run]",
    "delete the rows that an import inserted, and restore those that it updated or deleted (default: the newest one that wrote rows)",
  )
    .option("--dry-run", "show what would be deleted and restored, and change nothing (exit code 4)")
    .option("-y, --yes", "skip the confirmation")
    .action(action<RollbackOptions, [string | undefined]>(rollback));
}

async function rollback(context: CommandContext, options: RollbackOptions, named: string | undefined) {
  const { rollbackImport } = await import("../../../import/run/rollback.ts");
  const { connection, label } = await targetToChange(context, options);
  const onWait = (holder: Parameters<typeof describeHolder>[0]) =>
    context.out.note(`waiting for another deployer: ${describeHolder(holder)}`);
  const common = { connection, onWait, signal: context.signal };
  const plan = await rollbackImport({ ...common, run: named, dryRun: true });
  requireFree(plan);
  for (const passed of plan.passedOver) context.out.note(`import ${passed} is newer, and wrote no row`);
  if (options.dryRun) {
    context.out.answer({ ...plan, rolledBack: false }, () => describe(label, plan, "would be"));
    return exitCode.pending;
  }
  if (options.yes !== true) {
    context.out.note(describe(label, plan, "are"));
    if (!canAsk() || !(await confirm("Continue?", context.signal)))
      throw new OperationError("Rolling back an import needs a confirmation. Nothing was changed.", {
        hint: "Add --yes.",
        exitCode: exitCode.notAllowed,
      });
  }
  const done = await rollbackImport({ ...common, run: plan.run });
  requireFree(done);
  context.out.answer({ ...done, passedOver: plan.passedOver, rolledBack: true }, () => describe(label, done, "were"));
  return exitCode.done;
}

/** Refuses to go on if rows were changed or are referenced. */
function requireFree({ run, conflicts }: RollbackResult): void {
  if (conflicts.length === 0) return;
  const lines = conflicts.map(({ table: name, key, reason }) => `- ${name} ${key} ${reason}`);
  throw new OperationError([`Import ${run} cannot be rolled back. Nothing was changed:`, ...lines].join("\n"), {
    hint: "Undo these changes first, or delete the rows by a migration.",
  });
}

function describe(label: string, { run, tables }: RollbackResult, verb: string): string {
  const rows = tables.map((each) => [
    each.table,
    each.deleted.toLocaleString("en"),
    each.restored.toLocaleString("en"),
    each.reinserted.toLocaleString("en"),
    each.gone.toLocaleString("en"),
  ]);
  return [
    `${label}: these rows of import ${run} ${verb} rolled back`,
    table(["table", "deleted", "restored", "inserted again", "gone before"], rows),
  ].join("\n");
}
