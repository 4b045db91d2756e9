import { OperationError } from "../core/operation-error.ts";
import { cancelCommand, recoverCommand } from "../model/command-lines.ts";
import { describeHolder, holderState, type LockHolder } from "./lock-holder.ts";
import { livingLockHolder } from "./state-file.ts";

/** Another process works on the stack, or a killed run left it locked. */
export class StackLocked extends OperationError {
  /**
   * True if the processes that took the locks have ended. The last one may have ended cleanly a moment ago and removed
   * its lock.
   */
  readonly holderIsGone: boolean;
  /** True if `pgw recover` can remove the lock, because it is a local file. */
  readonly recoverable: boolean;

  constructor(message: string, hint: string, state: { holderIsGone: boolean; recoverable: boolean }) {
    super(message, { hint });
    this.holderIsGone = state.holderIsGone;
    this.recoverable = state.recoverable;
  }
}

/**
 * Matches the engine's error about a lock that it cannot parse: Go's JSON error alone. For every other JSON file, the
 * engine names the file or its purpose.
 */
const unreadableLock = /^(?:error: )?(unexpected end of JSON input|invalid character .+|json: .+diy\.lockContent)$/m;

/**
 * Turns the engine's error about a locked stack into one that says what to do. Returns undefined if the messages have
 * another subject.
 */
export function lockedError(stack: string, messages: readonly string[]): StackLocked | undefined {
  const text = messages.join("\n");
  const unreadable = unreadableLock.exec(text)?.[1];
  if (unreadable !== undefined) {
    return new StackLocked(
      `A killed run left an incomplete lock on stack "${stack}": the engine says "${unreadable}".`,
      `Clean up what it left, then try again: \`${recoverCommand(stack)}\``,
      { holderIsGone: true, recoverable: true },
    );
  }
  if (!text.includes("the stack is currently locked")) return undefined;
  const holders = holdersIn(text);
  const living = holders.find((holder) => holderState(holder) !== "gone");
  const cancel = `\`${cancelCommand(stack)}\``;
  const [first] = holders;
  if (first === undefined) {
    return new StackLocked(
      `Another run works on stack "${stack}".`,
      `Wait for it to end, then try again; \`up --wait\` waits by itself. If it was killed: ${cancel}`,
      { holderIsGone: false, recoverable: false },
    );
  }
  if (living !== undefined)
    return lockedBy(stack, living, "Wait for it to end, then try again; `up --wait` waits by itself.");
  const recoverable = /\bfile:\/\//.test(text);
  return new StackLocked(
    `A killed run left its lock on stack "${stack}". Its process is gone: ${describeHolder(first)}.`,
    `Clean up what it left, then try again: ${recoverable ? `\`${recoverCommand(stack)}\`` : cancel}`,
    { holderIsGone: true, recoverable },
  );
}

/**
 * Requires that no run holds a stack's lock now. Only locks on this machine are seen, and a run can begin right after.
 *
 * @throws StackLocked with the run
 */
export function requireNoRun(root: string, stack: string, env: NodeJS.ProcessEnv): void {
  const holder = livingLockHolder(root, stack, env);
  if (holder === undefined) return;
  throw lockedBy(stack, holder, "Wait for it to end, then try again.");
}

/** @param wait says how to wait for the run */
function lockedBy(stack: string, holder: LockHolder, wait: string): StackLocked {
  const elsewhere = ` It runs on another machine. If it was killed: \`${cancelCommand(stack)}\``;
  return new StackLocked(
    `Another run works on stack "${stack}": ${describeHolder(holder)}.`,
    holderState(holder) === "living" ? wait : `${wait}${elsewhere}`,
    { holderIsGone: false, recoverable: false },
  );
}

/** Parses the holders, one line per lock: `…: created by ana@host (pid 4425) at 2026-11-20T23:28:56Z` */
function holdersIn(text: string): LockHolder[] {
  return [...text.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user = "", host = "", pid = "", since = ""]) => ({ user, host, pid: Number(pid), since }),
  );
}
