import { forgetErasure, noteErasure } from "../begun-erasure.ts";
import type { Stack } from "../stack.ts";
import { stackContent } from "../stack-content.ts";
import { StackLocked } from "../stack-locked.ts";
import { readState, removeState } from "../stack-state.ts";
import type { Remains } from "./cluster-files.ts";
import type { ErasableData } from "./stack-data.ts";

/** Arguments of `eraseStack`. */
export interface StackErasure {
  stack: Stack;
  /** Data of every kind of server. */
  data: readonly ErasableData[];
  /**
   * Destroys the stack. Calls `begin` when it is certain to do so: the stack is locked and has not changed since it was
   * shown.
   */
  takeDown: (begin: () => void) => Promise<unknown>;
  /** Called with a description of each step. */
  onStep: (step: string) => void;
  signal: AbortSignal;
}

/**
 * Erases everything of a stack: the resources in its state, its server with data and log, and the state itself.
 * Settings stay. The engine runs first. It refuses if another run works on the stack, and then nothing is lost. It can
 * be run again after an interruption at any point.
 *
 * @throws OperationError
 */
export async function eraseStack(erasure: StackErasure): Promise<Remains> {
  const { stack, data, onStep } = erasure;
  const { root, name } = stack;
  const places = data.flatMap((each) => each.places);
  try {
    await erasure.takeDown(() => noteErasure(root, name, places));
  } catch (error) {
    // If another run works on the stack, the engine did nothing, and that run's server may not be in the state yet.
    if (error instanceof StackLocked || (await knowsServer(stack))) await takeNoteBack(erasure);
    throw error;
  }
  erasure.signal.throwIfAborted();
  const remains: Remains = { foreign: [], linked: [] };
  for (const each of data) {
    const { foreign, linked } = await each.erase(onStep);
    remains.foreign.push(...foreign);
    remains.linked.push(...linked);
  }
  onStep(`removing the state of stack ${name}`);
  await removeState(stack);
  await forgetErasure(root, name);
  return remains;
}

/** Returns true if the state still has the server, because the engine stopped before it. */
async function knowsServer(stack: Stack): Promise<boolean> {
  // If the state cannot be read, it may have lost the server, so the note stays.
  const state = await readState(stack).catch(() => undefined);
  return stackContent(state).server !== undefined;
}

/** Restores the earlier note, or deletes it if there was no unfinished erasure before. */
async function takeNoteBack({ stack: { root, name }, data }: StackErasure): Promise<void> {
  const begun = data.flatMap((each) => each.begun);
  if (begun.length > 0) noteErasure(root, name, begun);
  else await forgetErasure(root, name);
}
