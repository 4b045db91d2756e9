import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../engine/atomic-file.ts";
import { OperationError } from "../errors/operation-error.ts";
import type { ServerPlace } from "../server/locations.ts";

/*
 * The state forgets where a server's data is when the stack is taken down, and the data is deleted after that. What is written here in between lets a run
 * that was killed be completed by the next one.
 */

/** What of a stack is in a Docker engine. */
export interface VolumesPlace {
  /** The engine; absent: this machine's own. */
  dockerHost?: string | undefined;
  /** By which mark it is the stack's own: see `ownerOf`. */
  owner: string;
  /** Names of its volumes. */
  volumes: string[];
}

/** Where something lies that is erased. */
export type ErasedPlace = ServerPlace | VolumesPlace;

export function isServerPlace(place: ErasedPlace): place is ServerPlace {
  return "dataDirectory" in place;
}

export function isVolumesPlace(place: ErasedPlace): place is VolumesPlace {
  return "volumes" in place;
}

/** Writes down what is about to be erased. */
export function noteErasure(root: string, stack: string, places: readonly ErasedPlace[]): void {
  writeFileAtomically(noteOf(root, stack), `${JSON.stringify(places, undefined, 2)}\n`);
}

/** The places of an erasure that was begun and not finished. */
export function begunErasure(root: string, stack: string): ErasedPlace[] {
  const file = noteOf(root, stack);
  const text = readFileIfThere(file);
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as ErasedPlace[];
  } catch (error) {
    throw new OperationError(`Could not tell what an earlier erasure was about: ${file} is damaged.`, {
      remedy: `It names folders and volumes that were to be deleted. Delete it if they are gone.`,
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
