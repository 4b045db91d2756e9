import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { isCode, readFileIfThere } from "./atomic-file.ts";
import type { Variables } from "./locations.ts";

/** Where a clone keeps the passphrase of its local stacks. */
export function passphraseFile(root: string): string {
  return join(root, ".pgroundwork", "passphrase");
}

/** Whether the user names a passphrase of their own. An empty one is one: people set it for stacks without secrets. */
export function namesPassphrase(env: Variables): boolean {
  return env.PULUMI_CONFIG_PASSPHRASE !== undefined || Boolean(env.PULUMI_CONFIG_PASSPHRASE_FILE);
}

/**
 * Makes the clone's passphrase (32 random bytes, base64url) if there is none yet, readable by this user only. Of
 * several processes one wins, and every one goes on with the winner's: an overwritten passphrase would lock the stack.
 *
 * @returns the file's path
 */
export function ensurePassphrase(root: string): string {
  const file = passphraseFile(root);
  if (readFileIfThere(file) !== undefined) return file;
  mkdirSync(dirname(file), { recursive: true });
  requireNoState(root, file);
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(temporary, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
    chmodSync(temporary, 0o600);
    // A link, unlike a rename, fails where the other process was first, and never shows a half-written file.
    linkSync(temporary, file);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return file;
}

/** A new passphrase beside an old state would only turn "it is lost" into "it is wrong". Shared stacks have passphrases of their own. */
function requireNoState(root: string, file: string): void {
  const state = localState(join(root, ".pgroundwork", ".pulumi", "stacks"));
  if (state === undefined) return;
  throw new OperationError(`The passphrase ${file} is gone, and this clone's state is encrypted with it.`, {
    remedy: `Put it back, or set PULUMI_CONFIG_PASSPHRASE. If it is lost: delete ${state}; \`up\` then takes over the stack's data, with new passwords.`,
  });
}

/** The state of the local stack: below the project's folder, or beside it where an older engine put it. */
function localState(stacks: string): string | undefined {
  if (!existsSync(stacks)) return undefined;
  const states = readdirSync(stacks, { recursive: true }).map((path) => join(stacks, String(path)));
  return states.find((path) => /^local\.json(\.gz)?$/.test(basename(path)));
}
