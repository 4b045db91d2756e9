import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { OperationError } from "../errors/operation-error.ts";

/** Who holds a stack of a file backend, as the engine names them. */
interface LockHolder {
  user: string;
  host: string;
  pid: number;
  since: string;
}

/** A stack that somebody else works on, or that a killed run left locked. */
export class StackLocked extends OperationError {
  /** The process that took the lock has ended. It may have done so a moment ago, in order, and taken its lock along. */
  readonly holderIsGone: boolean;

  constructor(message: string, remedy: string, holderIsGone: boolean) {
    super(message, { remedy });
    this.holderIsGone = holderIsGone;
  }
}

/**
 * The engine's refusal to work on a stack that is locked, in words that say what to do; undefined where the messages are about something else.
 */
export function lockedError(stack: string, messages: readonly string[]): StackLocked | undefined {
  const text = messages.join("\n");
  if (!text.includes("the stack is currently locked")) return undefined;
  const holder = holderIn(text);
  const cancel = `\`eval "$(npm run -s pgw -- engine env)" && pulumi cancel --yes --stack ${stack}\``;
  if (holder === undefined) {
    return new StackLocked(
      `Another run works on stack "${stack}".`,
      `Wait for it to end. If it was killed: ${cancel}`,
      false,
    );
  }
  const who = `${holder.user}@${holder.host} (pid ${holder.pid}) since ${holder.since}`;
  if (holder.host !== hostname() || isAlive(holder.pid)) {
    const remedy = "Wait for it to end, then try again.";
    return new StackLocked(`Another run works on stack "${stack}": ${who}.`, remedy, false);
  }
  return new StackLocked(
    `A run that was killed left its lock on stack "${stack}": ${who}, a process that is gone.`,
    `Take the lock away, then try again: ${cancel}`,
    true,
  );
}

/** `…: created by ana@host (pid 4425) at 2026-11-20T23:28:56Z` */
function holderIn(text: string): LockHolder | undefined {
  const match = /created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/.exec(text);
  if (match === null) return undefined;
  const [, user = "", host = "", pid = "", since = ""] = match;
  return { user, host, pid: Number(pid), since };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ended, but still listed: nobody has taken note of its end yet, and in a container perhaps nobody ever does. */
function isZombie(pid: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    // `pid (name) state …`; the name may hold brackets of its own.
    return /^.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // It has just gone. Whatever else is the matter, the process was there.
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
