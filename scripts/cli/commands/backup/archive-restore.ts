import { resolve } from "node:path";
import type { InPlaceOptions } from "../../../backup/physical/in-place.ts";
import type { RestoredArchive } from "../../../backup/physical/restore.ts";
import type { DescribedArchive } from "../../../backup/physical/store.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { finishRestoreCommand, undoRestoreCommand } from "../../../model/command-lines.ts";
import { isNothing, type PausedWork } from "../../../model/paused-work.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import { canAsk } from "../../confirm.ts";
import type { CommandContext } from "../../context.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { outputsOf } from "../../stack.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { requireTyped } from "../../typed-name.ts";
import { underStackLock } from "../../under-stack-lock.ts";
import { archiveSettings, embeddedPlace } from "./archive-place.ts";
import { confirmResumed, countPaused, describePaused, reportResumed } from "./paused.ts";
import { describeDifferences, readDeclaredAccess } from "./restore-in-place.ts";
import { bytes } from "./texts.ts";

/** A restore of a physical archive, its undo, or its end. */
export interface EmbeddedRestore {
  stack: string;
  /** Name of the archive. Default: the newest complete one of the stack. */
  backup: string | undefined;
  /** `directory`: the stack is not changed. */
  what: { kind: "directory"; path: string } | { kind: "restore" | "undo" | "finish" | "resume" };
  identity: string | undefined;
  yes: boolean;
  allowProtected: boolean;
}

/** Runs `backup restore` on a stack with an embedded server. */
export async function restoreEmbedded(context: CommandContext, command: EmbeddedRestore): Promise<ExitCode> {
  const { what } = command;
  return what.kind === "directory" ? restoreToFolder(context, command, what.path) : changeEmbedded(context, command);
}

async function restoreToFolder(context: CommandContext, command: EmbeddedRestore, to: string): Promise<ExitCode> {
  const { stack, backup = "latest", identity } = command;
  const { requireFree, withNote } = await import("../../../backup/restore/begun-restore.ts");
  const directory = await import("../../../backup/restore/extract-directory.ts");
  const { restoreArchive } = await import("../../../backup/physical/restore.ts");
  const { findArchive } = await import("../../../backup/physical/store.ts");
  const destination = { kind: "directory", path: resolve(to) } as const;
  await requireFree(context.root, stack, destination);
  await directory.requireEmptyDirectory(destination.path);
  await directory.requireWritableDirectory(destination.path);
  const archive = await findArchive(archiveSettings(context).folder, backup, stack);
  const began = performance.now();
  const restored = await withNote(context.root, stack, { to: destination }, (holder) =>
    restoreArchive(archive, {
      ...{ to: destination.path, identityFile: identity ?? context.env.BACKUP_IDENTITY_FILE, holder },
      signal: context.signal,
      onStep: (step) => showStep(context.out, step),
    }),
  );
  context.out.endStep();
  const seconds = (performance.now() - began) / 1_000;
  warnOfUnlogged(context, restored);
  context.out.answer({ stack, to: destination, ...restored, seconds: Math.round(seconds) }, () =>
    [
      describeRows(restored),
      "",
      `restored from ${restored.id} to ${destination.path} in ${seconds.toFixed(1)} s`,
      ...describeProof(archive, restored),
      "to start a server on it: set pgroundwork:dataDirectory of a new stack to this folder, and run `up`",
    ].join("\n"),
  );
  return exitCode.done;
}

async function changeEmbedded(context: CommandContext, command: EmbeddedRestore): Promise<ExitCode> {
  const { stack, what, yes, identity } = command;
  const { ownHolder } = await import("../../../docker/scratch-holder.ts");
  const inPlace = await import("../../../backup/physical/in-place.ts");
  await refuseInCopy(context, stack);
  const outputs = await outputsOf(context, stack, false);
  const { server } = outputs;
  if (server.kind !== "embedded") throw new Error("The server of the stack is not embedded.");
  requireAllowed(outputs, command);
  // Without a terminal, it would be refused after the long part of the work.
  if (!yes && !canAsk()) await requireTyped(context, [stack], `Changing the cluster of stack "${stack}"`);
  if (what.kind === "resume") {
    const { serverConnection } = await import("../../../stack/outputs.ts");
    const { database: _, ...superuser } = serverConnection(await outputsOf(context, stack, true));
    const directory = { data: server.dataDirectory, log: server.logDirectory };
    const paused = await inPlace.resumeArchiveWork({ directory }, superuser, (found) =>
      confirmResumed(context, command, found),
    );
    return reportResumed(context, stack, paused);
  }
  const options: InPlaceOptions = {
    identityFile: identity ?? context.env.BACKUP_IDENTITY_FILE,
    holder: await ownHolder(),
    signal: context.signal,
    onStep: (step) => showStep(context.out, step),
    onNote: (text) => context.out.note(text),
    declaredAccess: () => readDeclaredAccess(context, stack),
    exclusively: (work) => underStackLock(context, stack, async () => work(await outputsOf(context, stack, true))),
  };
  const place = await embeddedPlace(context, stack, server);
  const ask = async (lines: readonly string[], refused: string) => {
    context.out.endStep();
    context.out.note(lines.join("\n"));
    if (!yes) await requireTyped(context, [stack], refused);
  };
  switch (what.kind) {
    case "undo": {
      const undone = await inPlace.undoArchiveRestore(place, options, (time) =>
        ask(
          [
            `Stack "${stack}" will return to the cluster from before the restore of ${time}:`,
            "  loses     every commit since that restore; its cluster keeps them",
            "  ends      all sessions",
          ],
          `Undoing the restore of stack "${stack}"`,
        ),
      );
      context.out.answer({ stack, ...undone }, () =>
        [
          `stack "${stack}" is as it was before the restore; it was stopped for ${undone.downtimeSeconds.toFixed(1)} s`,
          `the restored cluster is kept in ${undone.undone}; remove it with:`,
          `  ${finishRestoreCommand(stack)}`,
        ].join("\n"),
      );
      return exitCode.done;
    }
    case "finish": {
      const removed = await inPlace.finishArchiveRestore(place, options, (folders) =>
        ask(
          [`These clusters of stack "${stack}" will be removed:`, ...folders.map((name) => `  ${name}`)],
          `Removing the former clusters of stack "${stack}"`,
        ),
      );
      context.out.answer({ stack, removed }, () => `removed ${removed.join(", ")}`);
      return exitCode.done;
    }
    default: {
      const { findArchive } = await import("../../../backup/physical/store.ts");
      const archive = await findArchive(archiveSettings(context).folder, command.backup ?? "latest", stack);
      const restored = await inPlace.restoreArchiveInPlace(place, archive, options, (ready, paused) =>
        ask(describeLosses(stack, archive, ready, paused), `Restoring stack "${stack}" in place`),
      );
      context.out.endStep();
      warnOfUnlogged(context, restored);
      for (const text of describeDifferences(restored.differences)) context.out.warn(text);
      context.out.answer({ stack, ...restored }, () =>
        [
          `stack "${stack}" is restored from ${restored.id}; it was stopped for ${restored.downtimeSeconds.toFixed(1)} s`,
          ...describeProof(archive, restored),
          `the former cluster is kept in ${restored.kept}`,
          "to return to it:",
          `  ${undoRestoreCommand(stack)}`,
          "to remove it:",
          `  ${finishRestoreCommand(stack)}`,
          ...describePaused(stack, restored.paused),
        ].join("\n"),
      );
      return exitCode.done;
    }
  }
}

/** @throws OperationError (not allowed) if the stack is protected and that was not allowed */
function requireAllowed(outputs: StackOutputs, { stack, backup, what, allowProtected }: EmbeddedRestore): void {
  if (!outputs.protected || allowProtected) return;
  const option = what.kind === "restore" ? "in-place" : what.kind;
  const named = backup === undefined ? "" : ` --backup ${backup}`;
  throw new OperationError(`Stack "${stack}" is protected.`, {
    hint: `To change its cluster: npm run pgw -- backup restore --${option}${named} --stack ${stack} --allow-protected`,
    exitCode: exitCode.notAllowed,
  });
}

function warnOfUnlogged(context: CommandContext, { unlogged }: RestoredArchive): void {
  for (const { database, tables, sequences } of unlogged)
    context.out.warn(
      `database "${database}": unlogged tables and sequences are empty after every restore: ${[...tables, ...sequences].join(", ")}`,
    );
}

function rowsOf({ databases }: RestoredArchive): number {
  return databases.flatMap(({ tables }) => tables).reduce((sum, { rows }) => sum + rows, 0);
}

function describeRows({ databases }: RestoredArchive): string {
  const rows = databases.map(({ database, size, tables }) => [
    database,
    bytes(size),
    String(tables.length),
    tables.reduce((sum, each) => sum + each.rows, 0).toLocaleString("en"),
  ]);
  return table(["database", "size", "tables", "rows read"], rows);
}

/** Describes what was compared. */
function describeProof({ metadata }: DescribedArchive, restored: RestoredArchive): string[] {
  const migrations = metadata.databases.reduce((sum, each) => sum + (each.migrations?.length ?? 0), 0);
  return [
    `compared: the checksum of the archive, system identifier ${restored.systemIdentifier}, ${metadata.databases.length} databases, ${migrations} migrations`,
    `a server started on it and read all ${rowsOf(restored).toLocaleString("en")} rows`,
  ];
}

function describeLosses(
  stack: string,
  { metadata }: DescribedArchive,
  restored: RestoredArchive,
  paused: PausedWork,
): string[] {
  return [
    `A restored cluster is ready beside that of stack "${stack}":`,
    `  from      ${restored.id}, complete at ${metadata.finishedAt}: ${rowsOf(restored).toLocaleString("en")} rows`,
    "  loses     every commit after that, in all databases; the former cluster keeps them",
    "  ends      all sessions",
    ...(isNothing(paused) ? [] : [`  pauses    ${countPaused(paused)}, until you confirm them`]),
  ];
}
