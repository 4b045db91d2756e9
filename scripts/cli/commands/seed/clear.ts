import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { describeHolder } from "../../../ledger/deployment-lock.ts";
import type { ClearedSeeds } from "../../../seed/clear.ts";
import { canAsk, confirm } from "../../confirm.ts";
import { action, type CommandContext } from "../../context.ts";
import { table } from "../../table.ts";
import { type Target, targetToChange } from "../../target.ts";
import { setsOf } from "./sets.ts";
import { type SeedOptions, seedVerb } from "./verb.ts";

interface ClearOptions extends SeedOptions {
  dryRun?: boolean;
  force?: boolean;
  yes?: boolean;
}

export function registerSeedClear(seed: Command): void {
  seedVerb(seed, "clear", "delete the rows that the seeds inserted, and nothing else")
    .option("--dry-run", "show what would be deleted and delete nothing (exit code 4)")
    .option("--force", "also delete rows that were changed after they were seeded")
    .option("-y, --yes", "skip the confirmation")
    .action(action<ClearOptions, []>(clear));
}

async function clear(context: CommandContext, options: ClearOptions) {
  const { clearSeeds } = await import("../../../seed/clear.ts");
  const target = await targetToChange(context, options);
  refuseProtected(target);
  const sets = await setsOf(context, options, target);
  const { force = false, dryRun = false, yes = false } = options;
  const { connection } = target;
  const onWait = (holder: Parameters<typeof describeHolder>[0]) =>
    context.out.note(`waiting for another deployer: ${describeHolder(holder)}`);
  const clearing = { connection, sets, force, onWait, signal: context.signal };
  const plan = await clearSeeds({ ...clearing, dryRun: true });
  if (dryRun || plan.files.length === 0) {
    context.out.answer({ ...plan, cleared: false }, () => describe(target, plan, "would be deleted"));
    return plan.files.length === 0 ? exitCode.done : exitCode.pending;
  }
  if (!yes) {
    context.out.note(describe(target, plan, "are deleted"));
    await requireConfirmation(context);
  }
  const cleared = await clearSeeds({ ...clearing, expected: plan });
  context.out.answer({ ...cleared, cleared: true }, () =>
    [
      describe(target, cleared, "deleted"),
      "To insert them again: `seed apply`. The next `up` does so on a stack with these sets in its settings.",
    ].join("\n"),
  );
  return exitCode.done;
}

function refuseProtected({ protected: isProtected, label }: Target): void {
  if (isProtected !== true) return;
  throw new OperationError(`${label} is protected, so its seeds are not cleared.`, {
    hint: "Delete what is to go by a migration.",
    exitCode: exitCode.notAllowed,
  });
}

async function requireConfirmation(context: CommandContext): Promise<void> {
  if (canAsk() && (await confirm("Continue?", context.signal))) return;
  throw new OperationError("Clearing seeds needs a confirmation. Nothing was changed.", {
    hint: "Add --yes.",
    exitCode: exitCode.notAllowed,
  });
}

function describe({ label }: Target, { deleted, files, unknownTables }: ClearedSeeds, verb: string): string {
  if (files.length === 0) return `${label}: there are no seeded rows`;
  const total = deleted.reduce((sum, { rows }) => sum + rows, 0);
  return [
    `${label}: ${total.toLocaleString("en")} rows of ${files.length} seed files ${verb}`,
    ...(deleted.length === 0
      ? []
      : [
          table(
            ["table", "rows"],
            deleted.map((each) => [each.table, each.rows.toLocaleString("en")]),
          ),
        ]),
    ...unknownTables.map((name) => `${name} keeps its seeded rows: it has no primary key to identify them`),
  ].join("\n");
}
