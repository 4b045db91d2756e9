import type { LoadPlan } from "../../../backup/dump/load-plan.ts";
import type { Backup } from "../../../backup/info.ts";
import type { RequestedPoint } from "../../../backup/restore/request.ts";
import type { NeededSpace, OnlyRestored } from "../../../backup/restore/restore-only.ts";
import { inDatabase } from "../../../connection/connection.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { canAsk } from "../../confirm.ts";
import type { CommandContext } from "../../context.ts";
import {
  dumpSettings,
  type EncryptionOptions,
  recipientsFor,
  reportReplaced,
  resolveDumpTarget,
  restoreCommand,
} from "../../dump-target.ts";
import { showStep } from "../../step.ts";
import { requireTyped } from "../../typed-name.ts";
import { noteOnImage } from "./origin-text.ts";
import { backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

/** Arguments of `backup restore --only`. */
export interface OnlyCommand extends EncryptionOptions {
  stack: string;
  only: string;
  into: string | undefined;
  repository: string | undefined;
  generation: number | undefined;
  backup: string | undefined;
  point: RequestedPoint | undefined;
  recoverySeconds: number;
  yes: boolean;
  allowProtected: boolean;
}

/** Runs `backup restore --only`. */
export async function runOnly(context: CommandContext, command: OnlyCommand): Promise<ExitCode> {
  const { stack, only, into = only, backup, point, recoverySeconds, yes, allowProtected } = command;
  const { withDocker } = await import("../../../docker/client.ts");
  const { ownHolder } = await import("../../../docker/scratch-holder.ts");
  const { restoreOnly } = await import("../../../backup/restore/restore-only.ts");
  const { backups, dockerHost } = await backupsOf(context, stack, command);
  const target = await resolveDumpTarget(context, { stack, database: only });
  if (target.isProtected === true && into === only && !allowProtected)
    throw new OperationError(`Stack "${stack}" is protected.`, {
      hint: "Add --allow-protected to replace its database. --into NAME restores it beside the existing one.",
      exitCode: exitCode.notAllowed,
    });
  const { folder, compressed } = dumpSettings(context);
  // Before the long part of the work.
  const recipients = into === only ? recipientsFor(context, command, target.isProtected) : [];
  const what = into === only ? `Replacing the database "${only}"` : `Creating the database "${into}"`;
  if (!yes && !canAsk()) await requireTyped(context, [into], what);
  const onStep = (step: string) => showStep(context.out, step);
  const { signal, env } = context;
  const request = {
    ...{ database: only, into, backup, point, recoverySeconds, signal, onStep, holder: await ownHolder() },
    target: { ...target.source, database: into, connection: inDatabase(target.source.connection, into) },
    maintenance: target.maintenance,
    docker: { host: dockerHost, owner: backups.owner },
    options: {
      ...{ folder, compressed, recipients, jobs: 1, env, signal, onStep },
      restoreCommand: (id: string) => restoreCommand(context, target, id),
    },
    async accept({ backup: { label, size } }: { backup: Pick<Backup, "label" | "size"> }) {
      context.out.note(
        `the copy of ${label} needs about ${bytes(size)} where the Docker engine keeps its volumes, until the end`,
      );
    },
    async confirm(plan: LoadPlan, _copy: unknown, space: NeededSpace) {
      context.out.note([describePlan(plan, command, into), describeSpace(space)].join("\n"));
      if (!yes) await requireTyped(context, [into], what);
    },
  };
  const done = await withDocker(dockerHost, (docker) => restoreOnly(docker, backups, request));
  const { restored, loaded } = done;
  await reportReplaced(context, loaded);
  for (const note of noteOnImage(restored)) context.out.note(note);
  const { previous, kept } = loaded;
  const answer = {
    stack,
    database: only,
    into,
    backup: restored.backup,
    reached: restored.reached,
    point: restored.point,
  };
  context.out.answer({ ...answer, ...loaded, previous: previous?.id ?? null, kept: kept ?? null }, () =>
    describe(done, command, into),
  );
  return exitCode.done;
}

function describePlan({ existing }: LoadPlan, { only, stack }: OnlyCommand, into: string): string {
  if (existing === undefined)
    return `The database "${into}" of stack "${stack}" will be created from ${only} of the backup.`;
  const sessions = existing.sessions.length === 0 ? "" : `; ${existing.sessions.length} of its sessions are terminated`;
  return `The database "${into}" of stack "${stack}" (${bytes(existing.bytes)}) will be replaced. It is dumped before it is dropped${sessions}.`;
}

function describeSpace({ volume, neededBytes, freeBytes }: NeededSpace): string {
  return `It needs about ${bytes(neededBytes)} in the volume ${volume}, which has ${bytes(freeBytes)} free.`;
}

function describe({ restored, loaded }: OnlyRestored, { only, stack }: OnlyCommand, into: string): string {
  const { reached, backup, point } = restored;
  const last = point?.lastIncluded?.at ?? reached.lastCommitAt;
  return [
    `"${into}" of stack "${stack}" is as ${only} was at ${reached.lsn} of timeline ${reached.timeline}, from ${backup}`,
    ...(last === null ? [] : [`last commit ${last}`]),
    `${loaded.tables} tables with ${loaded.rows.toLocaleString("en")} rows, all as in the backup`,
    ...(loaded.terminated === 0 ? [] : [`${loaded.terminated} sessions were terminated`]),
    ...(loaded.previous === undefined ? [] : ["to return to what was there before:", `  ${loaded.previous.restore}`]),
  ].join("\n");
}
