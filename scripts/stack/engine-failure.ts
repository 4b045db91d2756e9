import { join } from "node:path";
import { readOnlyHint } from "../connection/server-fault.ts";
import { OperationError } from "../core/operation-error.ts";
import { shellQuote } from "../core/shell.ts";
import { recoverCommand } from "../model/command-lines.ts";
import { describeHolder } from "./lock-holder.ts";
import { passphraseHint } from "./passphrase-hint.ts";
import { damagedAttributes } from "./recover/damaged-attributes.ts";
import { isWholeState, livingLockHolder, setAsideHint, stateFile } from "./state-file.ts";

/** An operation that the engine could not finish. */
export class EngineFailure extends OperationError {
  /** The engine's messages. */
  readonly messages: readonly string[];
  readonly #shown: boolean;

  /**
   * @param messages the engine's messages
   * @param shown true if they were printed while the operation ran; they are then left out of the error's text
   */
  constructor(headline: string, messages: readonly string[], shown: boolean, hint?: string) {
    const text = shown || messages.length === 0 ? headline : `${headline}\n${messages.join("\n")}`;
    super(text, hint === undefined ? {} : { hint });
    this.messages = messages;
    this.#shown = shown;
  }

  override get completeMessage(): string {
    return this.#shown ? [this.message, ...new Set(this.messages)].join("\n") : this.message;
  }
}

/**
 * Hint if the superuser's password on the server differs from the one in the stack's state. It was changed by hand, or
 * an older state was restored.
 */
export const superuserRefusedHint =
  "Change pgroundwork:passwordVersion of this stack, then run `up`. It generates all passwords again and sets them on the server.";

/**
 * Go's message is `open /…/.pgroundwork/…: permission denied`, Node's is `EACCES: permission denied, open '/…'`.
 * PostgreSQL's message continues with "for" or "to" and does not match.
 */
const deniedFile =
  /\.pgroundwork\b[^\n]*: permission denied(?! (?:for|to) )|EACCES: permission denied[^\n]*\.pgroundwork\b/;

/** The engine's message about its own files on a full disk. PostgreSQL's errors have hints of their own. */
const fullDisk = /\.p(?:ulumi|groundwork)\b[^\n]*: (?:no space left on device|disk quota exceeded)/;

const readOnly = /cannot execute .+ in a read-only transaction/;

/**
 * Returns a hint for a failure if the engine's own message has none. Returns undefined if it has one, or if no hint is
 * known.
 *
 * @param root project directory
 */
export function engineHint(messages: readonly string[], root: string, stack: string): string | undefined {
  const text = messages.join("\n");
  if (deniedFile.test(text))
    return `${join(root, ".pgroundwork")} and its contents must belong to this user and be writable.`;
  if (fullDisk.test(text))
    return "The disk with the state of the stack is full. Free space on it, then run the command again. If the state was damaged, the command says how to restore it.";
  // The engine names the line but not the file.
  if (/invalid YAML|yaml: |mapping key/.test(text)) return `Correct Pulumi.${stack}.yaml (or Pulumi.yaml).`;
  if (readOnly.test(text) && !text.includes(readOnlyHint)) return readOnlyHint;
  if (text.includes('password authentication failed for user "postgres"') && !text.includes(superuserRefusedHint))
    return superuserRefusedHint;
  if (text.includes("Data integrity error")) return `Repair the state, then try again: \`${recoverCommand(stack)}\``;
  const passphrase = passphraseHint(text, root, stack);
  if (passphrase !== undefined) return passphrase;
  const unreadable = text.includes("failed to load checkpoint");
  if (unreadable || text.includes(".pulumi/meta.yaml")) {
    const writer = livingLockHolder(root, stack, process.env);
    // The engine does not replace the files next to a state at once. They may be complete a moment later.
    if (writer !== undefined)
      return `Another run works on it and may have been writing its state: ${describeHolder(writer)}. Wait for it to end, then try again.`;
    const file = stateFile(root, stack, process.env);
    if (file !== undefined && damagedAttributes(file).length > 0)
      return `A killed run left a damaged file next to the state, which is complete. Clean up, then try again: \`${recoverCommand(stack)}\``;
    if (!unreadable) return undefined;
    if (file !== undefined && isWholeState(file))
      return "The state is complete now: another run was writing it. Try again.";
    if (file === undefined) return "The stack's state is damaged. Restore the state from before the last change.";
    return [
      `The stack's state is damaged: ${file}. Restore ${file}.bak, the state before the last change:`,
      `  cp ${shellQuote(`${file}.bak`)} ${shellQuote(file)}`,
      setAsideHint(root, stack, process.env),
    ].join("\n  ");
  }
  return undefined;
}
