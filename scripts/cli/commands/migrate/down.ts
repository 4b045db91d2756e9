import { type Command, InvalidArgumentError } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { RevertEvent } from "../../../migrate/down.ts";
import type { PlannedRevert } from "../../../migrate/revert-plan.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { type Target, type TargetOptions, targetToChange } from "../../target.ts";
import { backUpBeforeRevert } from "./backup-before-revert.ts";
import { confirmRevert, describeLosses } from "./confirm-revert.ts";
import { showLockTimeout, showWaiting } from "./lock-events.ts";
import { renewConnections } from "./pooled-connections.ts";
import { type RunOptions, withRunOptions } from "./verb.ts";

interface DownOptions extends TargetOptions, RunOptions {
  steps?: number;
  to?: string;
  dryRun?: boolean;
  yes?: boolean;
  backup: boolean;
  encrypt: boolean;
}

export function registerMigrateDown(migrate: Command): void {
  const verb = databaseVerb(
    migrate,
    "down",
    "revert applied migrations, newest first; their data is lost. Before that, make a restore point (stack with " +
      "backups), a snapshot or a dump, and print the command that returns to it",
  )
    .option("--steps <number>", "number of migrations to revert (default: 1)", count)
    .option("--to <migration>", "revert all migrations after this one (number or file name); 0 reverts all of them")
    .option(
      "--dry-run",
      "list the migrations that would be reverted and the rows that would be lost, and run nothing (exit code 4)",
    )
    .option("-y, --yes", "skip the confirmation; a stack that is not protected needs one only if rows may be lost")
    .option("--no-backup", "make no restore point, snapshot or dump")
    .option("--no-encrypt", "do not encrypt the dump of a protected stack");
  withRunOptions(verb).action(action<DownOptions, []>(down));
}

async function down(context: CommandContext, options: DownOptions) {
  const { previewRevert, revertMigrations } = await import("../../../migrate/down.ts");
  const target = await targetToChange(context, options);
  const { connection, folder, label } = target;
  const { steps, to, allow, lockTimeout, statementTimeout, retryFor } = options;
  const planned = await previewRevert(connection, folder, { steps, to, allow });
  if (options.dryRun === true) return dryRun(context, target, planned);
  // For a database given by its connection, it is not known whether it holds real data.
  const always = target.protected !== false;
  if (planned.length > 0 && options.yes !== true) await confirmRevert(context, target, planned, always);
  for (const { down: file } of planned.filter(({ downChanged }) => downChanged))
    context.out.note(`${file.filename} changed after its migration was applied; it runs as it is now`);
  const backup = planned.length === 0 || !options.backup ? null : await backUpBeforeRevert(context, target, options);
  const { reverted } =
    planned.length === 0
      ? { reverted: [] }
      : await revertMigrations({
          connection,
          folder,
          steps,
          to,
          allow,
          expected: planned,
          timeouts: { lockTimeout, statementTimeout, retryFor },
          onEvent: (event) => showEvent(context, event),
          signal: context.signal,
          runId: context.runId,
        });
  if (reverted.length > 0) await renewConnections(context, target, options);
  context.out.answer({ reverted, backup }, () =>
    reverted.length === 0 ? `${label}: nothing to revert` : `${label}: ${reverted.length} reverted`,
  );
  return exitCode.done;
}

async function dryRun(
  context: CommandContext,
  { connection, folder, label }: Target,
  planned: readonly PlannedRevert[],
) {
  const { readDownLosses } = await import("../../../migrate/down-losses.ts");
  const lost = planned.length === 0 ? { losses: [], unclear: [] } : await readDownLosses(connection, folder, planned);
  const files = planned.map(({ filename, down: { transactional, filename: downFile }, downChanged }) => {
    return { filename, downFile, transactional, downChanged };
  });
  context.out.answer({ planned: files, ...lost }, () => {
    const lines = files.map(
      ({ filename, transactional, downChanged }) =>
        `  ${filename}${transactional ? "" : "  outside a transaction"}${downChanged ? "  down migration changed since it was applied" : ""}`,
    );
    return planned.length === 0
      ? `${label}: nothing to revert`
      : [`${label}: ${planned.length} would be reverted`, ...lines, ...describeLosses(lost)].join("\n");
  });
  return planned.length > 0 ? exitCode.pending : exitCode.done;
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1.");
}

function showEvent(context: CommandContext, event: RevertEvent): void {
  switch (event.kind) {
    case "waiting":
      showWaiting(context, event.holder);
      return;
    case "lock-timeout":
      showLockTimeout(context, event);
      return;
    case "reverted":
      context.out.note(`reverted ${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
