import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isCode, readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { ignoreOwnFolder } from "../core/kit-folder.ts";
import { OperationError } from "../core/operation-error.ts";
import { localStack } from "./local-stack.ts";
import { encryptionSalts, matchesSalt } from "./passphrase-salt.ts";
import { setAsideHint } from "./state-file.ts";

/** Source of the passphrase of a stack's secrets. */
export type PassphraseSource =
  | { kind: "local"; file: string }
  | { kind: "variable" }
  | { kind: "file"; file: string }
  | { kind: "none" };

/** Returns the path of the file with the local stack's passphrase. */
export function passphraseFile(root: string): string {
  return join(root, ".pgroundwork", "passphrase");
}

/**
 * Returns the source of a stack's passphrase. The local stack always uses its own file. Other stacks use the
 * environment, in Pulumi's order: PULUMI_CONFIG_PASSPHRASE (may be empty), then PULUMI_CONFIG_PASSPHRASE_FILE. The
 * local stack's file is never used for another stack. A shell that evaluated `engine env` has its path in that
 * variable.
 */
export function passphraseSource(root: string, stack: string, env: NodeJS.ProcessEnv): PassphraseSource {
  if (stack === localStack) return { kind: "local", file: passphraseFile(root) };
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return { kind: "variable" };
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (!file || resolve(file) === resolve(passphraseFile(root))) return { kind: "none" };
  return { kind: "file", file };
}

/**
 * Returns the variables that give the engine a stack's passphrase. A variable with the value undefined must not be set.
 */
export function passphraseVariables(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Record<string, string | undefined> {
  switch (passphraseSource(root, stack, env).kind) {
    case "local":
      return {
        PULUMI_CONFIG_PASSPHRASE: undefined,
        PULUMI_CONFIG_PASSPHRASE_FILE: ensureLocalPassphrase(root, env),
      };
    case "none":
      return { PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
    default:
      return {};
  }
}

/**
 * Creates the local stack's passphrase (32 random bytes, base64url) if it does not exist, readable by this user only.
 * If the stack was created with the passphrase in the environment, that one is stored instead. If several processes
 * create the file, the first one wins and all use its passphrase. An overwritten passphrase would lock the stack.
 *
 * @returns the file's path
 * @throws OperationError if the passphrase of an existing state is gone
 */
export function ensureLocalPassphrase(root: string, env: NodeJS.ProcessEnv): string {
  const file = passphraseFile(root);
  if (readFileIfThere(file) !== undefined) return file;
  ignoreOwnFolder(root);
  const passphrase = passphraseOfExistingState(root, file, env) ?? randomBytes(32).toString("base64url");
  try {
    writeFileAtomically(file, passphrase, { mode: 0o600, exclusive: true });
  } catch (error) {
    // Another process created the file first.
    if (!isCode(error, "EEXIST")) throw error;
  }
  return file;
}

/**
 * Returns the passphrase in the environment, read as Pulumi does. Returns undefined if there is none or it cannot be
 * read.
 */
export function passphraseInEnvironment(env: NodeJS.ProcessEnv): string | undefined {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE;
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (!file) return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // The engine reports what is wrong with the file.
    return undefined;
  }
}

/**
 * Returns the environment's passphrase if the existing state was created with it. Throws if the passphrase of a state
 * is lost. A new one would only turn "it is lost" into "it is wrong".
 */
function passphraseOfExistingState(root: string, file: string, env: NodeJS.ProcessEnv): string | undefined {
  const { state, settings } = encryptionSalts(root, localStack, env);
  const named = passphraseInEnvironment(env);
  const salt = state ?? settings;
  // Pulumi trims the text that it reads from a file.
  if (named !== undefined && salt !== undefined && named === named.trim() && matchesSalt(named, salt)) return named;
  // Without a state, only the settings can be encrypted, and `stack init` reports that.
  if (state === undefined) return undefined;
  const tried = named === undefined ? "" : " The passphrase in the environment does not match either.";
  throw new OperationError(
    `The passphrase file ${file} is missing. The state of stack "${localStack}" is encrypted with it.${tried}`,
    {
      hint: [
        "Restore the file, or export the passphrase as PULUMI_CONFIG_PASSPHRASE; the file is then written again.",
        setAsideHint(root, localStack, env),
      ].join("\n  "),
    },
  );
}
