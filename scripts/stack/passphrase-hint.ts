import { shellQuote } from "../core/shell.ts";
import { backendNote } from "./backend.ts";
import { passphraseInEnvironment, passphraseSource } from "./passphrase.ts";
import { encryptionSalts, matchesSalt } from "./passphrase-salt.ts";
import { setAsideHint, stateFile } from "./state-file.ts";

/**
 * Says which passphrase the engine used for a stack, why it failed and what to do. Returns undefined if the failure has
 * another cause.
 */
export function passphraseHint(
  text: string,
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (text.includes("unable to read PULUMI_CONFIG_PASSPHRASE_FILE"))
    return `PULUMI_CONFIG_PASSPHRASE_FILE is "${env.PULUMI_CONFIG_PASSPHRASE_FILE}", and this file cannot be read. Correct the variable.`;
  if (text.includes("passphrase must be set"))
    return `The environment has no passphrase for stack "${stack}". Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.`;
  if (!text.includes("incorrect passphrase")) return undefined;
  const lines = [...mismatch(root, stack, env)];
  const where = backendNote(root, stack, env);
  if (where !== undefined) lines.push(where);
  // In a shared backend, one user's wrong passphrase is no reason to touch the team's state.
  if (stateFile(root, stack, env) !== undefined) lines.push(setAsideHint(root, stack, env));
  return lines.join("\n  ");
}

function mismatch(root: string, stack: string, env: NodeJS.ProcessEnv): string[] {
  const source = passphraseSource(root, stack, env);
  switch (source.kind) {
    case "local":
      return [
        `The passphrase in ${source.file} does not match stack "${stack}".`,
        ...(environmentMatches(root, stack, env)
          ? [
              "The passphrase in the environment matches. Write it to that file:",
              `  ${env.PULUMI_CONFIG_PASSPHRASE === undefined ? 'cat "$PULUMI_CONFIG_PASSPHRASE_FILE"' : 'printf %s "$PULUMI_CONFIG_PASSPHRASE"'} > ${shellQuote(source.file)}`,
            ]
          : [
              "Restore the passphrase that the stack was created with. PULUMI_CONFIG_PASSPHRASE applies only to other stacks.",
            ]),
      ];
    case "variable":
      return [
        `The passphrase in PULUMI_CONFIG_PASSPHRASE${env.PULUMI_CONFIG_PASSPHRASE === "" ? " (it is empty)" : ""} does not match stack "${stack}".`,
        ...(env.PULUMI_CONFIG_PASSPHRASE_FILE
          ? ["Pulumi ignores PULUMI_CONFIG_PASSPHRASE_FILE while PULUMI_CONFIG_PASSPHRASE is set."]
          : []),
        "Set the passphrase that the stack was created with.",
      ];
    case "file":
      return [
        `The passphrase in ${source.file} (PULUMI_CONFIG_PASSPHRASE_FILE) does not match stack "${stack}".`,
        "Set the variable to the file with the passphrase that the stack was created with.",
      ];
    case "none":
      return [`The passphrase does not match stack "${stack}". Set PULUMI_CONFIG_PASSPHRASE.`];
  }
}

function environmentMatches(root: string, stack: string, env: NodeJS.ProcessEnv): boolean {
  const named = passphraseInEnvironment(env);
  const { state, settings } = encryptionSalts(root, stack, env);
  const salt = state ?? settings;
  return named !== undefined && salt !== undefined && matchesSalt(named, salt);
}
