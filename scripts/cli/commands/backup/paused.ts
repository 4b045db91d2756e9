import { enablingStatements } from "../../../backup/restore/in-place/paused-work.ts";
import { type ExitCode, exitCode } from "../../../core/operation-error.ts";
import { resumeCommand } from "../../../model/command-lines.ts";
import { isNothing, type PausedWork } from "../../../model/paused-work.ts";
import type { CommandContext } from "../../context.ts";
import { requireTyped } from "../../typed-name.ts";

/** Counts what is paused: `2 jobs and 1 subscription`. */
export function countPaused({ jobs, subscriptions }: PausedWork): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return [
    ...(jobs.length === 0 ? [] : [count(jobs.length, "job")]),
    ...(subscriptions.length === 0 ? [] : [count(subscriptions.length, "subscription")]),
  ].join(" and ");
}

/** Lists what a restore paused, and how it is enabled. */
export function describePaused(stack: string, paused: PausedWork): string[] {
  if (isNothing(paused)) return [];
  return [
    `${countPaused(paused)} came back with the restored state, and are paused until you confirm them:`,
    ...listPaused(paused),
    "to enable all of them:",
    `  ${resumeCommand(stack)}`,
    "or one of them, as a superuser:",
    ...enablingStatements(paused).map(({ database, sql }) => `  in ${database}: ${sql}`),
  ];
}

function listPaused({ jobs, subscriptions }: PausedWork): string[] {
  return [
    ...jobs.map(
      ({ id, name, database, schedule }) => `  job ${id} ${name ?? "without a name"} (${schedule}) in ${database}`,
    ),
    ...subscriptions.map(({ name, database }) => `  subscription ${name} in ${database}`),
  ];
}

/** Shows what will be enabled, and asks for the name of the stack. */
export async function confirmResumed(
  context: CommandContext,
  { stack, yes }: { stack: string; yes: boolean },
  paused: PausedWork,
): Promise<void> {
  const slots =
    paused.subscriptions.length === 0
      ? []
      : ["A publisher does not send again what the former cluster had confirmed: compare the rows first."];
  context.out.note(
    [`${countPaused(paused)} of stack "${stack}" will be enabled:`, ...listPaused(paused), ...slots].join("\n"),
  );
  if (!yes) await requireTyped(context, [stack], `Enabling them in stack "${stack}"`);
}

/** Reports what was enabled. */
export function reportResumed(context: CommandContext, stack: string, paused: PausedWork): ExitCode {
  context.out.answer({ stack, enabled: paused }, () => `enabled ${countPaused(paused)}`);
  return exitCode.done;
}
