import { setTimeout as sleep } from "node:timers/promises";
import { StackLocked } from "../stack/stack-locked.ts";
import type { CommandContext } from "./context.ts";
import { stackForReading } from "./stack.ts";

/** Interval in ms at which a locked stack is tried again. */
const retryIntervalMs = 1_000;

/**
 * Runs work while the engine holds a stack's lock. Waits for another command that works on the stack, and removes the
 * lock of a killed one. The engine itself changes nothing and shows no progress.
 *
 * @throws StackLocked if the lock of a killed command cannot be removed here; otherwise the error of the work
 */
export async function underStackLock<T>(context: CommandContext, name: string, work: () => Promise<T>): Promise<T> {
  const { workUnderLock } = await import("../stack/check-under-lock.ts");
  const { runOperation } = await import("../stack/operation.ts");
  const stack = await stackForReading(context, name);
  let printed: string | undefined;
  for (;;) {
    let begun = false;
    const once = () => {
      begun = true;
      return work();
    };
    try {
      return await workUnderLock(once, (check) => runOperation(stack, "destroy", { runId: context.runId, check }));
    } catch (error) {
      if (begun || !(error instanceof StackLocked)) throw error;
      if (error.holderIsGone) {
        const { removeLeftLocks } = await import("../stack/recover/stack-locks.ts");
        if (!(await removeLeftLocks(stack, context.env))) throw error;
        context.out.note(`removed the lock that a killed command left on stack "${name}"`);
        continue;
      }
      if (error.message !== printed) context.out.note(`${error.message} Waiting for it to end.`);
      printed = error.message;
      await sleep(retryIntervalMs, undefined, { signal: context.signal });
    }
  }
}
