import { OperationError } from "../errors/operation-error.ts";
import { describeHolder, holderState, type LockHolder } from "./lock-holder.ts";
import { recoverCommand } from "./recover-command.ts";

/** A stack that somebody else works on, or that a killed run left locked. */
export class StackLocked extends OperationError {
  /** The processes that took its locks have ended. The last may have done so a moment ago, in order, and taken its lock along. */
  readonly holderIsGone: boolean;
  /** Whether `pgw recover` can take the lock away: one that is a file of this machine. */
  readonly recoverable: boolean;

  constructor(message: string, remedy: string, state: { holderIsGone: boolean; recoverable: boolean }) {
    super(message, { remedy });
    this.holderIsGone = state.holderIsGone;
    this.recoverable = state.recoverable;
  }
}

/**
 * What the engine says of a lock that it cannot read: Go's words for faulty JSON and nothing else. Of every other file that it reads as JSON it says
 * which one, or what for.
 */
const unreadableLock = /^(?:error: )?(unexpected end of JSON input|invalid character .+|json: .+diy\.lockContent)$/m;

/**
 * The engine's refusal to work on a stack that is locked, in words that say what to do; undefined where the messages are about something else.
 */
export function lockedError(stack: string, messages: readonly string[]): StackLocked | undefined {
  const text = messages.join("\n");
  const unreadable = unreadableLock.exec(text)?.[1];
  if (unreadable !== undefined) {
    return new StackLocked(
      `A run that was killed left a lock on stack "${stack}" that is not whole: the engine says "${unreadable}".`,
      `Take back what it left, then try again: \`${recoverCommand(stack)}\``,
      { holderIsGone: true, recoverable: true },
    );
  }
  if (!text.includes("the stack is currently locked")) return undefined;
  const holders = holdersIn(text);
  const living = holders.find((holder) => holderState(holder) !== "gone");
  const cancel = `\`eval "$(npm run -s pgw -- engine env)" && pulumi cancel --yes --stack ${stack}\``;
  const [first] = holders;
  if (first === undefined) {
    return new StackLocked(
      `Another run works on stack "${stack}".`,
      `Wait for it to end, then try again; \`up --wait\` waits by itself. If it was killed: ${cancel}`,
      { holderIsGone: false, recoverable: false },
    );
  }
  if (living !== undefined) {
    const remedy =
      holderState(living) === "living"
        ? "Wait for it to end, then try again; `up --wait` waits by itself."
        : `Wait for it to end, then try again; \`up --wait\` waits by itself. If it was killed, which cannot be told from here: ${cancel}`;
    return new StackLocked(`Another run works on stack "${stack}": ${describeHolder(living)}.`, remedy, {
      holderIsGone: false,
      recoverable: false,
    });
  }
  const recoverable = /\bfile:\/\//.test(text);
  return new StackLocked(
    `A run that was killed left its lock on stack "${stack}": ${describeHolder(first)}, a process that is gone.`,
    `Take back what it left, then try again: ${recoverable ? `\`${recoverCommand(stack)}\`` : cancel}`,
    { holderIsGone: true, recoverable },
  );
}

/** A line a lock: `…: created by ana@host (pid 4425) at 2026-11-20T23:28:56Z` */
function holdersIn(text: string): LockHolder[] {
  return [...text.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user = "", host = "", pid = "", since = ""]) => ({ user, host, pid: Number(pid), since }),
  );
}
