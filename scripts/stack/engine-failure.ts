import { join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { readOnlyRemedy } from "../target/server-fault.ts";

/** An operation that the engine could not finish. */
export class EngineFailure extends OperationError {
  /** The engine's messages. */
  readonly messages: readonly string[];

  /**
   * @param messages what the engine said
   * @param shown whether they were shown while the operation ran, and are left out of the error's text
   */
  constructor(headline: string, messages: readonly string[], shown: boolean, remedy?: string) {
    const text = shown || messages.length === 0 ? headline : `${headline}\n${messages.join("\n")}`;
    super(text, remedy === undefined ? {} : { remedy });
    this.messages = messages;
  }
}

/** The server's superuser has another password than the stack's state: it was changed by hand, or an older state was put back. */
export const superuserRefusedRemedy =
  "Set pgroundwork:passwordVersion of this stack to another value, then `up`: all passwords are made anew, and set on the server.";

/** Go says `open /…/.pgroundwork/…: permission denied`, Node `EACCES: permission denied, open '/…'`. PostgreSQL says for what, or to do what. */
const deniedFile =
  /\.pgroundwork\b[^\n]*: permission denied(?! (?:for|to) )|EACCES: permission denied[^\n]*\.pgroundwork\b/;

const readOnly = /cannot execute .+ in a read-only transaction/;

/**
 * What to do about a failure of the engine whose own words do not say it; undefined where they do, or nothing is known to help.
 *
 * @param root the clone
 */
export function engineRemedy(messages: readonly string[], root: string, stack: string): string | undefined {
  const text = messages.join("\n");
  if (deniedFile.test(text))
    return `${join(root, ".pgroundwork")} and what is in it must be this user's, and writable.`;
  // The engine says the line and not the file.
  if (/invalid YAML|yaml: |mapping key/.test(text)) return `Correct Pulumi.${stack}.yaml (or Pulumi.yaml).`;
  if (readOnly.test(text) && !text.includes(readOnlyRemedy)) return readOnlyRemedy;
  if (text.includes('password authentication failed for user "postgres"') && !text.includes(superuserRefusedRemedy))
    return superuserRefusedRemedy;
  const state = join(root, ".pgroundwork", ".pulumi");
  const startOver = `delete ${state}; \`up\` then takes over the data, with new passwords.`;
  if (text.includes("incorrect passphrase")) {
    return `Put back ${join(root, ".pgroundwork", "passphrase")}, or set PULUMI_CONFIG_PASSPHRASE. If it is lost: ${startOver}`;
  }
  if (text.includes("failed to load checkpoint")) {
    const file = join(state, "stacks", "pgroundwork", `${stack}.json`);
    return `The stack's state is damaged: ${file}. Put back ${file}.bak, the state before the last change. If that is damaged, too: ${startOver}`;
  }
  return undefined;
}
