import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { ownHolder, scratchHolder } from "../../docker/scratch-holder.ts";
import { recoverCommand } from "../../model/command-lines.ts";
import type { Destination } from "./request.ts";

/*
 * A restore that is killed leaves part of a cluster in a folder or volume that the caller chose. While a restore runs,
 * a note in the project directory names the destination, so that `recover` finds it. A file in the destination marks it
 * as unfinished.
 */

/** Name of the file that marks a folder or volume until its cluster is complete. */
export const unfinishedMark = "RESTORE-NOT-FINISHED";

/** Returns the text of the mark: its meaning, and the process that restores. */
export function markText(holder: string): string {
  return `A restore did not complete here. This is an incomplete cluster; do not use it.\nrestore ${holder}\n`;
}

/** A restore that was started, and is running or was killed. */
export interface BegunRestore {
  /** The process that restores: see `ownHolder`. */
  holder: string;
  to: Destination;
  /** Docker engine of the volume. undefined for the local engine. */
  dockerHost?: string | undefined;
}

/** Note of a restore, with the state of its process. */
export interface NotedRestore extends BegunRestore {
  note: string;
  state: Awaited<ReturnType<typeof scratchHolder>>;
}

/** Returns the temporary name of a restored directory, used until the copy is complete. */
export function unfinishedDirectory(path: string): string {
  return `${path}.unfinished`;
}

/**
 * Refuses a destination that another restore of the stack uses, or where a killed one left part of a cluster.
 *
 * @throws OperationError (not allowed)
 */
export async function requireFree(root: string, stack: string, to: Destination): Promise<void> {
  for (const other of await notedRestores(root, stack)) if (isSame(other.to, to)) throw refusal(other, stack);
}

/** Keeps a note of a restore while it runs. */
export async function withNote<T>(
  root: string,
  stack: string,
  restore: Omit<BegunRestore, "holder">,
  work: (holder: string) => Promise<T>,
): Promise<T> {
  const holder = await ownHolder();
  const note = join(root, ".pgroundwork", `restoring-${stack}-${randomUUID()}.json`);
  writeFileAtomically(note, `${JSON.stringify({ holder, ...restore })}\n`);
  try {
    return await work(holder);
  } finally {
    await rm(note, { force: true });
  }
}

/** Reads the notes of a stack's restores. */
export async function notedRestores(root: string, stack: string): Promise<NotedRestore[]> {
  const folder = join(root, ".pgroundwork");
  const names = (await unlessAbsent(readdir(folder))) ?? [];
  const noted: NotedRestore[] = [];
  // The name of a stack can begin with the name of another one.
  const isOwn = (name: string) =>
    name.replace(/-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.json$/, "") === `restoring-${stack}`;
  for (const note of names.filter(isOwn).map((name) => join(folder, name))) {
    const text = await unlessAbsent(readFile(note, "utf8"));
    if (text === undefined) continue;
    const begun = parseNote(note, text);
    noted.push({ ...begun, note, state: await scratchHolder(begun.holder) });
  }
  return noted;
}

function parseNote(note: string, text: string): BegunRestore {
  try {
    return JSON.parse(text) as BegunRestore;
  } catch (error) {
    throw new OperationError(`The destination of an earlier restore is not known: ${note} is damaged.`, {
      hint: "This file names a folder or volume with an incomplete cluster. If that is gone, delete this file.",
      cause: error,
    });
  }
}

/** Formats a destination for messages. */
export function describeDestination(to: Destination): string {
  return to.kind === "directory" ? to.path : `the volume ${to.name}`;
}

function isSame(one: Destination, other: Destination): boolean {
  return describeDestination(one) === describeDestination(other);
}

function refusal({ to, state }: NotedRestore, stack: string): OperationError {
  const where = describeDestination(to);
  if (state === "gone") {
    return new OperationError(`A restore to ${where} was killed and left an incomplete cluster.`, {
      hint: `Remove what it left, then try again: \`${recoverCommand(stack)}\``,
      exitCode: exitCode.notAllowed,
    });
  }
  return new OperationError(`Another restore to ${where} is running.`, {
    hint: "Wait for it to end, or choose another destination.",
    exitCode: exitCode.notAllowed,
  });
}
