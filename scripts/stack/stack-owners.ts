import { ownerOf } from "../docker/names.ts";
import { backendVariable } from "./backend.ts";
import type { Stack } from "./stack.ts";

/**
 * Returns the owner marks of a stack's objects in a Docker engine. The mark in the state stays the same if the project
 * directory moves. The mark that this project directory would use now covers a state that was lost.
 *
 * @param recorded mark in the state; undefined if there is none
 */
export function ownersOf(stack: Stack, recorded: string | undefined): string[] {
  const own = ownerOf(backendVariable(stack), stack.root);
  return [...new Set(recorded === undefined ? [own] : [recorded, own])];
}
