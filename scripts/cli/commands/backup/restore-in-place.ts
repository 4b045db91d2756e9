import type { DeclaredAccess } from "../../../backup/restore/in-place/access.ts";
import type {
  InPlaceRequest,
  InPlaceRestored,
  Losses,
  Sessions,
} from "../../../backup/restore/in-place/in-place-request.ts";
import type { StackDifferences } from "../../../backup/restore/in-place/logins.ts";
import type { RequestedPoint } from "../../../backup/restore/request.ts";
import type { Restored } from "../../../backup/restore/restore.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { finishRestoreCommand, undoRestoreCommand } from "../../../model/command-lines.ts";
import { isNothing, type PausedWork } from "../../../model/paused-work.ts";
import { canAsk } from "../../confirm.ts";
import type { CommandContext } from "../../context.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { outputsOf, stackForReading } from "../../stack.ts";
import { showStep } from "../../step.ts";
import { requireTyped } from "../../typed-name.ts";
import { underStackLock } from "../../under-stack-lock.ts";
import { noteOnImage } from "./origin-text.ts";
import { confirmResumed, countPaused, describePaused, reportResumed } from "./paused.ts";
import { backupsOf } from "./stack.ts";

/** An in-place restore, its undo, or its end. */
export interface InPlaceCommand {
  stack: string;
  what: "restore" | "undo" | "finish" | "resume";
  generation: number | undefined;
  backup: string | undefined;
  point: RequestedPoint | undefined;
  recoverySeconds: number;
  yes: boolean;
  allowProtected: boolean;
  /** True to put a copy in place in which rows may be missing, without a question. */
  allowIncomplete: boolean;
}

/** Time limit in seconds for a start of the stack's server. */
const startSeconds = 600;

/** Runs `backup restore` with --in-place, --undo or --finish. */
export async function runInPlace(context: CommandContext, command: InPlaceCommand): Promise<ExitCode> {
  const { stack, what, yes } = command;
  const { withDocker } = await import("../../../docker/client.ts");
  const { ownHolder } = await import("../../../docker/scratch-holder.ts");
  const inPlace = await import("../../../backup/restore/in-place/in-place.ts");
  await refuseInCopy(context, stack);
  const { backups, dockerHost } = await backupsOf(context, stack, command);
  const outputs = await outputsOf(context, stack, true);
  if (outputs.protected && !command.allowProtected) {
    throw new OperationError(`Stack "${stack}" is protected.`, {
      hint: "Add --allow-protected to change its cluster. `--to` and `--to-volume` restore without changing it.",
      exitCode: exitCode.notAllowed,
    });
  }
  // Without a terminal, it would be refused after the long part of the work.
  if (!yes && !canAsk()) await requireTyped(context, [stack], `Changing the cluster of stack "${stack}"`);
  if (what === "resume") {
    const paused = await withDocker(dockerHost, (docker) =>
      inPlace.resumeInPlace(docker, backups, (found) => confirmResumed(context, command, found)),
    );
    return reportResumed(context, stack, paused);
  }
  let unchanged: string | undefined;
  const request: InPlaceRequest = {
    backup: command.backup,
    point: command.point,
    recoverySeconds: command.recoverySeconds,
    startSeconds,
    holder: await ownHolder(),
    outputs,
    // The engine's lock holds for every project directory and machine.
    exclusively: (work) => underStackLock(context, stack, async () => work(await outputsOf(context, stack, true))),
    declaredAccess: () => readDeclaredAccess(context, stack),
    signal: context.signal,
    onStep: (step) => showStep(context.out, step),
    onNote: (text) => {
      unchanged = "What a killed command had left was completed, and nothing else was changed.";
      context.out.note(text);
    },
  };
  const ask = async (lines: readonly string[], refused: string) => {
    context.out.endStep();
    context.out.note(lines.join("\n"));
    if (!yes) await requireTyped(context, [stack], refused, unchanged);
  };
  return withDocker(dockerHost, async (docker) => {
    switch (what) {
      case "restore": {
        const restored = await inPlace.restoreInPlace(docker, backups, request, async (ready, losses, paused) => {
          requireComplete(ready, command);
          await ask(describeLosses(stack, ready, losses, paused), `Restoring stack "${stack}" in place`);
        });
        return reportRestored(context, stack, restored);
      }
      case "undo": {
        const undone = await inPlace.undoInPlace(docker, backups, request, (time, sessions) =>
          ask(describeUndo(stack, time, sessions), `Undoing the restore of stack "${stack}"`),
        );
        if ("failed" in undone.newBackup) context.out.warn(noBackup(undone.newBackup.failed));
        context.out.answer({ stack, ...undone }, () =>
          [
            `stack "${stack}" is as it was before the restore; it was stopped for ${undone.downtimeSeconds.toFixed(1)} s`,
            `the restored cluster is kept in ${undone.undone}; remove it with:`,
            `  ${finishRestoreCommand(stack)}`,
          ].join("\n"),
        );
        return "failed" in undone.newBackup ? exitCode.wrong : exitCode.done;
      }
      case "finish": {
        const removed = await inPlace.finishInPlace(docker, backups, request, (folders) =>
          ask(
            [`These clusters of stack "${stack}" will be removed:`, ...folders.map((name) => `  ${name}`)],
            `Removing the former clusters of stack "${stack}"`,
          ),
        );
        context.out.answer({ stack, removed }, () => `removed ${removed.join(", ")}`);
        return exitCode.done;
      }
    }
  });
}

/** Without a person who reads what is missing, a copy that lacks rows does not replace a cluster that has them. */
function requireComplete({ incompleteReason }: Restored, { yes, allowIncomplete }: InPlaceCommand): void {
  if (incompleteReason === undefined || !yes || allowIncomplete) return;
  throw new OperationError(`Rows may be missing in the restored cluster: ${incompleteReason}`, {
    hint:
      "Nothing was changed. Name a target that the archive has (`npm run pgw -- backup window`), or look at the copy " +
      "with --to-volume. --allow-incomplete puts it in place all the same.",
    exitCode: exitCode.wrong,
  });
}

/** Reads the roles and privileges that the state of a stack declares. */
export async function readDeclaredAccess(context: CommandContext, stack: string): Promise<DeclaredAccess> {
  const declared = await import("../../../stack/declared-access.ts");
  return declared.readDeclaredAccess(await stackForReading(context, stack));
}

function describeLosses(
  stack: string,
  restored: Restored,
  { sessions, commits }: Losses,
  paused: PausedWork,
): string[] {
  const { point, reached, backup, databases } = restored;
  const rows = databases.flatMap(({ tables }) => tables).reduce((sum, each) => sum + each.rows, 0);
  return [
    `A restored cluster is ready beside that of stack "${stack}":`,
    `  from      ${backup}, recovered to ${reached.lsn} on timeline ${reached.timeline}: ${rows.toLocaleString("en")} rows`,
    `  includes  ${point?.lastIncluded?.at ?? reached.lastCommitAt ?? "no commit since the backup began"}, as the last commit`,
    ...(restored.incompleteReason === undefined ? [] : [`  rows may be missing: ${restored.incompleteReason}`]),
    ...restored.unproven.map(({ database, reason }) => `  the database ${database} could not be verified: ${reason}`),
    `  loses     every commit ${point?.firstNotIncluded == null ? "after that" : `from ${point.firstNotIncluded.at} on`}; the former cluster keeps them`,
    `            ${describeCommits(commits)}`,
    `  ends      ${sessions.length} sessions${listed(sessions)}`,
    ...noteOnImage(restored).map((note) => `  image     ${note}`),
    ...(isNothing(paused) ? [] : [`  pauses    ${countPaused(paused)}, until you confirm them`]),
  ];
}

function describeCommits(commits: Losses["commits"]): string {
  if (!commits.known) return `their number is not known: ${commits.reason}`;
  const count = `${commits.count.toLocaleString("en")} commit${commits.count === 1 ? "" : "s"}`;
  return commits.isLeast ? `at least ${count}; not all of the WAL was read` : `${count} until now`;
}

function describeUndo(stack: string, time: string, sessions: Sessions): string[] {
  return [
    `Stack "${stack}" will return to the cluster from before the restore of ${time}:`,
    "  loses     every commit since that restore; its cluster keeps them",
    `  ends      ${sessions.length} sessions${listed(sessions)}`,
  ];
}

function listed(sessions: Sessions): string {
  const names = new Set(sessions.map(({ application, user, database }) => `${application} (${user} in ${database})`));
  return names.size === 0 ? "" : `: ${[...names].join(", ")}`;
}

function noBackup(reason: string): string {
  return `No full backup could be made: ${reason} Make one: \`npm run pgw -- backup create --type full\``;
}

function reportRestored(context: CommandContext, stack: string, restored: InPlaceRestored): ExitCode {
  const { differences, newBackup, kept, downtimeSeconds, point, reached } = restored;
  const problems = [
    ...(restored.incompleteReason === undefined ? [] : [`rows may be missing: ${restored.incompleteReason}`]),
    ...restored.unproven.map(({ database, reason }) => `database "${database}" could not be verified: ${reason}`),
    ...("failed" in newBackup ? [noBackup(newBackup.failed)] : []),
  ];
  for (const problem of problems) context.out.warn(problem);
  for (const text of describeDifferences(differences)) context.out.warn(text);
  context.out.answer({ stack, ...restored }, () =>
    [
      `stack "${stack}" is restored to ${point?.lastIncluded?.at ?? reached.lastCommitAt ?? reached.lsn}; it was stopped for ${downtimeSeconds.toFixed(1)} s`,
      `the former cluster is kept in ${kept}, with everything up to ${restored.restorePoint ?? "its end"}`,
      "to return to it:",
      `  ${undoRestoreCommand(stack)}`,
      "to remove it:",
      `  ${finishRestoreCommand(stack)}`,
      ...describePaused(stack, restored.paused),
    ].join("\n"),
  );
  return problems.length === 0 ? exitCode.done : exitCode.wrong;
}

/** Describes what a restored cluster lacks, and how it comes back. */
export function describeDifferences({ missingRoles, missingDatabases, missingMigrations }: StackDifferences): string[] {
  const created = [
    ...missingDatabases.map((name) => `the database ${name}`),
    ...missingRoles.map((name) => `the role ${name}`),
  ];
  return [
    ...(created.length === 0
      ? []
      : [`The restored state does not have ${created.join(", ")}. \`refresh\`, then \`up\`, create them.`]),
    ...Object.entries(missingMigrations).map(
      ([database, files]) =>
        `The restored state of ${database} lacks migrations, which \`up\` applies: ${files.join(", ")}`,
    ),
  ];
}
