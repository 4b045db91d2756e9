import { forgetErasure, noteErasure } from "../stack/begun-erasure.ts";
import { StackLocked } from "../stack/stack-lock.ts";
import { readState, removeState, type StateAccess } from "../stack/stack-state.ts";
import type { Remains } from "./cluster-files.ts";
import { stackContent } from "./stack-content.ts";
import type { ErasableData } from "./stack-data.ts";

export interface StackErasure extends StateAccess {
  /** Of every kind of server. */
  data: readonly ErasableData[];
  /** Has the engine take the stack down; undefined: the backend has no such stack. */
  takeDown: (() => Promise<unknown>) | undefined;
  /** Is told what is being done. */
  onStep: (step: string) => void;
  signal: AbortSignal;
}

/**
 * Erases everything of a stack: what its state has, its server with data and log, the state itself. Settings stay. The engine goes first: it refuses while
 * somebody else works on the stack, and then nothing is lost. Safe to run again after an interruption at any point.
 *
 * @throws OperationError
 */
export async function eraseStack(erasure: StackErasure): Promise<Remains> {
  const { root, stack, data, onStep } = erasure;
  noteErasure(
    root,
    stack,
    data.flatMap(({ places }) => places),
  );
  try {
    await erasure.takeDown?.();
  } catch (error) {
    // The engine did nothing where somebody else works on the stack, whose server may not be in the state yet.
    if (error instanceof StackLocked || (await knowsServer(erasure))) await takeNoteBack(erasure);
    throw error;
  }
  erasure.signal.throwIfAborted();
  const remains: Remains = { foreign: [], linked: [] };
  for (const each of data) {
    const { foreign, linked } = await each.erase(onStep);
    remains.foreign.push(...foreign);
    remains.linked.push(...linked);
  }
  onStep(`removing the state of stack ${stack}`);
  await removeState(erasure);
  await forgetErasure(root, stack);
  return remains;
}

/** Where the engine came not as far as the server, the state still says where that is. */
async function knowsServer(erasure: StackErasure): Promise<boolean> {
  // A state that cannot be read may have lost the server: the note stays.
  const state = await readState(erasure).catch(() => undefined);
  return stackContent(state).server !== undefined;
}

/** There is nothing to complete that was not before. */
async function takeNoteBack({ root, stack, data }: StackErasure): Promise<void> {
  const begun = data.flatMap((each) => each.begun);
  if (begun.length > 0) noteErasure(root, stack, begun);
  else await forgetErasure(root, stack);
}
