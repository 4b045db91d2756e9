import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { OperationError } from "../core/operation-error.ts";
import type { ServerPlace } from "../server/locations.ts";

/*
 * When a stack is destroyed, its state no longer says where the server's data is. The data is deleted after that. The
 * note written in between lets the next run complete one that was killed.
 */

/** Volumes of a stack in a Docker engine. */
export interface VolumesPlace {
  /** Docker engine. Absent for the local one. */
  dockerHost?: string | undefined;
  /** Owner mark of the stack: see `ownerOf`. */
  owner: string;
  /** Names of the volumes. */
  volumes: string[];
}

/** Location of something that is erased. */
export type ErasedPlace = ServerPlace | VolumesPlace;

/** Returns true for the location of an embedded server. */
export function isServerPlace(place: ErasedPlace): place is ServerPlace {
  return "dataDirectory" in place;
}

/** Returns true for volumes in a Docker engine. */
export function isVolumesPlace(place: ErasedPlace): place is VolumesPlace {
  return "volumes" in place;
}

/** Writes the note of the locations that are about to be erased. */
export function noteErasure(root: string, stack: string, places: readonly ErasedPlace[]): void {
  writeFileAtomically(noteOf(root, stack), `${JSON.stringify(places, undefined, 2)}\n`);
}

/** Returns the locations of an erasure that was started and not finished. */
export function begunErasure(root: string, stack: string): ErasedPlace[] {
  const file = noteOf(root, stack);
  const text = readFileIfThere(file);
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as ErasedPlace[];
  } catch (error) {
    throw new OperationError(`Cannot read the record of an earlier erasure: ${file} is damaged.`, {
      hint: `It lists the folders and volumes to delete. If they are gone, delete this file.`,
      cause: error,
    });
  }
}

/**
 * Deletes the note of an erasure. Call it if nothing is left to erase, the erasure did not begin, or the stack was
 * brought up since.
 */
export async function forgetErasure(root: string, stack: string): Promise<void> {
  await rm(noteOf(root, stack), { force: true });
}

function noteOf(root: string, stack: string): string {
  return join(root, ".pgroundwork", `erasing-${stack}.json`);
}
