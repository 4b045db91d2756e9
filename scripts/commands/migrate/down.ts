import { type Command, InvalidArgumentError } from "commander";
import { describeHolder } from "../../database/deployment-lock.ts";
import { exitCode } from "../../errors/operation-error.ts";
import { describeBlocker } from "../../migrate/blockers.ts";
import type { UndoEvent } from "../../migrate/down.ts";
import type { PlannedUndo } from "../../migrate/undo-plan.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type Target, type TargetOptions } from "../cli/target.ts";
import { requireTyped } from "../cli/typed-name.ts";
import { migrateVerb, type RunOptions, withRunOptions } from "./verb.ts";

interface DownOptions extends TargetOptions, RunOptions {
  steps?: number;
  to?: string;
  dryRun?: boolean;
  yes?: boolean;
}

export function registerMigrateDown(migrate: Command): void {
  const verb = migrateVerb(migrate, "down", "undo what is applied, newest first; the rows in it are lost")
    .option("--steps <number>", "how many files (default: 1)", count)
    .option("--to <migration>", "undo what comes after this one, by number or file name; 0: everything")
    .option("--dry-run", "say what would be undone, and run nothing (exit code 4)")
    .option("-y, --yes", "ask nothing; without it only a stack that is not protected is not asked for");
  withRunOptions(verb).action(action<DownOptions, []>(down));
}

async function down(run: Run, options: DownOptions) {
  const { previewUndo, undoMigrations } = await import("../../migrate/down.ts");
  const target = await resolveTarget(run, options);
  const { connection, folder, label } = target;
  const { steps, to, allow, lockTimeout, statementTimeout, retryFor } = options;
  const planned = await previewUndo(connection, folder, { steps, to, allow });
  if (options.dryRun === true) return dryRun(run, label, planned);
  if (planned.length > 0 && options.yes !== true) await requireConsent(run, target, planned);
  for (const { down: file } of planned.filter(({ downChanged }) => downChanged))
    run.out.note(`${file.filename} is not the one that was there when its migration was applied; it runs as it is now`);
  const { undone } =
    planned.length === 0
      ? { undone: [] }
      : await undoMigrations({
          connection,
          folder,
          steps,
          to,
          allow,
          expected: planned.map(({ filename }) => filename),
          timeouts: { lockTimeout, statementTimeout, retryFor },
          onEvent: (event) => showEvent(run, event),
          signal: run.signal,
          runId: run.runId,
        });
  run.out.answer({ undone }, () =>
    undone.length === 0 ? `${label}: nothing to undo` : `${label}: ${undone.length} undone`,
  );
  return exitCode.done;
}

/** Of a database that is given by its connection nobody knows what it is worth; one of an unprotected stack is made to be undone. */
async function requireConsent(run: Run, target: Target, planned: readonly PlannedUndo[]): Promise<void> {
  if (target.protected === false) return;
  const { database } = target.connection;
  run.out.note(
    [`${target.label}: undone would be, with the rows in it:`, ...planned.map(({ filename }) => `  ${filename}`)].join(
      "\n",
    ),
  );
  await requireTyped(run, [database], `Undoing migrations of ${target.label}`);
}

function dryRun(run: Run, label: string, planned: readonly PlannedUndo[]) {
  const files = planned.map(({ filename, down: { transactional, filename: downFile }, downChanged }) => {
    return { filename, downFile, transactional, downChanged };
  });
  run.out.answer({ planned: files }, () => {
    const lines = files.map(
      ({ filename, transactional, downChanged }) =>
        `  ${filename}${transactional ? "" : "  outside a transaction"}${downChanged ? "  its way back changed since it was applied" : ""}`,
    );
    return planned.length === 0
      ? `${label}: nothing to undo`
      : [`${label}: ${planned.length} would be undone`, ...lines].join("\n");
  });
  return planned.length > 0 ? exitCode.pending : exitCode.done;
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1.");
}

function showEvent(run: Run, event: UndoEvent): void {
  switch (event.kind) {
    case "waiting":
      run.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
      return;
    case "gave-way": {
      const who = event.blockers.length === 0 ? "" : `: ${event.blockers.map(describeBlocker).join(", ")}`;
      run.out.warn(
        `${event.filename} gave way to who holds its lock${who}; again in ${(event.pauseMs / 1000).toFixed(1)} s`,
      );
      return;
    }
    case "undone":
      run.out.note(`undone ${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
