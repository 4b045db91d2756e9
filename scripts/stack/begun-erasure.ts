import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../engine/atomic-file.ts";
import { OperationError } from "../errors/operation-error.ts";
import type { ServerPlace } from "../server/locations.ts";

/*
 * The state forgets where a server's data is when the stack is taken down, and the data is deleted after that. What is written here in between lets a run
 * that was killed be completed by the next one.
 */

/** Writes down which servers are about to be erased. */
export function noteErasure(root: string, stack: string, places: readonly ServerPlace[]): void {
  writeFileAtomically(noteOf(root, stack), `${JSON.stringify(places, ["folder", "dataDirectory"], 2)}\n`);
}

/** The servers of an erasure that was begun and not finished. */
export function begunErasure(root: string, stack: string): ServerPlace[] {
  const file = noteOf(root, stack);
  const text = readFileIfThere(file);
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as ServerPlace[];
  } catch (error) {
    throw new OperationError(`Could not tell which servers an earlier erasure was about: ${file} is damaged.`, {
      remedy: `It names folders that were to be deleted. Delete it if they are gone.`,
      cause: error,
    });
  }
}

/** Nothing of the erasure is left to do, or it did not begin, or the stack was brought up since. */
export async function forgetErasure(root: string, stack: string): Promise<void> {
  await rm(noteOf(root, stack), { force: true });
}

function noteOf(root: string, stack: string): string {
  return join(root, ".pgroundwork", `erasing-${stack}.json`);
}
